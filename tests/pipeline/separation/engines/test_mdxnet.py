"""The MDX-Net engine on networks made here, whose answers are known; the code is the same for the published ones."""

import logging

import msgspec
import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from pipeline.catalog import MODELS
from pipeline.errors import Cancelled, ModelDigestError, UVRError
from pipeline.models import loader as models_module
from pipeline.models.loader import Models, model_digest
from pipeline.separation.base import CPU_FALLBACK_NOTE, Mixture
from pipeline.separation.engines.uvr.library import suppress_warnings
from pipeline.separation.engines.uvr.mdxnet import NO_CUDA_NOTE, MDXNet, load_network
from pipeline.separation.engines.uvr.mdxnet_network import HOP_FRAMES, MDXNetNetwork, MDXNetSettings
from pipeline.types import StemName
from tests.pipeline.separation.measure import ProgressRecorder, entry_of, save_sound, stem_names, steps

RATE = 44_100
SETTINGS = {"n_fft": 4_096, "frequencies": 2_000, "steps": 16, "compensate": 1.0, "primary": "vocals"}
CHUNK = 15 * HOP_FRAMES
STEP = CHUNK - CHUNK // 4


pytestmark = pytest.mark.usefixtures("one_thread")


def save_onnx(path, operator, constant=None):
    """A network of one operation in the form of the hub."""
    tensor = ["batch_size", 4, 2_000, 16]
    constants = [] if constant is None else [numpy_helper.from_array(np.asarray(constant, np.float32), "constant")]
    graph = helper.make_graph(
        [helper.make_node(operator, ["input", *(item.name for item in constants)], ["output"])],
        "network",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, tensor)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, tensor)],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path


def engine_of(path, **settings):
    return MDXNet(load_network(path, entry_of(path, "mdxnet", SETTINGS | settings), "cpu"), "cpu")


def separate(engine, path, report=None):
    recording = Mixture.open(path, engine.sample_rate)
    return np.concatenate(list(engine.separate(recording, report or ProgressRecorder())))


def noise(frames, channels=2, rate=RATE, seed=0):
    """Noise from 300 Hz to 16 kHz that rises and falls at its ends, so that a network hears all of it."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal((frames, channels)), axis=0)
    frequency = np.fft.rfftfreq(frames, 1 / rate)
    spectrum[(frequency < 300) | (frequency > 16_000)] = 0
    rise = np.minimum(1, np.minimum(np.arange(frames), np.arange(frames)[::-1]) / 2_000)[:, None]
    return 0.1 * np.fft.irfft(spectrum, frames, axis=0) * rise


def level(samples, reference):
    """Decibels of one sound below another."""
    return 10 * np.log10(
        np.mean(np.square(samples, dtype=np.float64)) / np.mean(np.square(reference, dtype=np.float64))
    )


def heard(path):
    """The sound as the engine reads it."""
    return np.concatenate(list(Mixture.open(path, RATE).blocks()))


@pytest.fixture
def identity(tmp_path):
    return save_onnx(tmp_path / "identity.onnx", "Identity")


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A home with a network that halves, known to the catalogue as `tiny`."""
    path = save_onnx(tmp_path / "home" / "checkpoints" / "uvr" / "tiny.onnx", "Mul", 0.5)
    monkeypatch.setattr(models_module, "MODELS", {**MODELS, "tiny": entry_of(path, "mdxnet", SETTINGS)})
    return path


def test_a_network_sees_the_spectrum_as_the_library_gives_it(tmp_path):
    """Left and right, real and imaginary part are told apart by a network that mixes them."""
    with suppress_warnings():
        from audio_separator.separator.uvr_lib_v5.stft import STFT

    weights = np.random.default_rng(1).standard_normal((4, 4, 1, 1))
    path = save_onnx(tmp_path / "mixing.onnx", "Conv", weights)
    settings = msgspec.convert(SETTINGS | {"compensate": 1.5}, MDXNetSettings)
    samples = noise(CHUNK).astype(np.float32)
    stft = STFT(logging.getLogger("stft"), 4_096, HOP_FRAMES, 2_000, torch.device("cpu"))
    with suppress_warnings():
        spectrum = stft(torch.from_numpy(samples.T)[None])
    spectrum[:, :, :3] = 0
    made = stft.inverse(torch.einsum("oi,bift->boft", torch.from_numpy(weights[:, :, 0, 0]).float(), spectrum))
    vocals = MDXNetNetwork(path, settings, "cpu").vocals(samples)
    np.testing.assert_allclose(vocals, 1.5 * made[0].numpy().T, atol=1e-5)


