"""Stretches are told apart by their own vectors, whatever pyannote called them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.speech.pyannote_pipeline import SAMPLE_RATE, Count, Voices
from pipeline.speech.second_opinion import LEAST_SPEECH, MUCH_SPEECH, Stretch, find_people, reconsider
from pipeline.types import SpeakerSegment

LEVELS = {
    1: np.array([1, 0, 0], np.float32),
    2: np.array([0, 1, 0], np.float32),
    3: np.array([0, 0, 1], np.float32),
    4: np.array([1, 0.3, 0], np.float32),
    5: np.array([np.nan, np.nan, np.nan], np.float32),
}


def hear(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The vector that each level of the made-up sound stands for."""
    return LEVELS[round(float(np.median(samples)))]


def segment(start: float, end: float, speaker: str) -> SpeakerSegment:
    return SpeakerSegment(start=start, end=end, speaker=speaker)


def names(labels: str, *levels: int, seconds: float = 2.0, count: Count | None = None) -> list[str]:
    """What stretches of these labels and levels are called in the end, as letters in order of appearance."""
    parts = tuple(segment(seconds * i, seconds * (i + 1), label) for i, label in enumerate(labels))
    samples = np.repeat(np.array(levels, np.float32), int(seconds * SAMPLE_RATE))
    voices = Voices(segments=parts, exclusive=parts, vectors={})
    told: list[float] = []
    found = reconsider(voices, samples, hear, told.append, count or Count())
    assert told == sorted(told)
    assert [(part.start, part.end) for part in found.segments] == [(part.start, part.end) for part in parts]
    assert found.exclusive == found.segments
    letters = {name: "ABCDEF"[i] for i, name in enumerate(dict.fromkeys(part.speaker for part in found.segments))}
    return [letters[part.speaker] for part in found.segments]


def test_voices_that_were_joined_are_parted() -> None:
    assert names("XXY", 1, 2, 2) == ["A", "B", "B"]


def test_voices_that_were_parted_are_joined() -> None:
    assert names("XYZ", 1, 4, 2) == ["A", "A", "B"]


@pytest.mark.parametrize(
    ("count", "people"),
    [
        (Count(exact=1), "AAAA"),
        (Count(exact=3), "ABCA"),
        (Count(exact=4), "ABCD"),
        (Count(exact=9), "ABCD"),
        (Count(most=2), 2),
        (Count(least=4), "ABCD"),
    ],
)
def test_the_number_of_people_can_be_told(count: Count, people: str | int) -> None:
    found = names("XXXX", 1, 2, 3, 4, count=count)
    assert len(set(found)) == people if isinstance(people, int) else "".join(found) == people


def test_a_short_cry_makes_no_person() -> None:
    assert LEAST_SPEECH > 1.0
    assert set(names("XYX", 1, 2, 1, seconds=1.0)) == {"A"}


def test_a_stretch_that_says_nothing_follows_its_neighbour() -> None:
    assert names("XXYY", 1, 5, 2, 5) == ["A", "A", "B", "B"]


def test_nothing_to_go_by_changes_nothing() -> None:
    parts = (segment(0, 0.3, "X"), segment(0.3, 0.6, "Y"))
    voices = Voices(segments=parts, exclusive=parts, vectors={})
    samples = np.ones(SAMPLE_RATE, np.float32)
    assert reconsider(voices, samples, hear, lambda part: None, Count()) is voices


def test_only_what_is_heard_alone_is_judged() -> None:
    # The long voice is alone in its first two seconds; the rest is shared.
    parts = (segment(0, 6, "X"), segment(2, 6, "Y"), segment(6, 8, "Y"))
    samples = np.repeat(np.array([1, 2, 2, 2], np.float32), 2 * SAMPLE_RATE)
    found = reconsider(Voices(segments=parts, exclusive=(), vectors={}), samples, hear, lambda part: None, Count())
    first, shared, last = (part.speaker for part in found.segments)
    assert first != last
    assert shared == last


@pytest.mark.parametrize(("heard", "people"), [(MUCH_SPEECH - 1, 1), (MUCH_SPEECH + 1, 2)])
def test_noise_makes_no_person_of_a_stretch_near_the_mean_of_a_voice(heard: float, people: int) -> None:
    # Three stretches 28 degrees off their mean, each in a direction of its own, and one 45 degrees off it in
    # yet another: 0.38 from each of them, 0.29 from their mean.
    off, turns = np.radians(28), np.radians([0, 120, 240])
    spread = [(np.cos(off), np.sin(off) * np.cos(turn), np.sin(off) * np.sin(turn), 0.0) for turn in turns]
    vectors = [*spread, (np.cos(np.pi / 4), 0.0, 0.0, np.sin(np.pi / 4))]
    stretches = [
        Stretch(segment=segment(i, i + 1, "X"), heard=seconds, vector=np.array(vector, np.float32))
        for i, (vector, seconds) in enumerate(zip(vectors, [8.0, 8.0, 8.0, heard], strict=True))
    ]
    assert len(find_people(stretches, Count())) == people
