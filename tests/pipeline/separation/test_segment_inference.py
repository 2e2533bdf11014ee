"""The streaming driver against the library's own way, which holds a clip whole."""

import tracemalloc
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from demucs.apply import BagOfModels, apply_model
from demucs.demucs import Demucs as TimeDemucs
from demucs.htdemucs import HTDemucs
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.audio import io as audio_io
from pipeline.separation.base import Mixture
from pipeline.separation.engines.demucs.checkpoints import DemucsCheckpoint
from pipeline.separation.engines.demucs.engine import Demucs
from pipeline.separation.segment_inference import InferenceSettings, OutOfMemoryError, count_segments, run_segments
from tests.pipeline.separation.measure import ProgressRecorder

RATE = 8_000
"""Of the networks here; one second of sound costs them milliseconds."""
SOURCES = ["drums", "bass", "other", "vocals"]
QUARTER = Fraction(1, 4)


pytestmark = pytest.mark.usefixtures("one_thread")


def hybrid(seed, segment, **more):
    torch.manual_seed(seed)
    small = {"channels": 8, "growth": 1, "nfft": 1024, "depth": 4, "t_layers": 1, "t_heads": 2}
    made_by: Any = HTDemucs
    return made_by(sources=SOURCES, samplerate=RATE, segment=Fraction(segment), **small, **more).eval()


def in_time(seed):
    """The first Demucs: it sees real samples on both sides of every segment."""
    torch.manual_seed(seed)
    network = TimeDemucs(sources=SOURCES, samplerate=RATE, segment=1, channels=8, growth=1, depth=3, lstm_layers=1)
    return network.eval()


@pytest.fixture(scope="module")
def find():
    """A network by its name; the odd length of a segment and the bag of unlike segments are where rounding shows."""
    weights = [[1.0, 1.0, 0.5, 0.0], [1.0, 0.0, 1.0, 3.0]]
    made = {
        "one": hybrid(0, 1),
        "odd": hybrid(1, Fraction(7_777, RATE)),
        "any length": hybrid(2, 1, use_train_segment=False),
        "in time": in_time(3),
        "bag": BagOfModels([hybrid(4, 1), hybrid(5, 1)], weights).eval(),
        "unlike bag": BagOfModels([hybrid(6, Fraction(3, 4)), hybrid(7, 1)], weights).eval(),
    }
    return lambda name: made[name]


def normalization(mixture):
    """Mean and deviation by which demucs' own program brings a sound of shape (channels, frames) to one level.

    They are those of the mono mix. Where the channels cancel each other out, it says nothing about them; by it the
    network would get levels of millions.
    """
    mono, frames = mixture.mean(0), mixture.shape[1]
    if mono.square().sum() < 0.05 * mixture.square().mean(0).sum():
        return torch.zeros(()), (mixture.square().mean(0).sum() / max(1, frames - 1)).sqrt() + 1e-8
    return mono.mean(), (mono.std() if frames > 1 else 0) + 1e-8  # of one sample there is none


def stock(network, recording):
    """What demucs makes of the whole sound: vocals and the rest, shape (frames, 2 * channels)."""
    mixture = torch.from_numpy(np.concatenate(list(recording.blocks())).T).expand(2, -1)
    mean, deviation = normalization(mixture)
    made = apply_model(network, ((mixture - mean) / deviation)[None], shifts=0, overlap=0.25)[0]
    made = made * deviation + mean
    stems = [made[3], made[:3].sum(0)]
    return torch.cat([stem if recording.channels == 2 else stem.mean(0, keepdim=True) for stem in stems]).T.numpy()


def ours(network, recording, batch, told=None):
    engine = Demucs(DemucsCheckpoint(network=network, digest=""), "cpu", batch=batch)
    return np.concatenate(list(engine.separate(recording, told or ProgressRecorder())))


def noise(path, frames, rate, channels, seed=0):
    random = np.random.default_rng(seed)
    samples = random.uniform(-0.5, 0.5, (frames, channels)) + random.uniform(-0.3, 0.3)
    audio_io.write(path, samples.astype(np.float32), rate, subtype="FLOAT")
    return Mixture.open(path, RATE)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["one", "odd", "in time", "bag", "unlike bag"]),
    seconds=st.one_of(st.just(0.0), st.floats(0, 1), st.floats(0, 5), st.sampled_from([0.75, 1.0, 1.5, 2.25])),
    rate=st.sampled_from([RATE, 8_001, 11_025, 44_100, 48_000]),
    channels=st.integers(1, 2),
    batch=st.integers(1, 5),
    seed=st.integers(0, 100),
)
@example(name="one", seconds=0.0, rate=RATE, channels=2, batch=1, seed=1)
def test_the_result_is_that_of_the_library(find, tmp_path, name, seconds, rate, channels, batch, seed):
    recording = noise(tmp_path / "sound.wav", max(1, round(seconds * rate)), rate, channels, seed)
    told = ProgressRecorder()
    made = ours(find(name), recording, batch, told)
    np.testing.assert_allclose(made, stock(find(name), recording), rtol=0, atol=1e-4)
    assert told.fractions == sorted(told.fractions)
    assert told.fractions[-1] == 1.0


