"""Packing speech into windows, and the way back from a window's clock to the clip's."""

from itertools import pairwise

import pytest

from pipeline.speech.recognition.chunking import (
    GAP_SECONDS,
    MAX_WINDOW_SECONDS,
    Chunk,
    Window,
    find_speech_spans,
    pack_windows,
    trim_to_speech,
)
from pipeline.types import SpeakerSegment

pytest.importorskip("hypothesis", reason="the environment of the asr worker has no hypothesis")
from hypothesis import given
from hypothesis import strategies as st

DURATION = 200.0
SEGMENTS = st.lists(
    st.builds(
        lambda start, length, speaker: SpeakerSegment(start=start, end=start + length, speaker=speaker),
        st.floats(0, DURATION - 1),
        st.floats(0, 70),
        st.sampled_from("ABC"),
    ),
    max_size=25,
)


def middle(start: float, end: float) -> float:
    return (start + end) / 2


def segment(start: float, end: float, speaker: str = "A") -> SpeakerSegment:
    return SpeakerSegment(start=start, end=end, speaker=speaker)


@given(SEGMENTS)
def test_windows_fit_and_follow_each_other(segments: list[SpeakerSegment]) -> None:
    pieces = []
    for window in pack_windows(segments, DURATION, middle):
        assert 0 < window.duration <= MAX_WINDOW_SECONDS + 1e-6
        assert window.chunks[0].offset == 0
        for before, after in pairwise(window.chunks):
            assert after.offset == pytest.approx(before.offset + before.duration + GAP_SECONDS)
        pieces += window.chunks
    assert all(0 <= piece.start < piece.end <= DURATION for piece in pieces)
    assert all(before.end <= after.start for before, after in pairwise(pieces))


@given(SEGMENTS)
def test_all_speech_is_in_a_window(segments: list[SpeakerSegment]) -> None:
    pieces = [piece for window in pack_windows(segments, DURATION, middle) for piece in window.chunks]
    for start, end in find_speech_spans(segments, DURATION):
        covered = sum(max(0.0, min(end, piece.end) - max(start, piece.start)) for piece in pieces)
        assert covered == pytest.approx(end - start, abs=0.07 * len(pieces))


@given(SEGMENTS, st.floats(0, 1))
def test_a_window_finds_its_way_back_to_the_clip(segments: list[SpeakerSegment], share: float) -> None:
    for window in pack_windows(segments, DURATION, middle):
        for piece in window.chunks:
            time = piece.offset + share * piece.duration
            start, end = window.to_clip_span(time, time + 0.01)
            assert piece.start - 1e-6 <= start <= end <= piece.end + 1e-6
            assert start == pytest.approx(piece.start + share * piece.duration, abs=1e-6)
        start, end = window.to_clip_span(share * window.duration, window.duration + 3)
        assert window.chunks[0].start - 1e-6 <= start <= end <= window.chunks[-1].end + 1e-6


def test_long_pauses_are_taken_out_and_short_ones_kept() -> None:
    (window,) = pack_windows([segment(1, 2), segment(2.5, 4), segment(30, 31)], 60, middle)
    assert [(piece.start, piece.end) for piece in window.chunks] == [(0.75, 4.35), (29.75, 31.35)]


def test_a_word_over_a_gap_goes_where_most_of_it_is() -> None:
    window = Window(chunks=(Chunk(start=10, end=12, offset=0), Chunk(start=50, end=53, offset=2 + GAP_SECONDS)))
    assert window.to_clip_span(1.9, 3.5) == (50, 51)
    assert window.to_clip_span(1.0, 2.6) == (11, 12)


def test_long_speech_is_cut_in_its_pause_and_shared_out_evenly() -> None:
    windows = pack_windows([segment(0, 19), segment(19.4, 40)], 40, middle)
    assert [window.chunks[-1].end for window in windows] == [pytest.approx(19.2), 40]


def test_speech_without_a_pause_is_cut_where_it_is_quietest() -> None:
    asked = []

    def quietest(start: float, end: float) -> float:
        asked.append((start, end))
        return 20.0

    assert [window.chunks[0].start for window in pack_windows([segment(0, 40)], 40, quietest)] == [0, 20]
    assert asked == [(MAX_WINDOW_SECONDS / 2, MAX_WINDOW_SECONDS)]


def test_the_rest_of_a_window_is_a_window() -> None:
    window = Window(chunks=(Chunk(start=10, end=12, offset=0), Chunk(start=50, end=53, offset=2.5)))
    rest = window.remainder(3.5)
    assert rest is not None
    assert [(piece.start, piece.end, piece.offset) for piece in rest.chunks] == [(51, 53, 0)]
    assert window.remainder(5.5) is None


def test_a_part_of_a_window_has_its_own_clock() -> None:
    window = Window(chunks=(Chunk(start=10.0, end=13.0, offset=0.0), Chunk(start=20.0, end=24.0, offset=3.5)))
    part = window.between(2.0, 5.5)
    assert part is not None
    assert part.chunks == (Chunk(start=12.0, end=13.0, offset=0.0), Chunk(start=20.0, end=22.0, offset=1.5))
    assert window.between(3.1, 3.4) is None
    assert [window.to_clip_time(time) for time in (-1.0, 1.0, 3.1, 3.4, 4.5, 9.0)] == [
        10.0,
        11.0,
        13.0,
        20.0,
        21.0,
        24.0,
    ]
    assert [window.to_window_time(time) for time in (9.0, 11.0, 14.0, 19.0, 21.0, 30.0)] == [
        0.0,
        1.0,
        3.0,
        3.5,
        4.5,
        7.5,
    ]


def test_nobody_speaks() -> None:
    assert pack_windows([], 60, middle) == []
    assert pack_windows([segment(5, 5.01)], 60, middle) == []


@pytest.mark.parametrize(
    ("span", "trimmed"),
    [
        ((0.5, 1.4), (0.95, 1.4)),
        ((1.5, 2.6), (1.5, 2.05)),
        ((1.2, 1.4), (1.2, 1.4)),
        ((2.2, 2.9), (2.2, 2.9)),
        ((2.0, 3.02), (2.0, 3.02)),
        ((8.0, 9.0), (8.0, 9.0)),
    ],
)
def test_words_do_not_reach_into_pauses(span: tuple[float, float], trimmed: tuple[float, float]) -> None:
    assert trim_to_speech(*span, [(1.0, 2.0), (3.0, 5.0)]) == pytest.approx(trimmed)