@pytest.mark.parametrize("frames", [8_000, CHUNK, STEP + CHUNK, 5 * STEP + 7])
@pytest.mark.parametrize(("rate", "channels"), [(RATE, 2), (48_000, 1)])
def test_what_a_network_lets_through_comes_back_whole(identity, tmp_path, frames, rate, channels):
    source = save_sound(tmp_path / "sound.flac", noise(frames, channels, rate), rate)
    vocals = separate(engine_of(identity), source)
    mixture = heard(source)
    assert vocals.shape == mixture.shape
    assert level(vocals - mixture, mixture) < -60
    # The same at every seam, where two chunks are joined, and at both ends.
    worst = np.abs(vocals - mixture).max()
    assert worst < 1e-3 * np.abs(mixture).max()


@pytest.mark.parametrize("frames", [1, 2, 1_023, 2_049])
@pytest.mark.parametrize("channels", [1, 2])
def test_the_shortest_sounds_keep_their_length(identity, tmp_path, frames, channels):
    source = save_sound(tmp_path / "sound.flac", np.full((frames, channels), 0.5), RATE)
    vocals = separate(engine_of(identity), source)
    assert vocals.shape == (frames, channels)
    assert vocals.dtype == np.float32
    assert np.isfinite(vocals).all()


def test_silence_stays_silent(identity, tmp_path):
    source = save_sound(tmp_path / "sound.flac", np.zeros((3 * CHUNK, 2)), RATE)
    assert not separate(engine_of(identity), source).any()


@pytest.mark.parametrize(("primary", "gain"), [("vocals", 0.55), ("instrumental", 0.45)])
def test_a_network_for_instruments_is_turned_round(tmp_path, primary, gain):
    half = save_onnx(tmp_path / "half.onnx", "Mul", 0.5)
    source = save_sound(tmp_path / "sound.flac", noise(2 * CHUNK), RATE)
    vocals = separate(engine_of(half, primary=primary, compensate=1.1), source)
    mixture = heard(source)
    assert level(vocals - gain * mixture, mixture) < -60


def test_frequencies_that_a_network_does_not_know_are_no_vocals(tmp_path):
    """21.6 kHz, above the 2,000 frequencies of the network: not of its source and not of what it leaves."""
    nothing = save_onnx(tmp_path / "nothing.onnx", "Mul", 0.0)
    time = np.arange(4 * CHUNK) / RATE
    source = save_sound(tmp_path / "sound.flac", 0.2 * np.sin(2 * np.pi * 21_800 * time)[:, None], RATE)
    vocals = separate(engine_of(nothing, primary="instrumental"), source)
    assert level(vocals[CHUNK:-CHUNK], heard(source)) < -60


