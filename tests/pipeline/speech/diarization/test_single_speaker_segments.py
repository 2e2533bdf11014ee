"""Segments of one voice alone, cut where another person goes on."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.speech.diarization.pyannote_pipeline import SAMPLE_RATE
from pipeline.speech.diarization.single_speaker_segments import (
    CHUNK_SECONDS,
    MAX_CHUNK_STEP_SECONDS,
    MIN_CHUNKED_SECONDS,
    MIN_EMBEDDED_SECONDS,
    find_single_speaker_segments,
)
from pipeline.types import SpeakerSegment


def segment(start: float, end: float, speaker: str = "X") -> SpeakerSegment:
    return SpeakerSegment(start=start, end=end, speaker=speaker)


def hear(stretches: NDArray[np.float32], /) -> NDArray[np.float32]:
    return np.stack([hear_one(samples) for samples in stretches])


def hear_one(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Made-up voices: the part of positive samples says how much it is one person rather than the other."""
    part = float((samples > 0).mean())
    return np.array([part, 1 - part, 0.1], np.float32) if np.any(samples) else np.full(3, np.nan, np.float32)


def sounds(*parts: tuple[float, float]) -> NDArray[np.float32]:
    """Seconds and level of each part."""
    return np.concatenate([np.full(round(seconds * SAMPLE_RATE), level, np.float32) for seconds, level in parts])


def spans(segments: list[SpeakerSegment], samples: NDArray[np.float32]) -> list[tuple[float, float]]:
    found = find_single_speaker_segments(segments, samples, hear, lambda part: None)
    return [(stretch.segment.start, stretch.segment.end) for stretch in found]


def test_a_stretch_is_cut_where_another_person_goes_on() -> None:
    (first, second) = spans([segment(0, 7)], sounds((3.0, 0.1), (4.0, -0.1)))
    assert first[0] == 0
    assert first[1] == second[0] == pytest.approx(3.0, abs=MAX_CHUNK_STEP_SECONDS / 2 + 0.01)
    assert second[1] == 7


def test_three_people_make_three_stretches_of_one_segment() -> None:
    samples = sounds((3.0, 0.1), (3.0, -0.1), (3.0, 0.1))
    found = find_single_speaker_segments([segment(0, 9)], samples, hear, lambda part: None)
    pure = [stretch for stretch in found if stretch.embedding is not None and stretch.embedding[:2].min() < 0.1]
    assert [bool(stretch.embedding[0] > 0.5) for stretch in pure if stretch.embedding is not None] == [
        True,
        False,
        True,
    ]
    assert [stretch.segment.start for stretch in found[1:]] == [stretch.segment.end for stretch in found[:-1]]


def test_one_voice_is_left_whole() -> None:
    assert spans([segment(0, 20)], sounds((20.0, 0.1))) == [(0, 20)]


def test_what_is_heard_of_others_is_left_out() -> None:
    parts = [segment(0, 4, "X"), segment(1, 2, "Y"), segment(3.5, 5, "Z")]
    assert spans(parts, sounds((5.0, 0.1))) == [(0, 1), (2, 3.5), (4, 5)]


def test_too_little_and_silence_have_no_vector() -> None:
    parts = [segment(0, MIN_EMBEDDED_SECONDS / 2), segment(1, 2), segment(3, 3 + MIN_CHUNKED_SECONDS + CHUNK_SECONDS)]
    samples = sounds((2.5, 0.1), (5.0, 0.0))
    told: list[float] = []
    found = find_single_speaker_segments(parts, samples, hear, told.append)
    assert [stretch.embedding is None for stretch in found] == [True, False, True]
    assert told == sorted(told)
    assert len(told) == 2, "stretches of one length are embedded together"
    assert 0 <= told[0] <= told[-1] <= 1
