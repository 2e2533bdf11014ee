"""A stretch with the wrong name is told by its own vector; a doubtful one is left alone."""

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.pyannote_pipeline import SAMPLE_RATE, Voices
from pipeline.speech.second_opinion import reconsider
from pipeline.types import SpeakerSegment

LOW, HIGH = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
BETWEEN = np.array([0.72, 0.69], np.float32)


def hear(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The vector that each level of the made-up sound stands for."""
    return {1: LOW, 2: HIGH, 3: BETWEEN}[round(float(np.median(samples)))]


def segment(start: float, end: float, speaker: str) -> SpeakerSegment:
    return SpeakerSegment(start=start, end=end, speaker=speaker)


def clip(*levels: int) -> NDArray[np.float32]:
    """One second of each level."""
    return np.repeat(np.array(levels, np.float32), SAMPLE_RATE)


def check(segments: tuple[SpeakerSegment, ...], samples: NDArray[np.float32]) -> Voices:
    voices = Voices(segments=segments, exclusive=segments, vectors={"A": LOW, "B": HIGH})
    return reconsider(voices, samples, hear, lambda part: None)


def test_a_stretch_of_the_wrong_name_is_mended() -> None:
    mended = check((segment(0, 1, "A"), segment(1, 2, "A"), segment(2, 3, "B")), clip(1, 2, 2))
    assert [part.speaker for part in mended.segments] == ["A", "B", "B"]
    assert mended.exclusive == mended.segments


def test_doubt_changes_nothing() -> None:
    parts = (segment(0, 1, "A"), segment(1, 2, "B"))
    assert check(parts, clip(1, 3)).segments == parts


def test_short_stretches_are_not_judged() -> None:
    parts = (segment(0, 1, "A"), segment(1, 1.5, "A"))
    assert check(parts, clip(1, 2)).segments == parts


def test_only_what_is_heard_alone_is_judged() -> None:
    # The long voice is alone in its first second; the two after it are shared.
    parts = (segment(0, 3, "A"), segment(1, 3, "B"))
    assert check(parts, clip(1, 2, 2)).segments == parts
