"""Algebra of intervals: pairs of start and end, all in one unit (seconds or frames)."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import TypeAlias

Interval: TypeAlias = tuple[float, float]
"""Start and end; the end is not part of it."""


def overlap(first: Interval, second: Interval) -> float:
    """Measure how long two intervals overlap; negative: the gap between them."""
    return min(first[1], second[1]) - max(first[0], second[0])


def merge(intervals: Iterable[Interval], max_gap: float = 0.0) -> list[Interval]:
    """Join intervals that overlap or are at most `max_gap` apart.

    Returns:
        Disjoint intervals in order of their start.
    """
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if merged and start - merged[-1][1] <= max_gap:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def subtract(intervals: Iterable[Interval], removed: Iterable[Interval]) -> list[Interval]:
    """Keep what of each interval lies in none of the removed ones.

    Args:
        intervals: In any order; each is treated on its own, so that those that overlap keep doing so.
        removed: In any order.

    Returns:
        The remaining parts, in the order of `intervals`, without empty ones.
    """
    holes = merge(removed)
    ends = [end for _, end in holes]
    left: list[Interval] = []
    for begin, end in intervals:
        start = begin
        for index in range(bisect_right(ends, start), len(holes)):
            first, last = holes[index]
            if first >= end:
                break
            if first > start:
                left.append((start, first))
            start = last
        if end > start:
            left.append((start, end))
    return left
