"""The VR engine on small networks made here: the code is the same for the published ones."""

import msgspec
import numpy as np
import pytest
import torch

from pipeline.catalog import MODELS
from pipeline.errors import Cancelled, ModelDigestError, UVRError
from pipeline.models import loader as models_module
from pipeline.models.loader import Models
from pipeline.separation.base import CPU_FALLBACK_NOTE, Mixture
from pipeline.separation.engines.uvr import vr as engine_module
from pipeline.separation.engines.uvr import vr_library as library
from pipeline.separation.engines.uvr.library import OutOfMemoryError, suppress_warnings
from pipeline.separation.engines.uvr.vr import VR, load_network
from pipeline.separation.engines.uvr.vr_library import VRSettings
from tests.pipeline.separation.measure import ProgressRecorder, Trap, entry_of, save_sound, stem_names, steps

RATE = 44_100
NEW = {"bands": "1band_sr44100_hl1024", "architecture": 0, "primary": "vocals", "nout": 4, "nout_lstm": 8}
FOUR = NEW | {"bands": "4band_v3", "primary": "instrumental"}
OLD = {"bands": "4band_v2", "architecture": 31_191, "primary": "instrumental"}
"""The smallest of the published networks of the older kind."""
BINS = {"1band_sr44100_hl1024": 1_024, "4band_v3": 672, "4band_v2": 672}
SEEN = (512 - 2 * 64) * 1_024
"""Frames of a patch between its edges."""


pytestmark = pytest.mark.usefixtures("one_thread")


def save_vr(path, settings, *, even=False):
    """A random network in the form of the hub; an even one gives both sources half of every frequency."""
    with suppress_warnings():
        from audio_separator.separator.uvr_lib_v5.vr_network import nets, nets_new
    torch.manual_seed(0)
    bins = 2 * BINS[settings["bands"]]
    if "nout" in settings:
        network = nets_new.CascadedNet(bins, 0, nout=settings["nout"], nout_lstm=settings["nout_lstm"])
    else:
        network = nets.determine_model_capacity(bins, settings["architecture"])
    if even:
        torch.nn.init.zeros_(network.out.weight)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), path)
    return path


def engine_of(path, settings):
    return VR(load_network(path, entry_of(path, "vr", settings), "cpu"))


def separate(engine, path, report=None):
    recording = Mixture.open(path, engine.sample_rate)
    return np.concatenate(list(engine.separate(recording, report or ProgressRecorder())))


def noise(frames, channels=2, rate=RATE):
    """Noise from 100 Hz to 15 kHz."""
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal((frames, channels)), axis=0)
    frequency = np.fft.rfftfreq(frames, 1 / rate)
    spectrum[(frequency < 100) | (frequency > 15_000)] = 0
    return 0.1 * np.fft.irfft(spectrum, frames, axis=0)


def level(samples, reference):
    """Decibels of one sound below another."""
    return 10 * np.log10(np.mean(np.square(samples)) / np.mean(np.square(reference)))


def heard(path):
    """The sound as the engine reads it."""
    return np.concatenate(list(Mixture.open(path, RATE).blocks()))


@pytest.fixture(scope="module")
def even(tmp_path_factory):
    return save_vr(tmp_path_factory.mktemp("even") / "even.pth", NEW, even=True)


@pytest.fixture(scope="module")
def random(tmp_path_factory):
    return save_vr(tmp_path_factory.mktemp("random") / "random.pth", NEW)


@pytest.fixture
def tiny(random, tmp_path, monkeypatch):
    """A home with a random network, known to the catalogue as `tiny`."""
    path = tmp_path / "home" / "checkpoints" / "uvr" / "tiny.pth"
    path.parent.mkdir(parents=True)
    path.write_bytes(random.read_bytes())
    monkeypatch.setattr(models_module, "MODELS", {**MODELS, "tiny": entry_of(path, "vr", NEW)})
    return path


