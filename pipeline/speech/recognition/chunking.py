"""Packing of speech into windows for the recogniser, and the way back to the clip's clock.

Whisper takes 30 s at a time, costs the same for each window whether it is full or not, and repeats
itself in long pauses. So pauses are taken out, the rest is cut where nobody speaks or where the
speaker changes, and packed into as few windows of about equal length as can be.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from pipeline.audio.intervals import Interval, merge, overlap
from pipeline.types import SpeakerSegment, Word

MAX_WINDOW_SECONDS = 29.0
"""A little less than the recogniser's 30, so that nothing is cut at the end."""
PADDING_BEFORE_SECONDS = 0.25
"""Kept before speech; an onset may come before the diarization sees it."""
PADDING_AFTER_SECONDS = 0.35
"""Kept after speech."""
MAX_KEPT_PAUSE_SECONDS = 1.2
"""Pauses up to this stay as they are."""
GAP_SECONDS = 0.5
"""Silence that stands for a longer pause."""
MIN_SPEECH_SECONDS = 0.06
"""What is shorter is not speech."""
WORD_EDGE_SECONDS = 0.05
"""By how much a word may reach out of the speech that was found."""
MIN_TRIMMED_SECONDS = 0.1
"""Length inside speech that makes a word's place there certain."""
FREE_CUT_PAUSE_SECONDS = 0.3
"""A cut in the middle of such a pause costs nothing."""

FindQuietest: TypeAlias = Callable[[float, float], float]
"""Returns the quietest moment between two times."""

_PAUSE_COST, _SPEAKER_CHANGE_COST, _FORCED_COST = 0.1, 0.3, 0.6
"""Costs of a cut, where a window costs 1."""
_FULL_WINDOW_COST = 0.5
"""Cost of a full window beyond that of any window; it makes windows equally long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A span of the clip and its place in a window, all in seconds."""

    start: float
    end: float
    offset: float
    """Start on the window's clock."""

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Chunks in the order of the clip with short silences between them; at least one chunk."""

    chunks: tuple[Chunk, ...]

    @property
    def duration(self) -> float:
        """Length in seconds on the window's clock."""
        return self.chunks[-1].offset + self.chunks[-1].duration

    def to_clip_span(self, start: float, end: float) -> Interval:
        """Convert a span of the window to the clip's clock; of several chunks, the one it fills most holds it."""
        chunk = max(self.chunks, key=lambda chunk: overlap((start, end), (chunk.offset, chunk.offset + chunk.duration)))
        first = chunk.start + min(max(start - chunk.offset, 0.0), chunk.duration)
        last = chunk.start + min(max(end - chunk.offset, 0.0), chunk.duration)
        return first, max(first, last)

    def remainder(self, time: float) -> "Window | None":
        """Make a window of what comes after a time on the window's clock; None when nothing does."""
        return self.between(time, self.duration)

    def between(self, start: float, end: float) -> "Window | None":
        """Make a window of what stands between two times on the window's clock; None when nothing does."""
        spans = [
            (chunk.start + max(0.0, start - chunk.offset), chunk.start + min(chunk.duration, end - chunk.offset))
            for chunk in self.chunks
        ]
        spans = [(first, last) for first, last in spans if last - first > MIN_SPEECH_SECONDS]
        return _to_window(spans) if spans else None

    def to_window_time(self, time: float) -> float:
        """Convert a time of the clip to the window's clock; one that is in no chunk is that of the nearest edge."""
        chunk = min(self.chunks, key=lambda chunk: max(chunk.start - time, time - chunk.end, 0.0))
        return chunk.offset + min(max(time - chunk.start, 0.0), chunk.duration)

    def to_clip_time(self, time: float) -> float:
        """Convert a time of the window to the clip's clock; one between two chunks is that of the nearest edge."""
        chunk = min(self.chunks, key=lambda chunk: max(chunk.offset - time, time - chunk.offset - chunk.duration, 0.0))
        return chunk.start + min(max(time - chunk.offset, 0.0), chunk.duration)


@dataclass(frozen=True, slots=True)
class _Unit:
    """A span of the clip that is not cut further."""

    start: float
    end: float
    cut_cost: float
    """Of a cut before it."""


def find_speech_spans(segments: Iterable[SpeakerSegment], duration: float) -> list[Interval]:
    """Find the spans in which anybody speaks, in order and without overlap, inside 0 to `duration` seconds."""
    spans = ((max(0.0, segment.start), min(duration, segment.end)) for segment in segments)
    return merge((start, end) for start, end in spans if end - start >= MIN_SPEECH_SECONDS)


def find_speaker_changes(segments: Iterable[SpeakerSegment]) -> list[float]:
    """Find the moments, in seconds, at which another voice takes over."""
    ordered = sorted(segments, key=lambda segment: (segment.start, segment.end))
    return [(min(a.end, b.end) + b.start) / 2 for a, b in pairwise(ordered) if a.speaker != b.speaker]


def trim_to_speech(start: float, end: float, speech_spans: Sequence[Interval]) -> Interval:
    """Cut off what of a word reaches into a pause before or after it.

    A word that lies in a pause for the most part is left as it is: the pause is then in doubt.

    Args:
        start: Seconds.
        end: Seconds.
        speech_spans: As `find_speech_spans` gave them.
    """
    first = bisect_right([span_end for _, span_end in speech_spans], start)
    last = bisect_left([span_start for span_start, _ in speech_spans], end) - 1
    if first > last or last >= len(speech_spans):
        return start, end
    trimmed = (
        max(start, speech_spans[first][0] - WORD_EDGE_SECONDS),
        min(end, speech_spans[last][1] + WORD_EDGE_SECONDS),
    )
    return trimmed if trimmed[1] - trimmed[0] >= min(MIN_TRIMMED_SECONDS, (end - start) / 2) else (start, end)


