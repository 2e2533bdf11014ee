"""Segments are told apart by their own vectors, whatever the segmentation called them."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.speech.diarization.pyannote_pipeline import SAMPLE_RATE, DiarizationOutput, SpeakerCount
from pipeline.speech.diarization.resegmentation import resegment
from pipeline.types import SpeakerSegment

LEVELS = {
    1: np.array([1, 0, 0], np.float32),
    2: np.array([0, 1, 0], np.float32),
    3: np.array([0, 0, 1], np.float32),
    4: np.array([1, 0.2, 0], np.float32),
    5: np.array([np.nan, np.nan, np.nan], np.float32),
}


def hear(stretches: NDArray[np.float32], /) -> NDArray[np.float32]:
    return np.stack([hear_one(samples) for samples in stretches])


def hear_one(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The vector that each level of the made-up sound stands for."""
    return LEVELS[round(float(np.median(samples)))]


def segment(start: float, end: float, speaker: str) -> SpeakerSegment:
    return SpeakerSegment(start=start, end=end, speaker=speaker)


def names(labels: str, *levels: int, seconds: float = 3.0, count: SpeakerCount | None = None) -> str:
    """What segments of these labels and levels are called in the end, as letters in order of appearance."""
    parts = tuple(segment(seconds * i, seconds * (i + 1), label) for i, label in enumerate(labels))
    samples = np.repeat(np.array(levels, np.float32), int(seconds * SAMPLE_RATE))
    told: list[float] = []
    found = resegment(
        DiarizationOutput(segments=parts, exclusive=parts), samples, hear, told.append, count or SpeakerCount()
    )
    assert told == sorted(told)
    assert [(part.start, part.end) for part in found.segments] == [(part.start, part.end) for part in parts]
    assert found.exclusive == found.segments
    letters = {name: "ABCDEF"[i] for i, name in enumerate(dict.fromkeys(part.speaker for part in found.segments))}
    return "".join(letters[part.speaker] for part in found.segments)


def test_voices_that_were_joined_are_parted() -> None:
    assert names("XXY", 1, 2, 2) == "ABB"


def test_voices_that_were_parted_are_joined() -> None:
    assert names("XYZ", 1, 4, 2) == "AAB"


def test_the_number_of_people_can_be_told() -> None:
    assert names("XXXX", 1, 2, 3, 4, count=SpeakerCount(exact=1)) == "AAAA"
    assert names("XXXX", 1, 2, 3, 4, count=SpeakerCount(exact=3)) == "ABCA"


def test_a_stretch_that_says_nothing_follows_its_neighbour_of_the_same_voice() -> None:
    assert names("XXYY", 1, 5, 2, 5) == "AABB"
    assert names("XYX", 1, 2, 5) == "ABA"


def test_nothing_to_go_by_changes_nothing() -> None:
    parts = (segment(0, 0.3, "X"), segment(0.3, 0.6, "Y"))
    voices = DiarizationOutput(segments=parts, exclusive=parts)
    assert resegment(voices, np.ones(SAMPLE_RATE, np.float32), hear, lambda part: None, SpeakerCount()) is voices


def test_a_segment_of_two_people_is_cut_between_them() -> None:
    parts = (segment(0, 7, "X"),)
    samples = np.repeat(np.array([1, 1, 1, 2, 2, 2, 2], np.float32), SAMPLE_RATE)
    found = resegment(
        DiarizationOutput(segments=parts, exclusive=parts), samples, hear, lambda part: None, SpeakerCount()
    )
    edges = [(before.end, after.start) for before, after in itertools.pairwise(found.segments)]
    changes = [before.end for before, after in itertools.pairwise(found.segments) if before.speaker != after.speaker]
    assert all(end == start for end, start in edges)
    assert changes == [pytest.approx(3.0, abs=0.6)]
    assert found.exclusive == found.segments


def test_only_what_is_heard_alone_is_judged() -> None:
    # The long voice is alone in its first three seconds; the rest is shared.
    parts = (segment(0, 6, "X"), segment(3, 6, "Y"), segment(6, 9, "Y"))
    samples = np.repeat(np.array([1, 2, 2], np.float32), 3 * SAMPLE_RATE)
    found = resegment(DiarizationOutput(segments=parts, exclusive=()), samples, hear, lambda part: None, SpeakerCount())
    first, shared, last = (part.speaker for part in found.segments)
    assert first != last
    assert shared == last