@pytest.mark.parametrize(
    ("primary", "gain"), [("vocals", 0.5 ** (1 + 0.9 / 3)), ("instrumental", 1 - 0.5 ** (1 + 0.1 / 3))]
)
@pytest.mark.parametrize(("frames", "rate", "channels"), [(30_000, RATE, 2), (SEEN + 7, 48_000, 1)])
def test_a_mask_is_laid_on_the_mixture(even, tmp_path, primary, gain, frames, rate, channels):
    """An even network's mask is one half, sharpened as UVR does: by 0.9 for voices and 0.1 for instruments."""
    source = save_sound(tmp_path / "sound.flac", noise(frames, channels, rate), rate)
    vocals = separate(engine_of(even, NEW | {"primary": primary}), source)
    mixture = heard(source)
    assert vocals.shape == mixture.shape
    assert level(vocals - gain * mixture, mixture) < -60


def test_the_bands_are_put_together_again(tmp_path):
    """Four bands at three rates; above the lowest, which ends at 287 Hz, the mask is sharpened three times as much."""
    path = save_vr(tmp_path / "four.pth", FOUR, even=True)
    source = save_sound(tmp_path / "sound.flac", noise(2 * RATE), RATE)
    vocals = separate(engine_of(path, FOUR), source)
    mixture = heard(source)
    spectra = [np.fft.rfft(sound[2_000:-2_000, 0]) for sound in (vocals, mixture)]
    frequency = np.fft.rfftfreq(len(mixture) - 4_000, 1 / RATE)
    for low, high, exponent in ((120, 270, 1 + 0.1 / 3), (5_500, 15_000, 1.1)):
        band = (frequency > low) & (frequency < high)
        expected = (1 - 0.5**exponent) * spectra[1][band]
        assert level(np.abs(spectra[0][band] - expected), np.abs(expected)) < -40


def test_the_older_kind_of_network_works_too(tmp_path):
    path = save_vr(tmp_path / "old.pth", OLD)
    source = save_sound(tmp_path / "sound.flac", noise(RATE), RATE)
    told = ProgressRecorder()
    vocals = separate(engine_of(path, OLD), source, told)
    assert vocals.shape == (RATE, 2)
    assert -20 < level(vocals, heard(source)) < 0
    assert told.fractions == [0.0, 1.0]


def test_the_same_comes_out_twice(random, tmp_path):
    source = save_sound(tmp_path / "sound.flac", noise(RATE), RATE)
    once = separate(engine_of(random, NEW), source)
    assert once.any()
    np.testing.assert_array_equal(separate(engine_of(random, NEW), source), once)


@pytest.mark.parametrize(
    ("samples", "rate"),
    [(np.full((1, 1), 0.5), RATE), (np.full((1, 2), 0.5), 48_000), (np.zeros((20_000, 2)), RATE)],
    ids=["one sample", "one stereo sample", "silence"],
)
def test_unusual_sounds_come_back_whole(even, tmp_path, samples, rate):
    source = save_sound(tmp_path / "sound.flac", samples, rate)
    told = ProgressRecorder()
    vocals = separate(engine_of(even, NEW), source, told)
    assert vocals.shape == heard(source).shape
    assert np.isfinite(vocals).all()
    assert vocals.any() == samples.any()
    assert told.fractions[-1] == 1.0


def test_long_clips_are_worked_on_in_windows(even, tmp_path, monkeypatch):
    """What is laid on the mixture is the same in each window, so no seam may be found."""
    monkeypatch.setattr(engine_module, "WINDOW_SECONDS", 10)
    monkeypatch.setattr(engine_module, "OVERLAP_SECONDS", 1)
    source = save_sound(tmp_path / "sound.flac", noise(RATE * 21, 1), RATE)
    told = ProgressRecorder()
    vocals = separate(engine_of(even, NEW), source, told)
    mixture = heard(source)
    wrong = np.abs(vocals - 0.5**1.3 * mixture)
    assert wrong.max() < 1e-4
    # Two windows of ten seconds with two patches each, and three seconds more.
    assert told.fractions == pytest.approx(np.arange(6) / 5)


