"""The UVR engine on small networks made here: the code is the same for the published ones."""

import hashlib
import warnings
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
import soundfile
import torch
import yaml

from pipeline.catalog import MODELS, PRESETS
from pipeline.errors import Cancelled, ModelDigestError, UVRError
from pipeline.models.loader import Models
from pipeline.separation.base import Mixture
from pipeline.separation.engines.uvr import checkpoints, library
from pipeline.separation.engines.uvr import engine as engine_module
from pipeline.separation.engines.uvr.engine import UVR
from pipeline.types import Preset, RouteName, StemName
from tests.pipeline.models.hub_server import running
from tests.pipeline.separation.measure import ProgressRecorder, Trap, save_sound, stem_names, steps

BS, MEL = "tiny_bs", "tiny_mel"
RATE = 44_100
CHUNK = 44_100
SHARED = {
    "dim": 8,
    "depth": 1,
    "heads": 1,
    "dim_head": 8,
    "stereo": True,
    "num_stems": 1,
    "flash_attn": False,
    "time_transformer_depth": 1,
    "freq_transformer_depth": 1,
    "stft_n_fft": 512,
    "stft_hop_length": 441,
    "stft_win_length": 512,
}
KINDS = {
    MEL: {**SHARED, "num_bands": 8, "sample_rate": RATE, "dim_freqs_in": 257},
    BS: {**SHARED, "freqs_per_bands": (65, 64, 64, 64)},
}


pytestmark = pytest.mark.usefixtures("one_thread")


def save_mdx23c(folder, name):
    """A random network of UVR's other architecture in torch, which tells of two sources."""
    from audio_separator.separator.uvr_lib_v5.tfc_tdf_v3 import TFC_TDF_net
    from ml_collections import ConfigDict

    settings = {
        "audio": {"chunk_size": 63 * 512, "hop_length": 512, "n_fft": 1024, "dim_f": 512, "num_channels": 2},
        "model": {"act": "gelu", "norm": "InstanceNorm", "num_subbands": 2, "num_scales": 2, "scale": [2, 2]}
        | {"num_blocks_per_scale": 1, "num_channels": 4, "growth": 4, "bottleneck_factor": 2},
        "training": {"instruments": ["Vocals", "Instrumental"], "target_instrument": None},
        "inference": {"dim_t": 64, "num_overlap": 4, "batch_size": 2},
    }
    torch.manual_seed(0)
    torch.save(TFC_TDF_net(ConfigDict(settings), device=torch.device("cpu")).state_dict(), folder / f"{name}.ckpt")
    (folder / f"{name}.yaml").write_text(yaml.dump(settings))


def save_network(folder, name, *, training=None, inference=None):
    """A random network in the form of the hub: weights, and settings with tuples as Python writes them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from audio_separator.separator.roformer.roformer_loader import RoformerLoader

        loader = RoformerLoader()
        torch.manual_seed(0)
        make = loader._create_mel_band_roformer if name == MEL else loader._create_bs_roformer
        network = make(KINDS[name])
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), folder / f"{name}.ckpt")
    settings = {
        "audio": {"chunk_size": CHUNK, "hop_length": 441, "sample_rate": RATE, "num_channels": 2},
        "model": KINDS[name],
        "training": training or {"instruments": ["vocals", "other"], "target_instrument": "vocals"},
        "inference": inference or {"dim_t": CHUNK // 441 + 1, "num_overlap": 2},
    }
    (folder / f"{name}.yaml").write_text(yaml.dump(settings))
    return folder / f"{name}.ckpt"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    for name in KINDS:
        save_network(folder / "checkpoints" / "uvr", name)
    return folder


@pytest.fixture(scope="module")
def weights(home):
    return Models(home, "cpu")


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(4).uniform(-0.5, 0.5, (RATE * 3, 2))


@pytest.fixture(autouse=True)
def _catalogue(monkeypatch):
    """The catalogue has the small network too, and lists no files of it, so that a person's own are used."""
    published = MODELS["model_bs_roformer_ep_317_sdr_12.9755"]
    monkeypatch.setattr("pipeline.models.loader.MODELS", {**MODELS, BS: replace(published, name=BS, hub=())})


def separate(engine, path, report=None):
    recording = Mixture.open(path, engine.sample_rate)
    return np.concatenate(list(engine.separate(recording, report or ProgressRecorder())))