def to_clip_word(word: Word, window: Window, speech_spans: Sequence[Interval]) -> Word:
    """Move a word from its window's clock to the clip's, trimmed to speech; times to the millisecond."""
    start, end = trim_to_speech(*window.to_clip_span(word.start, word.end), speech_spans)
    confidence = min(1.0, max(0.0, word.confidence))
    return Word(start=round(start, 3), end=round(end, 3), text=word.text, confidence=round(confidence, 3))


def pack_windows(segments: Sequence[SpeakerSegment], duration: float, find_quietest: FindQuietest) -> list[Window]:
    """Pack all speech of a clip into windows of at most `MAX_WINDOW_SECONDS`.

    Args:
        segments: When each speaker is heard.
        duration: Seconds of the clip.
        find_quietest: Where to cut speech that goes on for longer than a window.

    Returns:
        The windows in order; none when nobody speaks.
    """
    speech = find_speech_spans(segments, duration)
    cuts = _find_cuts(segments, speech)
    units = [unit for region in _pad_spans(speech, duration) for unit in _split_region(region, cuts, find_quietest)]
    bounds = _choose_bounds(units)
    return [_to_window([(unit.start, unit.end) for unit in units[a:b]]) for a, b in pairwise(bounds)]


def _pad_spans(speech: Sequence[Interval], duration: float) -> list[Interval]:
    """Give each span some room, and join spans over short pauses."""
    padded = (
        (max(0.0, start - PADDING_BEFORE_SECONDS), min(duration, end + PADDING_AFTER_SECONDS)) for start, end in speech
    )
    return merge(padded, MAX_KEPT_PAUSE_SECONDS - PADDING_BEFORE_SECONDS - PADDING_AFTER_SECONDS)


def _find_cuts(segments: Sequence[SpeakerSegment], speech: Sequence[Interval]) -> list[tuple[float, float]]:
    """List (time, cost) where sound may be cut: in pauses, and where one speaker takes over from another."""
    pauses = [
        ((a[1] + b[0]) / 2, 0.0 if b[0] - a[1] >= FREE_CUT_PAUSE_SECONDS else _PAUSE_COST) for a, b in pairwise(speech)
    ]
    ordered = sorted(segments, key=lambda segment: (segment.start, segment.end))
    changes = [
        (max(0.0, (min(a.end, b.end) + b.start) / 2), _SPEAKER_CHANGE_COST)
        for a, b in pairwise(ordered)
        if a.speaker != b.speaker and a.end >= b.start
    ]
    return sorted(pauses + changes)


def _split_region(region: Interval, cuts: Sequence[tuple[float, float]], find_quietest: FindQuietest) -> list[_Unit]:
    """Cut a region wherever it may be cut, and where it must be because it would not fit into a window."""
    start, end = region
    marks = [(time, cost) for time, cost in cuts if start + 1.0 < time < end - 1.0]
    marks.append((end, 0.0))
    units: list[_Unit] = []
    cost = 0.0
    for time, next_cost in marks:
        while time - start > MAX_WINDOW_SECONDS:
            earliest, latest = start + MAX_WINDOW_SECONDS / 2, start + MAX_WINDOW_SECONDS
            cut = min(max(find_quietest(earliest, latest), earliest), latest)
            units.append(_Unit(start, cut, cost))
            start, cost = cut, _FORCED_COST
        if time - start > MIN_SPEECH_SECONDS:
            units.append(_Unit(start, time, cost))
            start, cost = time, next_cost
    return units


def _choose_bounds(units: Sequence[_Unit]) -> list[int]:
    """Choose the units at which windows begin, and the end: fewest windows, then cheap cuts and equal lengths."""
    best: list[tuple[float, int]] = [(0.0, 0)]
    for last in range(1, len(units) + 1):
        options: list[tuple[float, int]] = []
        for first in range(last - 1, -1, -1):
            length = _window_seconds(units, first, last)
            if length > MAX_WINDOW_SECONDS and first < last - 1:
                break
            cost = 1.0 + _FULL_WINDOW_COST * (length / MAX_WINDOW_SECONDS) ** 2 + units[first].cut_cost
            options.append((best[first][0] + cost, first))
        best.append(min(options))
    bounds = [len(units)]
    while bounds[-1] > 0:
        bounds.append(best[bounds[-1]][1])
    return bounds[::-1]


def _window_seconds(units: Sequence[_Unit], first: int, last: int) -> float:
    gaps = sum(GAP_SECONDS for a, b in pairwise(units[first:last]) if a.end != b.start)
    return gaps + sum(unit.end - unit.start for unit in units[first:last])


def _to_window(spans: Sequence[Interval]) -> Window:
    """Lay spans behind each other; those that touch in the clip become one chunk."""
    chunks: list[Chunk] = []
    for start, end in spans:
        if chunks and chunks[-1].end == start:
            chunks[-1] = Chunk(start=chunks[-1].start, end=end, offset=chunks[-1].offset)
        else:
            offset = chunks[-1].offset + chunks[-1].duration + GAP_SECONDS if chunks else 0.0
            chunks.append(Chunk(start=start, end=end, offset=offset))
    return Window(chunks=tuple(chunks))
