"""Operations on speaker segments: timelines, spans of one speaker alone, closing gaps."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pipeline.audio.intervals import Interval, subtract
from pipeline.types import SpeakerSegment


class Timeline:
    """One speaker's segments in order of time, searched by spans of seconds."""

    def __init__(self, segments: Iterable[SpeakerSegment]) -> None:
        self.segments = sorted(segments, key=lambda segment: segment.start)
        # The latest end so far grows even where segments nest, so it can be searched.
        self._ends: list[float] = []
        for segment in self.segments:
            self._ends.append(max(segment.end, self._ends[-1] if self._ends else segment.end))

    def overlapping(self, start: float, end: float) -> Iterable[SpeakerSegment]:
        """Yield the segments that overlap a span."""
        for segment in self.segments[bisect_right(self._ends, start) :]:
            if segment.start >= end:
                return
            if segment.end > start:
                yield segment

    def covered_duration(self, start: float, end: float, *, padding: float = 0.0) -> float:
        """Measure the seconds of a span that the segments cover, each made longer by `padding` on both sides."""
        covered, reached = 0.0, start
        for segment in self.overlapping(start - padding, end + padding):
            first, last = max(segment.start - padding, reached), min(segment.end + padding, end)
            if last > first:
                covered += last - first
                reached = last
        return covered

    def distance(self, start: float, end: float) -> float:
        """Measure the seconds between a span and the nearest segment; 0 when they touch, infinite without segments."""
        if any(True for _ in self.overlapping(start, end)):
            return 0.0
        index = bisect_right(self._ends, start)
        after = self.segments[index].start - end if index < len(self.segments) else float("inf")
        before = start - self._ends[index - 1] if index else float("inf")
        return max(0.0, min(before, after))


def by_speaker(segments: Iterable[SpeakerSegment]) -> Mapping[str, Timeline]:
    """Make a timeline for each speaker, in order of first appearance."""
    found: dict[str, list[SpeakerSegment]] = {}
    for segment in sorted(segments, key=lambda segment: segment.start):
        found.setdefault(segment.speaker, []).append(segment)
    return {speaker: Timeline(own) for speaker, own in found.items()}


def spans_alone(segments: Sequence[SpeakerSegment], speaker: str) -> list[Interval]:
    """Find the spans, in seconds, in which the speaker and nobody else is heard."""
    own = sorted((segment for segment in segments if segment.speaker == speaker), key=lambda segment: segment.start)
    others = ((segment.start, segment.end) for segment in segments if segment.speaker != speaker)
    return subtract(((segment.start, segment.end) for segment in own), others)


def close_gaps(segments: Sequence[SpeakerSegment], max_gap: float, *, exclusive: bool) -> list[SpeakerSegment]:
    """Join segments of one speaker that are at most `max_gap` seconds apart.

    Args:
        segments: In any order.
        max_gap: Seconds.
        exclusive: Keep segments apart where somebody else is heard in between, so that a list
            without overlap stays one.
    """
    closed: list[SpeakerSegment] = []
    last: dict[str, int] = {}
    for segment in sorted(segments, key=lambda segment: (segment.start, segment.end)):
        index = last.get(segment.speaker)
        between = exclusive and index != len(closed) - 1
        if index is not None and not between and segment.start - closed[index].end <= max_gap:
            closed[index] = replace(closed[index], end=max(closed[index].end, segment.end))
        else:
            last[segment.speaker] = len(closed)
            closed.append(segment)
    return closed


def drop_short_segments(segments: Iterable[SpeakerSegment], min_duration: float) -> list[SpeakerSegment]:
    """Leave out segments shorter than `min_duration` seconds."""
    return [segment for segment in segments if segment.end - segment.start >= min_duration]
