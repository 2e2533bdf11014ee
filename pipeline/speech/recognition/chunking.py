"""Stretches of speech, packed into windows for the recogniser, and the way back to the clip's clock.

Whisper listens to 30 s at a time, pays for each window whether it is full or not, and repeats
itself in long pauses. So pauses are taken out, the rest is cut where nobody speaks or where the
speaker changes, and packed into as few windows of about equal length as can be.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from pipeline.types import SpeakerSegment

MAX_WINDOW_SECONDS = 29.0
"""Seconds in a window; a little less than the recogniser's 30, so that nothing is cut at the end."""
PADDING_BEFORE_SECONDS = 0.25
"""Seconds kept before speech; an onset may come before the diarization sees it."""
PADDING_AFTER_SECONDS = 0.35
"""Seconds kept after speech."""
MAX_KEPT_PAUSE_SECONDS = 1.2
"""Pauses up to this many seconds stay as they are."""
GAP_SECONDS = 0.5
"""Seconds of silence that stand for a longer pause."""
MIN_SPEECH_SECONDS = 0.06
"""Seconds; what is shorter is not speech."""
WORD_EDGE_SECONDS = 0.05
"""Seconds by which a word may reach out of the speech that was found."""
MIN_TRIMMED_SECONDS = 0.1
"""Seconds inside speech that make a word's place there certain."""
FREE_CUT_PAUSE_SECONDS = 0.3
"""Seconds; a cut in the middle of such a pause costs nothing."""

FindQuietest: TypeAlias = Callable[[float, float], float]
"""Gives the quietest moment between two times."""

_COST_PAUSE, _COST_CHANGE, _COST_FORCED = 0.1, 0.3, 0.6
_BALANCE = 0.5
"""What a full window costs beyond the 1 that any window costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A stretch of the clip, `offset` seconds into its window."""

    start: float
    end: float
    offset: float

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Pieces in the order of the clip with short silences between them; at least one piece."""

    chunks: tuple[Chunk, ...]

    @property
    def duration(self) -> float:
        """Seconds of the window's own clock."""
        return self.chunks[-1].offset + self.chunks[-1].duration

    def to_clip_span(self, start: float, end: float) -> tuple[float, float]:
        """The clip's times of a span in one piece; if it touches several, of its part in the one it fills most."""

        def overlap(piece: Chunk) -> float:
            return min(end, piece.offset + piece.duration) - max(start, piece.offset)

        piece = max(self.chunks, key=overlap)
        first = piece.start + min(max(start - piece.offset, 0.0), piece.duration)
        last = piece.start + min(max(end - piece.offset, 0.0), piece.duration)
        return first, max(first, last)

    def remainder(self, time: float) -> "Window | None":
        """What of the window comes after one of its times, as a window of its own; None when nothing does."""
        spans = [
            (max(piece.start, piece.start + time - piece.offset), piece.end)
            for piece in self.chunks
            if piece.offset + piece.duration - time > MIN_SPEECH_SECONDS
        ]
        return _to_window(spans) if spans else None


@dataclass(frozen=True, slots=True)
class _Unit:
    """A stretch that is not cut further; `cost` is that of a cut before it."""

    start: float
    end: float
    cut_cost: float


