"""Whose each stretch of the vocals is."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.speaker_stems.shares import Levels, Span, Stretch, cumulative_steps, share_out

RATE = 1000
HOP = 10
EVEN = np.full(2000, 0.01)


def share(spans: list[Span], frames: int = 10_000, powers: np.ndarray = EVEN) -> list[tuple[int, int, tuple[int, ...]]]:
    levels = Levels.of(powers[: -(-frames // HOP)], HOP)
    return [(each.start, each.end, each.speakers) for each in share_out(spans, frames, RATE, levels)]


def quiet(*frames: int) -> np.ndarray:
    """Levels of a sound that is quiet only for 50 ms around these frames."""
    powers = EVEN.copy()
    for frame in frames:
        powers[frame // HOP - 2 : frame // HOP + 3] = 1e-7
    return powers


def test_one_speaker_has_all_of_it() -> None:
    assert share([(0, 2000.0, 3000.0), (0, 5000.0, 5100.0)]) == [(0, 10_000, (0,))]


@pytest.mark.parametrize("spans", [[], [(0, 500.0, 500.0)], [(0, 12_000.0, 13_000.0)], [(0, 300.0, 200.0)]])
def test_nobody_has_nothing(spans: list[Span]) -> None:
    assert share(spans) == []


def test_a_sound_without_length_is_nobodys() -> None:
    assert share([(0, 0.0, 100.0)], frames=0) == []


def test_a_pause_stays_with_who_spoke_last_up_to_the_last_quiet_moment() -> None:
    spans = [(0, 1000.0, 2000.0), (1, 5000.0, 6000.0)]
    (first, second) = share(spans, powers=quiet(2500, 4500))
    assert first[2] == (0,)
    assert first[1] == second[0] == pytest.approx(4500, abs=20)


def test_a_turn_right_after_another_begins_in_the_pause_that_is_near() -> None:
    spans = [(0, 1000.0, 3000.0), (1, 3020.0, 6000.0)]
    assert share(spans, powers=quiet(3100))[0][1] == pytest.approx(3100, abs=20)
    assert share(spans, powers=quiet(3500))[0][1] == pytest.approx(3010, abs=10), "too far"


def test_a_short_turn_keeps_half_of_itself_from_the_search_for_a_pause() -> None:
    spans = [(0, 1000.0, 3000.0), (1, 3000.0, 3100.0), (0, 3100.0, 6000.0)]
    assert share(spans, powers=quiet(3130, 2970))[1][2] == (1,)


def test_those_who_speak_at_once_share_and_a_brief_overlap_is_a_border() -> None:
    spans = [(0, 1000.0, 4000.0), (1, 3000.0, 6000.0)]
    assert share(spans) == [(0, 3000, (0,)), (3000, 4000, (0, 1)), (4000, 10_000, (1,))]
    brief = share([(0, 1000.0, 3050.0), (1, 3000.0, 6000.0)])
    assert [speakers for *_, speakers in brief] == [(0,), (1,)]
    assert brief[0][1] == pytest.approx(3025, abs=10)


def test_who_is_heard_only_in_a_brief_overlap_is_not_lost() -> None:
    assert (3000, 3050, (0, 1)) in share([(0, 1000.0, 6000.0), (1, 3000.0, 3050.0)])


def test_a_turn_beyond_the_end_is_cut_there() -> None:
    assert share([(0, -500.0, 2000.0), (1, 2000.0, 50_000.0)])[-1][1] == 10_000


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.floats(-100, 6000), st.floats(0, 900)).map(
            lambda drawn: (drawn[0], drawn[1], drawn[1] + drawn[2])
        ),
        max_size=25,
    ),
    st.integers(0, 5000),
    st.integers(0, 2**32 - 1),
)
def test_stretches_follow_one_another_from_the_beginning_to_the_end(spans: list[Span], frames: int, seed: int) -> None:
    powers = np.random.default_rng(seed).uniform(0, 0.1, 2000) ** 4
    stretches = share(spans, frames, powers)
    if not any(max(start, 0) + 1 < min(end, frames) for _, start, end in spans):
        return
    assert stretches[0][0] == 0
    assert stretches[-1][1] == frames
    for (_, end, speakers), (start, _, others) in pairwise(stretches):
        assert end == start
        assert speakers
        assert others


def test_shares_rise_to_one_and_those_of_others_stay() -> None:
    stretches = [Stretch(start=0, end=5, speakers=(1,)), Stretch(start=5, end=9, speakers=(0, 2))]
    levels = [[level for _, level in cumulative_steps(stretches, speaker)] for speaker in range(3)]
    assert levels == [[0.0, 0.5], [1.0, 0.5], [1.0, 1.0]]