@pytest.mark.parametrize("name", list(KINDS))
def test_vocals_are_what_the_library_makes(weights, noise, tmp_path, name):
    source = save_sound(tmp_path / "sound.flac", noise, RATE)
    told = ProgressRecorder()
    engine = UVR.open(weights, name)
    vocals = separate(engine, source, told)
    assert engine.sample_rate == RATE
    assert engine.stems == (StemName.VOCALS,)
    assert vocals.shape == noise.shape
    loaded = checkpoints.load_checkpoint(weights.home / "checkpoints" / "uvr", name, "cpu")
    mixture = np.asarray(soundfile.read(source, dtype="float32")[0].T, np.float32)
    made = library.separate(loaded.network, mixture, done=lambda: None)
    np.testing.assert_allclose(vocals, made["vocals"].T, atol=1e-6)
    assert 0.0 < np.abs(vocals).max() < 10.0
    # Three seconds in chunks of one, a new one every half: five runs of four layers and the network around them.
    assert told.fractions == pytest.approx(np.arange(26) / 25)


def test_long_clips_are_worked_on_in_windows(weights, noise, tmp_path, monkeypatch):
    source = save_sound(tmp_path / "sound.flac", np.tile(noise, (2, 1)), RATE)
    whole = separate(UVR.open(weights, MEL), source)
    monkeypatch.setattr(engine_module, "WINDOW_SECONDS", 3)
    monkeypatch.setattr(engine_module, "OVERLAP_SECONDS", 1)
    told = ProgressRecorder()
    parts = separate(UVR.open(weights, MEL), source, told)
    assert told.fractions[-1] == 1.0
    assert told.fractions == sorted(told.fractions)
    np.testing.assert_allclose(parts[: RATE * 2], whole[: RATE * 2], atol=1e-6)
    # Where windows meet, no step is larger than those of the sound itself.
    for seam in (2 * RATE, 3 * RATE, 4 * RATE, 5 * RATE):
        step = np.abs(np.diff(parts[seam - 3 : seam + 3], axis=0)).max()
        assert step <= np.abs(np.diff(whole, axis=0)).max()


@pytest.mark.parametrize(
    ("samples", "rate"),
    [
        (np.zeros((1, 1)), RATE),
        (np.zeros((20_000, 2)), RATE),
        (0.1 * np.sin(np.arange(8_000) / 3)[:, None], 8_000),
        (0.1 * np.sin(np.arange(60_000) / 3)[:, None], 48_000),
    ],
    ids=["one sample", "silence", "8 kHz mono", "48 kHz mono"],
)
def test_unusual_sounds_come_back_whole(weights, tmp_path, samples, rate):
    source = save_sound(tmp_path / "sound.flac", samples, rate)
    vocals = separate(UVR.open(weights, MEL), source)
    assert vocals.shape == (-(-len(samples) * RATE // rate), samples.shape[1])
    assert np.isfinite(vocals).all()


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8_000, RATE])
def test_the_stage_gives_parts_that_add_up(work, weights, noise, tmp_path, channels, rate):
    source = save_sound(tmp_path / "sound.flac", noise[: rate * 2, :channels], rate)
    job = work(source, "uvr", BS, weights=weights)
    output = job.run()
    assert stem_names(output) == ["vocals", "background"]
    assert sorted(path.name for path in job.out.iterdir()) == ["background.flac", "vocals.flac"]
    np.testing.assert_array_equal(steps(job.out / "vocals.flac") + steps(job.out / "background.flac"), steps(source))
    (use,) = output.models
    assert (use.engine, use.model, len(use.digest)) == ("uvr", BS, 64)


def test_cancelling_leaves_no_files(work, weights, noise, tmp_path):
    source = save_sound(tmp_path / "sound.flac", noise, RATE)
    told = ProgressRecorder(0.5, Cancelled("stopped"))
    job = work(source, "uvr", BS, weights=weights, report=told)
    with pytest.raises(Cancelled):
        job.run()
    assert list(job.out.iterdir()) == []
    assert len([fraction for fraction in told.fractions if fraction >= 0.5]) == 1
    # The network is not left with the hook of the run that was stopped.
    again = ProgressRecorder()
    separate(UVR.open(weights, BS), source, again)
    assert told.fractions[-1] < 1.0 == again.fractions[-1]
    assert len([fraction for fraction in told.fractions if fraction >= 0.5]) == 1