@pytest.mark.parametrize("name", ["one", "odd", "any length", "in time", "unlike bag"])
@pytest.mark.parametrize("batch", [1, 3])
def test_nothing_is_left_at_any_seam(find, tmp_path, name, batch):
    """Ours minus the library's, around each frame where a segment begins or ends."""
    network, frames = find(name), 29_999
    recording = noise(tmp_path / "sound.wav", frames, RATE, 2)
    difference = np.abs(ours(network, recording, batch) - stock(network, recording)).max(axis=1)
    for member in getattr(network, "models", [network]):
        segment = int(member.segment * RATE)
        for start in range(0, frames, int(0.75 * segment)):
            for seam in (start, min(start + segment, frames)):
                assert difference[max(0, seam - 50) : seam + 50].max() < 1e-5


class Mirror:
    """A network that gives back what it sees, as two parts: the sound, and its double."""

    output_shape: tuple[int, int] = (2, 1)

    def __init__(self, segment, *, limit=99, margin=0):
        self.segment_frames = segment
        self.seen = []
        self._limit, self._margin = limit, margin

    def valid_length(self, frames):
        return frames + self._margin

    def run(self, segments):
        self.seen.append(len(segments))
        if len(segments) > self._limit:
            raise OutOfMemoryError
        return np.stack([segments, 2 * segments], axis=1)


def run(networks, samples, *, batch, size=1_000, give_way=lambda batch: batch // 2):
    counts = []
    pace = InferenceSettings(batch_size=batch, overlap=QUARTER, reduce_batch=give_way, on_finished=counts.append)
    blocks = (samples[None, start : start + size] for start in range(0, len(samples), size))
    made = np.concatenate(list(run_segments(networks, blocks, len(samples), pace)), axis=-1)
    assert sum(counts) == count_segments(networks, len(samples), QUARTER)
    return made


@given(
    frames=st.integers(1, 1_000),
    segment=st.integers(4, 200),
    margin=st.integers(0, 150),
    batch=st.integers(1, 9),
    size=st.integers(1, 300),
)
def test_networks_that_change_nothing_give_the_stream_back(frames, segment, margin, batch, size):
    samples = np.random.default_rng(frames).uniform(-1, 1, frames).astype(np.float32)
    made = run([Mirror(segment, margin=margin)], samples, batch=batch, size=size)
    np.testing.assert_allclose(made[:, 0], [samples, 2 * samples], atol=1e-6)


def test_a_batch_is_halved_once_and_stays_small():
    samples = np.linspace(-1, 1, 1_000, dtype=np.float32)
    network = Mirror(100, limit=2)
    made = run([network], samples, batch=8)
    assert network.seen == [8, 4, *[2] * 6, 1, 1]
    np.testing.assert_allclose(made[0, 0], samples, atol=1e-6)


def test_what_giving_way_raises_ends_the_work():
    def refuse(batch):
        raise ValueError(batch)

    with pytest.raises(ValueError, match="4"):
        run([Mirror(100, limit=0)], np.ones(1_000, np.float32), batch=4, give_way=refuse)


def test_no_segment_is_run_after_a_cancel():
    network = Mirror(100)

    def stop(_count):
        raise KeyboardInterrupt

    pace = InferenceSettings(batch_size=1, overlap=QUARTER, reduce_batch=lambda batch: batch, on_finished=stop)
    with pytest.raises(KeyboardInterrupt):
        list(run_segments([network], iter([np.ones((1, 1_000), np.float32)]), 1_000, pace))
    assert network.seen == [1]


@pytest.mark.parametrize("segments", [(62_400,), (62_400, 40_000)], ids=["alone", "unlike bag"])
def test_memory_does_not_grow_with_the_stream(segments):
    """Peak of twenty minutes against that of one, at 8 kHz."""

    def peak(minutes):
        frames = minutes * 60 * RATE
        block = np.ones((1, RATE), np.float32)
        pace = InferenceSettings(
            batch_size=2, overlap=QUARTER, reduce_batch=lambda batch: batch, on_finished=lambda count: None
        )
        tracemalloc.start()
        networks = [Mirror(segment) for segment in segments]
        total = sum(
            made.shape[-1] for made in run_segments(networks, (block for _ in range(minutes * 60)), frames, pace)
        )
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert total == frames
        return highest

    assert peak(20) < 1.1 * peak(1)