def test_seams_are_not_heard_where_chunks_disagree(tmp_path):
    """A network that grows louder through each chunk: its end is twice as loud as the beginning of the next."""
    growing = save_onnx(tmp_path / "growing.onnx", "Mul", np.linspace(1, 2, 16)[None, None, None])
    tone = 0.2 * np.sin(2 * np.pi * 441 * np.arange(6 * STEP) / RATE)[:, None]
    source = save_sound(tmp_path / "sound.flac", tone, RATE)
    vocals = separate(engine_of(growing), source)[:, 0]
    steepest = 2 * np.abs(np.diff(tone[:, 0])).max()
    lead = 2_048
    for index in range(1, 6):
        for seam in (index * STEP - lead, index * STEP + CHUNK // 4 - lead):
            assert np.abs(np.diff(vocals[seam - 3 : seam + 3])).max() <= steepest * 1.02
    assert np.abs(vocals).max() > 1.4 * 0.2


def test_progress_is_told_for_each_chunk(identity, tmp_path):
    told = ProgressRecorder()
    separate(engine_of(identity), save_sound(tmp_path / "sound.flac", noise(5 * STEP), RATE), told)
    assert told.fractions == sorted(told.fractions)
    assert (told.fractions[0], told.fractions[-1]) == (0.0, 1.0)
    assert len(told.fractions) >= 6


def test_the_stage_gives_parts_that_add_up(work, tiny, tmp_path):
    source = save_sound(tmp_path / "sound.flac", noise(60_000, rate=48_000), 48_000)
    job = work(source, "mdxnet", "tiny", weights=Models(tmp_path / "home", "cpu"))
    output = job.run()
    assert stem_names(output) == ["vocals", "background"]
    vocals, background = steps(job.out / "vocals.flac"), steps(job.out / "background.flac")
    np.testing.assert_array_equal(vocals + background, steps(source))
    assert level(vocals - background, steps(source)) < -60
    (use,) = output.models
    assert (use.engine, use.model, use.digest) == ("mdxnet", "tiny", model_digest("tiny"))


def test_cancelling_stops_within_a_chunk_and_leaves_no_files(work, tiny, tmp_path, monkeypatch):
    runs = []
    real = MDXNetNetwork.vocals
    monkeypatch.setattr(MDXNetNetwork, "vocals", lambda self, samples: runs.append(1) or real(self, samples))
    told = ProgressRecorder(0.3, Cancelled("stopped"))
    source = save_sound(tmp_path / "sound.flac", noise(8 * STEP), RATE)
    job = work(source, "mdxnet", "tiny", weights=Models(tmp_path / "home", "cpu"), report=told)
    with pytest.raises(Cancelled):
        job.run()
    assert list(job.out.iterdir()) == []
    assert len(runs) == 3


def test_a_changed_file_is_refused(tiny, tmp_path):
    content = bytearray(tiny.read_bytes())
    content[-1] ^= 1
    tiny.write_bytes(content)
    with pytest.raises(ModelDigestError, match=r"tiny\.onnx"):
        MDXNet.open(Models(tmp_path / "home", "cpu"), "tiny")


def test_settings_are_part_of_what_a_result_is_kept_under(tiny, monkeypatch):
    before = model_digest("tiny")
    monkeypatch.setattr(models_module, "MODELS", {"tiny": entry_of(tiny, "mdxnet", SETTINGS | {"compensate": 1.1})})
    assert model_digest("tiny") != before


@pytest.mark.parametrize(
    "settings",
    [{"frequencies": 1_024}, {"steps": 32}, {"primary": "drums"}, {"compensate": "much"}],
    ids=["other frequencies", "other length", "no voices", "no number"],
)
def test_a_network_that_does_not_fit_its_settings_is_refused(identity, settings):
    with pytest.raises(UVRError, match="of the shape that the catalogue gives"):
        engine_of(identity, **settings)


def test_a_file_that_is_no_network_is_refused(tmp_path):
    path = tmp_path / "x.onnx"
    path.write_bytes(b"PK not a network")
    with pytest.raises(UVRError, match=r"x\.onnx is not an MDX-Net network") as caught:
        engine_of(path)
    assert "models fetch" in caught.value.hint


class _ShortCard:
    """A session on a card without room for a chunk, in onnxruntime's words."""

    def get_providers(self):
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]

    def run(self, outputs, inputs):
        raise RuntimeError("Failed to allocate memory for requested buffer of size 150994944")


def test_a_card_without_memory_hands_over_to_the_processor(identity, tmp_path):
    network = load_network(identity, entry_of(identity, "mdxnet", SETTINGS), "cpu")
    network._session, network._device = _ShortCard(), "cuda"
    engine = MDXNet(network, "cuda")
    source = save_sound(tmp_path / "sound.flac", noise(3 * CHUNK), RATE)
    vocals = separate(engine, source)
    assert level(vocals - heard(source), heard(source)) < -60
    assert engine.notes == [CPU_FALLBACK_NOTE]


def test_a_card_that_onnxruntime_cannot_use_is_told_of(identity):
    assert MDXNet(load_network(identity, entry_of(identity, "mdxnet", SETTINGS), "cpu"), "cuda").notes == [NO_CUDA_NOTE]


class _BrokenSession(_ShortCard):
    def run(self, outputs, inputs):
        raise RuntimeError("Non-zero status code returned while running Conv node")


def test_what_onnxruntime_dies_of_is_named(identity, tmp_path):
    network = load_network(identity, entry_of(identity, "mdxnet", SETTINGS), "cpu")
    network._session = _BrokenSession()
    with pytest.raises(UVRError, match="could not take this sound apart") as caught:
        separate(MDXNet(network, "cpu"), save_sound(tmp_path / "sound.flac", noise(CHUNK), RATE))
    assert "Conv node" in caught.value.detail


def test_the_catalogues_networks_have_what_the_engine_needs():
    published = [model for model in MODELS.values() if model.engine == "mdxnet"]
    assert {model.name for model in published} >= {"UVR-MDX-NET-Voc_FT", "Kim_Vocal_2"}
    for model in published:
        settings = msgspec.convert(dict(model.settings), MDXNetSettings)
        assert settings.frequencies <= settings.n_fft // 2 + 1
        assert settings.primary == "vocals"
        assert StemName.VOCALS in model.stems
        (file,) = model.hub
        assert file.pinned
        assert file.name == f"uvr/{model.name}.onnx"