@pytest.mark.parametrize(
    ("training", "voice"),
    [
        ({"instruments": ["other", "Vocals"], "target_instrument": "Vocals"}, "Vocals"),
        ({"instruments": ["vocals", "Instrumental"], "target_instrument": "Instrumental"}, "vocals"),
        ({"instruments": ["speech"], "target_instrument": None}, "speech"),
        ({"instruments": ["bass", "drums", "vocals"], "target_instrument": "vocals"}, "vocals"),
    ],
    ids=["voice second", "voice is what is left", "voice alone", "voice among many"],
)
def test_the_voice_is_found_whatever_it_is_called(tmp_path, noise, training, voice):
    save_network(tmp_path / "checkpoints" / "uvr", MEL, training=training)
    engine = UVR.open(Models(tmp_path, "cpu"), MEL)
    source = save_sound(tmp_path / "sound.flac", noise, RATE)
    vocals = separate(engine, source)
    loaded = checkpoints.load_checkpoint(tmp_path / "checkpoints" / "uvr", MEL, "cpu")
    assert loaded.voice == voice
    mixture = torch.from_numpy(soundfile.read(source, dtype="float32")[0].T[:, :CHUNK])
    with torch.no_grad():
        target = cast("Any", loaded.network).model_run(mixture[None])[0].numpy()
    expected = mixture.numpy() - target if voice == "vocals" and "Instrumental" in training["instruments"] else target
    # Until the second chunk begins only the first is heard.
    np.testing.assert_allclose(vocals[: CHUNK // 2], expected.T[: CHUNK // 2], atol=1e-5)


def test_settings_as_their_maker_publishes_them_are_enough(tmp_path):
    """No `dim_t`, and chunks that do not overlap: the library would fail over the one and click over the other."""
    save_network(tmp_path, MEL, inference={"num_overlap": 1, "chunk_size": CHUNK})
    loaded = checkpoints.load_checkpoint(tmp_path, MEL, "cpu")
    assert (loaded.chunk_frames, loaded.network.overlap) == (CHUNK, 2)


@pytest.mark.parametrize("frames", [1, 63 * 512, RATE * 2 + 7])
def test_mdx23c_works_too(tmp_path, noise, frames):
    save_mdx23c(tmp_path, "tiny")
    engine = UVR(checkpoints.load_checkpoint(tmp_path, "tiny", "cpu"))
    told = ProgressRecorder()
    vocals = separate(engine, save_sound(tmp_path / "sound.flac", noise[:frames], RATE), told)
    assert vocals.shape == (frames, 2)
    assert np.isfinite(vocals).all()
    assert told.fractions[-1] == 1.0
    assert told.fractions.count(1.0) == 1


@pytest.mark.parametrize(
    "text",
    [
        "model: !!python/object/apply:os.mkdir ['{mark}']",
        "[1, 2]",
        "model: {{stereo: true}}\ntraining: {{instruments: [drums, bass], target_instrument: null}}",
        "model: {{stereo: false}}\ntraining: {{instruments: [vocals]}}",
        "\x00",
    ],
    ids=["code", "a list", "no vocals", "mono", "no yaml"],
)
def test_settings_that_cannot_be_used_are_refused(tmp_path, text):
    save_network(tmp_path, MEL)
    (tmp_path / f"{MEL}.yaml").write_text(text.format(mark=tmp_path / "mark"))
    with pytest.raises(UVRError, match="do not describe"):
        checkpoints.load_checkpoint(tmp_path, MEL, "cpu")
    assert not (tmp_path / "mark").exists()


def test_a_checkpoint_that_holds_code_is_refused_unread(tmp_path):
    path = save_network(tmp_path, MEL)
    torch.save({"state_dict": Trap(tmp_path / "mark")}, path)
    with pytest.raises(UVRError, match="safely"):
        checkpoints.load_checkpoint(tmp_path, MEL, "cpu")
    assert not (tmp_path / "mark").exists()


def test_a_checkpoint_that_does_not_fit_its_settings_is_refused(tmp_path):
    path = save_network(tmp_path, MEL)
    torch.save({"weight": torch.zeros(3)}, path)
    with pytest.raises(UVRError, match="does not fit") as caught:
        checkpoints.load_checkpoint(tmp_path, MEL, "cpu")
    assert "Missing key" in caught.value.detail


def test_a_changed_checkpoint_is_refused(tmp_path):
    path = save_network(tmp_path, MEL)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    note = tmp_path / f"{MEL}.ckpt.sha256"
    note.write_text(f"{digest}  {MEL}.ckpt\n")
    assert checkpoints.load_checkpoint(tmp_path, MEL, "cpu").digest
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelDigestError, match="not the one"):
        checkpoints.load_checkpoint(tmp_path, MEL, "cpu")
    note.write_text("")
    with pytest.raises(ModelDigestError):
        checkpoints.load_checkpoint(tmp_path, MEL, "cpu")


def test_the_catalogues_digest_is_asked_for(tmp_path):
    name = PRESETS[Preset.STUDIO].separation[RouteName.DIALOGUE]
    assert MODELS[name].engine == "uvr"
    path = save_network(tmp_path, MEL)
    path.rename(tmp_path / f"{name}.ckpt")
    (tmp_path / f"{MEL}.yaml").rename(tmp_path / f"{name}.yaml")
    with pytest.raises(ModelDigestError, match=name):
        checkpoints.load_checkpoint(tmp_path, name, "cpu")


@pytest.mark.parametrize("name", ["../tiny_mel", "a*", "", "a/b"])
def test_only_plain_names_are_looked_for(home, name):
    with pytest.raises(UVRError, match="There is no UVR model"):
        checkpoints.load_checkpoint(home / "checkpoints" / "uvr", name, "cpu")


def test_a_model_that_is_not_there_and_on_no_hub_is_asked_for(tmp_path):
    with pytest.raises(UVRError, match="tiny_bs is not here") as caught:
        UVR.open(Models(tmp_path, "cpu"), BS)
    folder = tmp_path / "checkpoints" / "uvr"
    assert f"Put tiny_bs.ckpt and tiny_bs.yaml into {folder}" in caught.value.hint
    assert "--preset pocket" in caught.value.hint
    assert not folder.exists()


def test_a_published_model_is_fetched_once_and_exchanged_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "token")
    path = save_network(tmp_path / "hub", MEL)
    described = path.with_suffix(".yaml")
    files = {f"uvr/{place.name}": place.read_bytes() for place in (path, described)}
    with running(files) as hub:
        monkeypatch.setattr("pipeline.models.loader.MODELS", {MEL: hub.model(MEL)})
        assert UVR.open(Models(tmp_path, "cpu"), MEL).weights_digest
        assert len(hub.asked) == 2
    folder = tmp_path / "checkpoints" / "uvr"
    assert sorted(place.name for place in folder.iterdir()) == [path.name, described.name]
    assert UVR.open(Models(tmp_path, "cpu"), MEL).weights_digest, "without the hub, once it is here"
    (folder / described.name).write_text("model: {}")
    with pytest.raises(ModelDigestError, match=described.name):
        UVR.open(Models(tmp_path, "cpu"), MEL)


def test_a_card_without_memory_hands_over_to_the_processor(weights, noise, tmp_path, monkeypatch):
    """Only the first call fails, as a card's would; everything after it is real."""
    real, calls = library.separate, []

    def first_fails(network, mixture, *, done):
        calls.append(network.torch_device.type)
        if len(calls) == 1:
            raise library.OutOfMemoryError("out of memory")
        return real(network, mixture, done=done)

    monkeypatch.setattr(library, "separate", first_fails)
    engine = UVR.open(weights, MEL)
    vocals = separate(engine, save_sound(tmp_path / "sound.flac", noise, RATE))
    assert vocals.shape == noise.shape
    assert len(calls) == 2
    assert len(engine.notes) == 1


def test_what_the_library_dies_of_is_named(weights, noise, tmp_path, monkeypatch):
    engine = UVR.open(weights, MEL)
    monkeypatch.setattr(engine._loaded.network, "demix", lambda mix: exec("raise SystemExit(1)"))
    with pytest.raises(UVRError, match="could not take this sound apart"):
        separate(engine, save_sound(tmp_path / "sound.flac", noise, RATE))