def find_speech_spans(segments: Iterable[SpeakerSegment], duration: float) -> list[tuple[float, float]]:
    """Where anybody speaks, in order and without overlap, inside 0 to `duration`."""
    spans = sorted((max(0.0, s.start), min(duration, s.end)) for s in segments)
    found: list[tuple[float, float]] = []
    for start, end in spans:
        if end - start < MIN_SPEECH_SECONDS:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def trim_to_speech(start: float, end: float, speech_spans: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """A word's span without what reaches into a pause before or after; `speech` is what `find_speech` gave.

    A word that lies in a pause for the most part is left as it is: the pause is then in doubt.
    """
    first = bisect_right([ended for _, ended in speech_spans], start)
    last = bisect_left([begun for begun, _ in speech_spans], end) - 1
    if first > last or last >= len(speech_spans):
        return start, end
    trimmed = (
        max(start, speech_spans[first][0] - WORD_EDGE_SECONDS),
        min(end, speech_spans[last][1] + WORD_EDGE_SECONDS),
    )
    return trimmed if trimmed[1] - trimmed[0] >= min(MIN_TRIMMED_SECONDS, (end - start) / 2) else (start, end)


def pack_windows(segments: Sequence[SpeakerSegment], duration: float, find_quietest: FindQuietest) -> list[Window]:
    """Windows of at most `LIMIT` seconds that hold all speech of a clip; none when nobody speaks.

    `quietest` finds where to cut speech that goes on for longer than a window.
    """
    regions = _pad_spans(find_speech_spans(segments, duration), duration)
    cuts = _find_cuts(segments, duration)
    atoms = [atom for region in regions for atom in _split_region(region, cuts, find_quietest)]
    bounds = _choose_bounds(atoms)
    return [_to_window([(atom.start, atom.end) for atom in atoms[a:b]]) for a, b in pairwise(bounds)]


def _pad_spans(speech: Sequence[tuple[float, float]], duration: float) -> list[tuple[float, float]]:
    """Regions with some room around the speech, joined over short pauses."""
    regions: list[tuple[float, float]] = []
    for begun, ended in speech:
        start, end = max(0.0, begun - PADDING_BEFORE_SECONDS), min(duration, ended + PADDING_AFTER_SECONDS)
        if (
            regions
            and start - regions[-1][1] <= MAX_KEPT_PAUSE_SECONDS - PADDING_BEFORE_SECONDS - PADDING_AFTER_SECONDS
        ):
            regions[-1] = (regions[-1][0], end)
        else:
            regions.append((start, end))
    return regions


def _find_cuts(segments: Sequence[SpeakerSegment], duration: float) -> list[tuple[float, float]]:
    """(time, cost) where sound may be cut: in pauses, and where one speaker takes over from another."""
    speech = find_speech_spans(segments, duration)
    pauses = [
        ((a[1] + b[0]) / 2, 0.0 if b[0] - a[1] >= FREE_CUT_PAUSE_SECONDS else _COST_PAUSE) for a, b in pairwise(speech)
    ]
    ordered = sorted(segments, key=lambda s: (s.start, s.end))
    changes = [
        (max(0.0, (min(a.end, b.end) + b.start) / 2), _COST_CHANGE)
        for a, b in pairwise(ordered)
        if a.speaker != b.speaker and a.end >= b.start
    ]
    return sorted(pauses + changes)


def _split_region(
    region: tuple[float, float], cuts: Sequence[tuple[float, float]], quietest: FindQuietest
) -> list[_Unit]:
    """A region cut wherever it may be, and where it must be because it would not fit into a window."""
    start, end = region
    marks = [(time, cost) for time, cost in cuts if start + 1.0 < time < end - 1.0]
    marks.append((end, 0.0))
    atoms: list[_Unit] = []
    cost = 0.0
    for time, next_cost in marks:
        while time - start > MAX_WINDOW_SECONDS:
            cut = min(
                max(
                    quietest(start + MAX_WINDOW_SECONDS / 2, start + MAX_WINDOW_SECONDS), start + MAX_WINDOW_SECONDS / 2
                ),
                start + MAX_WINDOW_SECONDS,
            )
            atoms.append(_Unit(start, cut, cost))
            start, cost = cut, _COST_FORCED
        if time - start > MIN_SPEECH_SECONDS:
            atoms.append(_Unit(start, time, cost))
            start, cost = time, next_cost
    return atoms


def _choose_bounds(atoms: Sequence[_Unit]) -> list[int]:
    """Indices at which windows begin, and the end: fewest windows, then cheap cuts and equal lengths."""
    best: list[tuple[float, int]] = [(0.0, 0)]
    for last in range(1, len(atoms) + 1):
        options: list[tuple[float, int]] = []
        for first in range(last - 1, -1, -1):
            length = _window_seconds(atoms, first, last)
            if length > MAX_WINDOW_SECONDS and first < last - 1:
                break
            cost = 1.0 + _BALANCE * (length / MAX_WINDOW_SECONDS) ** 2 + atoms[first].cut_cost
            options.append((best[first][0] + cost, first))
        best.append(min(options))
    bounds = [len(atoms)]
    while bounds[-1] > 0:
        bounds.append(best[bounds[-1]][1])
    return bounds[::-1]


def _window_seconds(atoms: Sequence[_Unit], first: int, last: int) -> float:
    joins = sum(GAP_SECONDS for a, b in pairwise(atoms[first:last]) if a.end != b.start)
    return joins + sum(atom.end - atom.start for atom in atoms[first:last])


def _to_window(spans: Sequence[tuple[float, float]]) -> Window:
    """Lay stretches behind each other; those that touch in the clip become one piece."""
    pieces: list[Chunk] = []
    for start, end in spans:
        if pieces and pieces[-1].end == start:
            pieces[-1] = Chunk(start=pieces[-1].start, end=end, offset=pieces[-1].offset)
        else:
            offset = pieces[-1].offset + pieces[-1].duration + GAP_SECONDS if pieces else 0.0
            pieces.append(Chunk(start=start, end=end, offset=offset))
    return Window(chunks=tuple(pieces))
