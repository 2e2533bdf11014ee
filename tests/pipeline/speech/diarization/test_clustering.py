"""How many people there are follows from the evidence, within what is known of their number."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.speech.diarization.clustering import (
    MIN_CLUSTER_SECONDS,
    MIN_CLUSTERED_SECONDS,
    cluster_segments,
    weigh_segments,
)
from pipeline.speech.diarization.pyannote_pipeline import SpeakerCount
from pipeline.speech.diarization.single_speaker_segments import SingleSpeakerSegment
from pipeline.types import SpeakerSegment

Vectors = NDArray[np.float32]


def make_segments(*voices: tuple[Vectors | None, float]) -> list[SingleSpeakerSegment]:
    """One after another, of these vectors and seconds."""
    found: list[SingleSpeakerSegment] = []
    for vector, seconds in voices:
        start = found[-1].segment.end if found else 0.0
        segment = SpeakerSegment(start=start, end=start + seconds, speaker="X")
        found.append(SingleSpeakerSegment(segment=segment, embedding=vector))
    return found


def voice(person: int, noise: float = 0.3, seed: int = 0) -> Vectors:
    """A vector of length 1 near a person's own."""
    own = np.random.default_rng([person, 7]).standard_normal(192)
    off = np.random.default_rng([person, 8, seed]).standard_normal(192)
    vector = own + noise * off
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def names(order: str, seconds: float = 3.0, count: SpeakerCount | None = None) -> str:
    """Who is found, as letters in order of appearance, where each letter of `order` is a person."""
    people = [voice(ord(letter), seed=place) for place, letter in enumerate(order)]
    found = cluster_segments(make_segments(*((vector, seconds) for vector in people)), count or SpeakerCount())
    letters = {name: "ABCDEFGH"[place] for place, name in enumerate(dict.fromkeys(found))}
    return "".join(letters[name] for name in found)


@pytest.mark.parametrize("order", ["A", "AA", "ABAB", "ABCABCAB", "ABCDEABCDE", "AAAAAAAAAAAAB"])
def test_people_are_told_apart(order: str) -> None:
    assert names(order) == order


@pytest.mark.parametrize(
    ("count", "people"),
    [
        (SpeakerCount(exact=1), 1),
        (SpeakerCount(exact=2), 2),
        (SpeakerCount(exact=4), 4),
        (SpeakerCount(exact=9), 6),
        (SpeakerCount(max=2), 2),
        (SpeakerCount(min=4), 4),
        (SpeakerCount(min=2, max=5), 3),
    ],
)
def test_their_number_can_be_told(count: SpeakerCount, people: int) -> None:
    assert len(set(names("ABCABC", count=count))) == people


def test_a_cry_makes_no_person() -> None:
    voices = [(voice(1), 3.0), (voice(2), MIN_CLUSTER_SECONDS - 0.1), (voice(1, seed=1), 3.0)]
    assert len(set(cluster_segments(make_segments(*voices), SpeakerCount()))) == 1


def test_two_short_answers_make_one() -> None:
    voices = [(voice(1), 3.0), (voice(2), 1.0), (voice(1, seed=1), 3.0), (voice(2, seed=1), 1.0)]
    assert len(set(cluster_segments(make_segments(*voices), SpeakerCount()))) == 2


def test_what_is_too_short_to_count_is_somebodys_all_the_same() -> None:
    short = MIN_CLUSTERED_SECONDS - 0.1
    found = cluster_segments(make_segments((voice(1), 3.0), (voice(2), 3.0), (voice(2, seed=1), short)), SpeakerCount())
    assert found[2] == found[1] != found[0]


def test_nobody_is_told_without_a_vector() -> None:
    assert cluster_segments(make_segments((None, 3.0), (None, 0.2)), SpeakerCount()) == [None, None]
    assert cluster_segments([], SpeakerCount()) == []
    first, second = cluster_segments(make_segments((None, 3.0), (voice(1), 0.4)), SpeakerCount())
    assert first is None
    assert second is not None


def test_minutes_of_one_voice_that_drifts_are_one_person() -> None:
    early, late = (voice(1, noise=0.25, seed=seed) for seed in (1, 2))
    voices: list[tuple[Vectors, float]] = []
    for place in range(120):
        off = np.random.default_rng(place).standard_normal(192) * 0.02
        vector = (early if place < 60 else late) + off
        voices.append(((vector / np.linalg.norm(vector)).astype(np.float32), 4.0))
    assert len(set(cluster_segments(make_segments(*voices), SpeakerCount()))) == 1


def test_a_recording_that_is_played_over_and_over_has_no_more_people() -> None:
    """Ten copies of a word are no proof that the same person's other words are somebody else's."""
    jitter = np.random.default_rng(3)
    said = [(letter, seed) for seed in range(6) for letter in "ABC"]
    once = {each: voice(ord(each[0]), noise=0.6, seed=each[1]) for each in said}
    copies = [once[each] + 0.002 * jitter.standard_normal(192).astype(np.float32) for _ in range(10) for each in said]
    heard = make_segments(*(((vector / np.linalg.norm(vector)).astype(np.float32), 2.0) for vector in copies))
    found = cluster_segments(heard, SpeakerCount())
    assert len(set(found)) == 3
    assert found[: len(said)] * 10 == found


def test_an_unclear_segment_founds_no_cluster() -> None:
    people = [voice(ord(letter), seed=place) for place, letter in enumerate("AABBC")]
    segments = make_segments(*((vector, 3.0) for vector in people))
    assert len(set(cluster_segments(segments, SpeakerCount()))) == 3
    weighted = weigh_segments(segments, unclear={4})
    assert weighted is not None
    clusters = weighted.assign(weighted.merge().cut(SpeakerCount()), len(segments))
    assert len(set(clusters)) == 2
    assert None not in clusters


def test_features_tell_apart_what_sounds_the_same() -> None:
    segments = make_segments(*((voice(1, seed=seed), 3.0) for seed in range(4)))
    assert len(set(cluster_segments(segments, SpeakerCount()))) == 1
    sides = [np.array(side, np.float32) for side in ((2, 0), (0, 2), (2, 0), (0, 2))]
    weighted = weigh_segments(segments, features=sides)
    assert weighted is not None
    first, second, *others = weighted.assign(weighted.merge().cut(SpeakerCount()), len(segments))
    assert first != second
    assert others == [first, second]
