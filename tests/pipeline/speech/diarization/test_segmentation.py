"""The segmentation gives what pyannote.audio's own pipeline gives for the same windows."""

import warnings
from itertools import pairwise
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.speech.compat.torchaudio import install
from pipeline.speech.diarization.pyannote_pipeline import SAMPLE_RATE
from pipeline.speech.diarization.segmentation import (
    FRAME_SECONDS,
    FRAME_STEP_SECONDS,
    POWERSET,
    VOICES,
    WINDOW_FRAMES,
    WINDOW_SAMPLES,
    Segmenter,
)
from pipeline.speech.diarization.window_stitching import stitch_windows

STEP_SECONDS = 1.0
Segments = list[tuple[float, float, str]]


def keep_quiet(step: str, completed: int | None, total: int | None) -> None:
    """Progress that nobody reads."""


class Script:
    """A network that names the classes it was told to, window by window."""

    def __init__(self, classes: NDArray[np.int64]) -> None:
        self.classes = classes
        self.heard: list[NDArray[np.float32]] = []

    def __call__(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        first = sum(map(len, self.heard))
        self.heard.append(windows)
        return np.eye(len(POWERSET), dtype=np.float32)[self.classes[first : first + len(windows)]]


def random_classes(windows: int, seed: int) -> NDArray[np.int64]:
    """Classes that change some times in each window."""
    rng = np.random.default_rng(seed)
    classes = np.zeros((windows, WINDOW_FRAMES), np.int64)
    for window in classes:
        bounds = np.sort(rng.integers(0, WINDOW_FRAMES, 6))
        for first, last in pairwise(bounds):
            window[first:last] = rng.integers(0, len(POWERSET))
    return classes


def by_pyannote(active: NDArray[np.float32]) -> tuple[Segments, Segments]:
    """What `SpeakerDiarization` makes of windows whose voices `stitch_windows` has named."""
    install()
    with warnings.catch_warnings():
        # It warns about a decoder that is not needed here.
        warnings.simplefilter("ignore")
        from pyannote.audio.pipelines import SpeakerDiarization
        from pyannote.core import SlidingWindow, SlidingWindowFeature

    pipeline = cast("Any", SpeakerDiarization.__new__(SpeakerDiarization))
    frames = SlidingWindow(start=0.0, duration=FRAME_SECONDS, step=FRAME_STEP_SECONDS)
    windows = SlidingWindowFeature(active, SlidingWindow(start=0.0, duration=10.0, step=STEP_SECONDS))
    count = pipeline.speaker_count(windows, frames, warm_up=(0.0, 0.0))
    starts = np.array([frames.closest_frame(window.start + 0.5 * frames.duration) for window, _ in windows])
    clusters = stitch_windows(active, starts)

    def listed() -> Segments:
        annotation = pipeline.to_annotation(pipeline.reconstruct(windows, clusters, count))
        return [(part.start, part.end, str(name)) for part, _, name in annotation.itertracks(yield_label=True)]

    overlapping = listed()
    count.data = np.minimum(count.data, 1)
    return overlapping, listed()


@pytest.mark.integration
@pytest.mark.parametrize(("windows", "seed"), [(1, 0), (2, 1), (7, 2), (31, 3), (90, 4)])
def test_it_gives_what_pyannote_gives(windows: int, seed: int) -> None:
    classes = random_classes(windows, seed)
    samples = np.zeros(WINDOW_SAMPLES + round((windows - 1) * STEP_SECONDS * SAMPLE_RATE), np.float32)
    found = Segmenter(Script(classes), step=0.1, batch_size=8).apply(samples, hook=keep_quiet)
    expected = by_pyannote(np.array(POWERSET, np.float32)[classes])
    for segments, other in zip((found.segments, found.exclusive), expected, strict=True):
        assert len(segments) == len(other) > 0
        assert [segment.speaker for segment in segments] == [name for _, _, name in other]
        times = np.array([(segment.start, segment.end) for segment in segments])
        assert times == pytest.approx(np.array([(start, end) for start, end, _ in other]), abs=1e-9)


@pytest.mark.parametrize(
    ("samples", "windows"),
    [(4_000, 1), (WINDOW_SAMPLES, 1), (WINDOW_SAMPLES + 1, 2), (WINDOW_SAMPLES + SAMPLE_RATE, 2)],
)
def test_the_last_window_is_filled_up(samples: int, windows: int) -> None:
    network = Script(np.zeros((windows, WINDOW_FRAMES), np.int64))
    told: list[tuple[int | None, int | None]] = []
    sound = np.ones(samples, np.float32)
    found = Segmenter(network, step=0.1, batch_size=1).apply(
        sound, hook=lambda step, completed, total: told.append((completed, total))
    )
    assert found.segments == found.exclusive == ()
    assert [len(heard) for heard in network.heard] == [1] * windows
    assert network.heard[-1].sum() == samples - (windows - 1) * SAMPLE_RATE
    assert told == [(done, windows) for done in range(windows + 1)]


def test_voices_at_once_are_both_told_and_one_of_them_is_exclusive() -> None:
    classes = np.full((1, WINDOW_FRAMES), 4)
    found = Segmenter(Script(classes), step=0.1, batch_size=1).apply(
        np.ones(WINDOW_SAMPLES, np.float32), hook=keep_quiet
    )
    assert POWERSET[4] == (1, 1, 0)
    assert len(POWERSET[0]) == VOICES
    assert [segment.speaker for segment in found.segments] == ["0", "1"]
    assert [segment.speaker for segment in found.exclusive] == ["0"]
