from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.audio.intervals import Interval, merge, overlap, subtract

spans = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 6)).map(lambda pair: (float(pair[0]), float(sum(pair)))), max_size=8
)


def points(intervals: list[Interval]) -> set[int]:
    return {second for start, end in intervals for second in range(int(start), int(end))}


@given(spans)
def test_merged_intervals_cover_the_same_and_are_apart(given_spans: list[Interval]):
    merged = merge(given_spans)

    assert points(merged) == points(given_spans)
    assert all(one[1] < other[0] for one, other in pairwise(merged))


def test_intervals_are_joined_over_a_gap():
    assert merge([(5.0, 6.0), (0.0, 1.0), (1.5, 2.0)], 0.5) == [(0.0, 2.0), (5.0, 6.0)]


@given(spans, spans)
def test_what_is_subtracted_is_gone_and_nothing_else(given_spans: list[Interval], removed: list[Interval]):
    left = subtract(given_spans, removed)

    assert points(left) == points(given_spans) - points(removed)
    assert all(end > start for start, end in left)


def test_each_interval_is_cut_on_its_own():
    assert subtract([(4.0, 8.0), (0.0, 6.0)], [(5.0, 5.5)]) == [(4.0, 5.0), (5.5, 8.0), (0.0, 5.0), (5.5, 6.0)]


def test_an_overlap_is_negative_where_there_is_a_gap():
    assert overlap((0.0, 2.0), (1.0, 5.0)) == 1.0
    assert overlap((0.0, 2.0), (3.0, 5.0)) == -1.0
