"""Which voice in a dub that is one whole track stands for which turn.

Such a track does not say who speaks. A stretch of speech goes to the turn that it overlaps most; where it
reaches into the turn before or after, it is split between them at its quietest point near their border, which may
be its own end: then the line only runs over. Turns that overlap cannot be told apart, so that each gets its own time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from pipeline.audio.intervals import Interval
from pipeline.mix.dub.plan import Slot

MAX_TURN_DISTANCE_SECONDS = 0.5
"""Seconds around a turn in which a stretch of speech still belongs to it."""
_MIN_SHARED_PART = 0.5
"""Part of a turn, or of a stretch, that the two must share where it belongs to another turn at the same time."""
_MIN_LINE_SECONDS = 0.1
"""Seconds of a stretch that may be a line, when the rest of it is another's."""
_MAX_SEQUENTIAL_OVERLAP_SECONDS = 0.1
"""Seconds for which two turns may overlap and still be one after the other."""

SplitPoint: TypeAlias = Callable[[Slot, Slot, Interval], float]
"""Gives the second at which a stretch that stands for two turns, one after the other, is parted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnLine:
    """The part of a track that stands for one turn, in seconds."""

    start: float
    end: float
    cut_start: bool = False
    """True where the voice goes on before it, in another turn."""
    cut_end: bool = False
    overlapped: bool = False
    """True where the turn overlaps another that the same stretch stands for: its ends are then the turn's own."""


def match_turns(
    stretches: Sequence[Interval], slots: Sequence[Slot], part: SplitPoint
) -> tuple[list[TurnLine | None], list[Interval]]:
    """Match stretches of speech with turns.

    Args:
        stretches: Where the track speaks.
        slots: The turns.
        part: Gives the second at which a stretch is split between two turns.

    Returns:
        The line of each turn, None where there is no voice, and the stretches that are in no turn.
    """
    starts = np.array([slot.start for slot in slots])
    ends = np.array([slot_end(slot) for slot in slots])
    found = dict[int, list[TurnLine]]()
    stray = list[Interval]()
    for start, end in stretches:
        shared = np.minimum(end, ends) - np.maximum(start, starts)
        best = int(np.argmax(shared)) if len(slots) else None
        if best is None or shared[best] <= -MAX_TURN_DISTANCE_SECONDS:
            stray.append((start, end))
            continue
        at_once = np.minimum(ends, ends[best]) - np.maximum(starts, starts[best]) > _MAX_SEQUENTIAL_OVERLAP_SECONDS
        least = np.where(
            at_once,
            np.maximum(_MIN_LINE_SECONDS, _MIN_SHARED_PART * np.minimum(end - start, ends - starts)),
            _MIN_LINE_SECONDS,
        )
        claims = {best, *map(int, np.flatnonzero(shared >= least))}
        claimants = sorted(claims, key=lambda index: (starts[index], index))
        turns = [slots[index] for index in claimants]
        for place, index in enumerate(claimants):
            line = _claim((start, end), turns, place, part)
            if len(turns) == 1 or line.end - line.start >= _MIN_LINE_SECONDS:
                found.setdefault(index, []).append(line)
    return [_merge_lines(found[index]) if index in found else None for index in range(len(slots))], stray


def slot_end(slot: Slot) -> float:
    """Return the end of a slot; one that is no turn has no length."""
    return slot.start if slot.end is None else slot.end


def _claim(stretch: Interval, turns: Sequence[Slot], place: int, part: SplitPoint) -> TurnLine:
    """Take the part of a stretch that is for one of its turns, which are in the order of their starts."""
    start, end = first, last = stretch
    own, before, after = turns[place], turns[:place], turns[place + 1 :]
    overlapped = any(
        min(slot_end(own), slot_end(other)) - max(own.start, other.start) > _MAX_SEQUENTIAL_OVERLAP_SECONDS
        for other in (*before, *after)
    )
    if overlapped:
        start = max(first, own.start) if before else first
        end = min(last, slot_end(own)) if any(slot_end(other) > slot_end(own) for other in (*before, *after)) else last
    else:
        start = part(max(before, key=slot_end), own, stretch) if before else first
        end = part(own, after[0], stretch) if after else last
    return TurnLine(start=start, end=end, cut_start=start > first, cut_end=end < last, overlapped=overlapped)


def _merge_lines(lines: Sequence[TurnLine]) -> TurnLine:
    first, last = min(lines, key=lambda line: line.start), max(lines, key=lambda line: line.end)
    return TurnLine(
        start=first.start,
        end=last.end,
        cut_start=first.cut_start,
        cut_end=last.cut_end,
        overlapped=first.overlapped or last.overlapped,
    )
