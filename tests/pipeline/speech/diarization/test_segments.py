import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.speech.diarization.segments import Timeline, by_speaker, close_gaps, drop_short_segments, spans_alone
from pipeline.types import SpeakerSegment


def segment(start: float, end: float, speaker: str = "A") -> SpeakerSegment:
    return SpeakerSegment(start=start, end=end, speaker=speaker)


def test_cover_counts_time_once() -> None:
    timeline = Timeline([segment(0, 10), segment(2, 3), segment(12, 13)])
    assert timeline.covered_duration(1, 5) == pytest.approx(4)
    assert timeline.covered_duration(9, 20) == pytest.approx(2)
    assert timeline.covered_duration(10.2, 10.8) == 0
    assert timeline.covered_duration(10.2, 10.8, padding=0.5) == pytest.approx(0.3)


def test_distance_is_to_the_nearest_edge() -> None:
    timeline = Timeline([segment(0, 10), segment(2, 3), segment(12, 13)])
    assert timeline.distance(10.5, 10.9) == pytest.approx(0.5)
    assert timeline.distance(11.5, 11.7) == pytest.approx(0.3)
    assert timeline.distance(5, 6) == 0
    assert Timeline([]).distance(0, 1) == float("inf")


def test_gaps_of_one_speaker_are_closed() -> None:
    closed = close_gaps([segment(0, 1), segment(1.1, 2), segment(3, 4)], 0.2, exclusive=False)
    assert closed == [segment(0, 2), segment(3, 4)]


def test_exclusive_gaps_with_somebody_in_between_stay_open() -> None:
    parts = [segment(0, 1), segment(1, 1.1, "B"), segment(1.1, 2)]
    assert close_gaps(parts, 0.2, exclusive=True) == parts
    assert close_gaps(parts, 0.2, exclusive=False) == [segment(0, 2), segment(1, 1.1, "B")]


def test_blips_are_dropped() -> None:
    assert drop_short_segments([segment(0, 0.05), segment(1, 2)], 0.1) == [segment(1, 2)]


def test_speakers_come_in_order_of_appearance() -> None:
    assert list(by_speaker([segment(5, 6, "B"), segment(1, 2, "C"), segment(7, 8, "C")])) == ["C", "B"]


spans = st.tuples(st.integers(0, 200), st.integers(1, 40), st.sampled_from("AB"))


@given(st.lists(spans, max_size=20), st.integers(0, 200), st.integers(1, 60))
def test_cover_is_what_counting_says(raw: list[tuple[int, int, str]], start: int, length: int) -> None:
    parts = [segment(first, first + size) for first, size, _ in raw]
    counted = sum(any(part.start <= second < part.end for part in parts) for second in range(start, start + length))
    assert Timeline(parts).covered_duration(start, start + length) == counted
    if counted:
        assert Timeline(parts).distance(start, start + length) == 0


@given(st.lists(spans, max_size=20))
def test_closing_gaps_keeps_an_exclusive_list_exclusive(raw: list[tuple[int, int, str]]) -> None:
    place, parts = 0, list[SpeakerSegment]()
    for skip, size, speaker in raw:
        parts.append(segment(place + skip % 3, place + skip % 3 + size, speaker))
        place = int(parts[-1].end)
    closed = close_gaps(parts, 1.0, exclusive=True)
    assert all(left.end <= right.start for left, right in itertools.pairwise(closed))
    assert sum(part.end - part.start for part in closed) >= sum(part.end - part.start for part in parts)


def test_a_speaker_is_alone_where_nobody_else_is_heard() -> None:
    said = (
        SpeakerSegment(start=0, end=10, speaker="S1"),
        SpeakerSegment(start=2, end=3, speaker="S2"),
        SpeakerSegment(start=9, end=12, speaker="S2"),
        SpeakerSegment(start=2.5, end=4, speaker="S3"),
    )
    assert spans_alone(said, "S1") == [(0, 2), (4, 9)]
    assert spans_alone(said, "S4") == []