def test_the_stage_gives_parts_that_add_up(work, tiny, tmp_path):
    source = save_sound(tmp_path / "sound.flac", noise(60_000, rate=48_000), 48_000)
    job = work(source, "vr", "tiny", weights=Models(tmp_path / "home", "cpu"))
    output = job.run()
    assert stem_names(output) == ["vocals", "background"]
    vocals, background = steps(job.out / "vocals.flac"), steps(job.out / "background.flac")
    np.testing.assert_array_equal(vocals + background, steps(source))
    assert vocals.any()
    assert background.any()
    (use,) = output.models
    assert (use.engine, use.model, len(use.digest)) == ("vr", "tiny", 64)


def test_cancelling_stops_after_a_patch_and_leaves_no_files(work, tiny, tmp_path):
    source = save_sound(tmp_path / "sound.flac", noise(3 * SEEN, 1), RATE)
    weights = Models(tmp_path / "home", "cpu")
    told = ProgressRecorder(0.2, Cancelled("stopped"))
    job = work(source, "vr", "tiny", weights=weights, report=told)
    with pytest.raises(Cancelled):
        job.run()
    assert list(job.out.iterdir()) == []
    assert [fraction for fraction in told.fractions if fraction] == [pytest.approx(0.25)]
    # The network is not left with the hook of the run that was stopped.
    again = ProgressRecorder()
    separate(VR.open(weights, "tiny"), save_sound(tmp_path / "short.flac", noise(RATE), RATE), again)
    assert again.fractions == [0.0, 1.0]


def test_a_changed_checkpoint_is_refused(tiny, tmp_path):
    content = bytearray(tiny.read_bytes())
    content[len(content) // 2] ^= 1
    tiny.write_bytes(content)
    with pytest.raises(ModelDigestError, match=r"tiny\.pth"):
        VR.open(Models(tmp_path / "home", "cpu"), "tiny")


def test_a_checkpoint_that_holds_code_is_refused_unread(tmp_path):
    path = tmp_path / "trap.pth"
    torch.save({"out.weight": Trap(tmp_path / "mark")}, path)
    with pytest.raises(UVRError, match="safely"):
        engine_of(path, NEW)
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize(
    "settings",
    [
        NEW | {"nout": 8},
        NEW | {"bands": "1band_sr32000_hl512"},
        NEW | {"bands": "nonesuch"},
        NEW | {"primary": "drums"},
        OLD | {"architecture": 5},
    ],
    ids=["other size", "other rate", "no bands", "no voices", "no architecture"],
)
def test_a_checkpoint_that_does_not_fit_its_settings_is_refused(random, settings):
    with pytest.raises(UVRError, match="not a VR network of the kind") as caught:
        engine_of(random, settings)
    assert caught.value.detail


def test_a_card_without_memory_hands_over_to_the_processor(even, tmp_path, monkeypatch):
    """Only the first call fails, as a card's would; everything after it is real."""
    real, calls = library.vocals, []

    def first_fails(network, mixture, *, done):
        calls.append(1)
        if len(calls) == 1:
            raise OutOfMemoryError("out of memory")
        return real(network, mixture, done=done)

    monkeypatch.setattr(library, "vocals", first_fails)
    engine = engine_of(even, NEW)
    source = save_sound(tmp_path / "sound.flac", noise(RATE), RATE)
    assert level(separate(engine, source) - 0.5**1.3 * heard(source), heard(source)) < -60
    assert engine.notes == [CPU_FALLBACK_NOTE]


def test_what_the_library_dies_of_is_named(even, tmp_path, monkeypatch):
    engine = engine_of(even, NEW)
    monkeypatch.setattr(engine._network, "loading_mix", lambda: exec("raise SystemExit(1)"))
    with pytest.raises(UVRError, match="could not take this sound apart") as caught:
        separate(engine, save_sound(tmp_path / "sound.flac", noise(RATE), RATE))
    assert "SystemExit" in caught.value.detail


def test_the_catalogues_networks_have_what_the_engine_needs():
    published = [model for model in MODELS.values() if model.engine == "vr"]
    assert published
    for model in published:
        assert msgspec.convert(dict(model.settings), VRSettings).bands
        (file,) = model.hub
        assert file.pinned
        assert file.name == f"uvr/{model.name}.pth"
