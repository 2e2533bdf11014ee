"""Whose each stretch of the vocals is, without gaps: all that is heard belongs to somebody.

What is heard in a pause stays with the one who spoke last, up to the quietest moment before the next one begins; what
comes before the first turn belongs to the first speaker. Where several speak at once, time cannot part their voices,
and each gets an equal share of the sound.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.intervals import Interval

FADE_SECONDS: Final = 0.03
"""Seconds from the shares of one stretch to those of the next."""
MIN_OVERLAP_SECONDS: Final = 0.1
"""Seconds below which two turns that overlap are taken for one that follows the other."""
SEARCH_SECONDS: Final = 0.3
"""Seconds in which a pause is looked for, where a turn follows another with less than that between them."""
HOP_SECONDS: Final = 0.01
"""Seconds of one level."""
_SMOOTHING_HOPS: Final = 3
"""Levels that are averaged: those of a fade."""
_QUIET_RANGE_DB: Final = 3.0
"""dB over the quietest moment that count as quiet as it."""
_MIN_LEVEL_DBFS: Final = -80.0
"""dBFS below which all is silence."""

Span: TypeAlias = "tuple[int, float, float]"
"""A speaker's place in the list of speakers, and when that person is heard, in frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of sound and whose it is, by places in the list of speakers; nobody's only while it is looked for."""

    start: int
    end: int
    speakers: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """How loud a sound is, by hops."""

    decibels: NDArray[np.float64]
    """dBFS of each hop, smoothed over the length of a fade."""
    hop: int
    """Frames."""

    @classmethod
    def of(cls, powers: NDArray[np.float64], hop: int) -> "Levels":
        """Make them of the mean power of each hop."""
        around = np.pad(powers, _SMOOTHING_HOPS // 2)
        smooth = np.convolve(around, np.full(_SMOOTHING_HOPS, 1 / _SMOOTHING_HOPS), "same")[1 : 1 + len(powers)]
        return cls(decibels=np.maximum(10 * np.log10(np.maximum(smooth, 1e-20)), _MIN_LEVEL_DBFS), hop=hop)

    def quiet_moments(self, window: Interval) -> list[int]:
        """List the frames in the middle of the quietest hops of a window, in order; none where it holds no hop."""
        first, last = math.ceil(window[0] / self.hop), min(math.floor(window[1] / self.hop), len(self.decibels))
        levels = self.decibels[first:last]
        if not len(levels):
            return []
        quiet = np.flatnonzero(levels <= levels.min() + _QUIET_RANGE_DB)
        return ((first + quiet) * self.hop + self.hop // 2).tolist()


def share_out(spans: Sequence[Span], frames: int, sample_rate: int, levels: Levels) -> list[Stretch]:
    """Share a sound out to those who are heard in it.

    Args:
        spans: Who is heard when, in any order, also beyond the end of the sound.
        frames: Of the sound.
        sample_rate: Hz.
        levels: Of the sound.

    Returns:
        Stretches without gaps, each with other speakers than the one before; none where nobody is heard.
    """
    found = list(_sweep(spans, frames))
    clear = [
        replace(each, speakers=()) if _is_brief_overlap(each, MIN_OVERLAP_SECONDS * sample_rate) else each
        for each in found
    ]
    # Somebody who is heard nowhere else keeps a share of an overlap, however short it is.
    heard = {speaker for each in clear for speaker in each.speakers}
    kept = [before if set(before.speakers) - heard else each for before, each in zip(found, clear, strict=True)]
    spoken = list(_joined(kept))
    if not spoken:
        return []
    borders = [_border(one, other, levels, SEARCH_SECONDS * sample_rate) for one, other in pairwise(spoken)]
    shared = [
        replace(each, start=start, end=end)
        for each, (start, end) in zip(spoken, pairwise([0, *borders, frames]), strict=True)
    ]
    return [each for each in shared if each.start < each.end]


def cumulative_steps(stretches: Sequence[Stretch], speaker: int) -> list[tuple[float, float]]:
    """List where stretches begin, and which share of them goes to a speaker and all who stand before."""
    return [
        (each.start if number else -math.inf, sum(one <= speaker for one in each.speakers) / len(each.speakers))
        for number, each in enumerate(stretches)
    ]


def _sweep(spans: Sequence[Span], frames: int) -> Iterator[Stretch]:
    """Cut the sound wherever somebody begins or ends."""
    clipped = [(who, min(max(round(start), 0), frames), min(max(round(end), 0), frames)) for who, start, end in spans]
    events = sorted(event for who, start, end in clipped if start < end for event in ((start, who, 1), (end, who, -1)))
    active: dict[int, int] = {}
    at = 0
    for place, group in groupby(events, key=lambda event: event[0]):
        if place > at:
            yield Stretch(start=at, end=place, speakers=tuple(sorted(who for who, count in active.items() if count)))
        for _, who, step in group:
            active[who] = active.get(who, 0) + step
        at = place
    if at < frames:
        yield Stretch(start=at, end=frames, speakers=())


def _is_brief_overlap(stretch: Stretch, min_frames: float) -> bool:
    return len(stretch.speakers) > 1 and stretch.end - stretch.start < min_frames


def _joined(stretches: Sequence[Stretch]) -> Iterator[Stretch]:
    """Join neighbours of the same speakers, also over a pause between them."""
    held: Stretch | None = None
    for each in stretches:
        if held is not None and each.speakers == held.speakers:
            held = replace(held, end=each.end)
        elif each.speakers:
            if held is not None:
                yield held
            held = each
    if held is not None:
        yield held


def _border(one: Stretch, other: Stretch, levels: Levels, search: float) -> int:
    """Find where a stretch ends and the next one begins."""
    start, end = one.end, other.start
    middle = (start + end) / 2
    if end - start >= search:
        quiet = levels.quiet_moments((start, end))
        return quiet[-1] if quiet else round(middle)
    if set(one.speakers) & set(other.speakers):
        # Somebody speaks on, so there is no pause to be found.
        return round(middle)
    window = (
        max(middle - search / 2, (one.start + one.end) / 2),
        min(middle + search / 2, (other.start + other.end) / 2),
    )
    quiet = levels.quiet_moments(window)
    return min(quiet, key=lambda frame: abs(frame - middle), default=round(middle))
