"""The last step of a mix: its gain, its peaks, and the encoder, without a file in between.

A mix is a function that gives its blocks anew each time it is called, since what a pass finds out
decides about the next one. Mixing is cheap: reading two stems of five minutes again takes half a second.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from pipeline import sound
from pipeline.layout import Layout
from pipeline.media.feed import SoundFeed
from pipeline.media.metering import measure_encoded
from pipeline.mix import balance
from pipeline.mix.limiter import Limiter, limit
from pipeline.mix.loudness import Goal, first_gain, is_near, within_bounds
from pipeline.stages import Report
from pipeline.types import Loudness

Premix: TypeAlias = Callable[[], sound.Blocks]

TRIES = 4
"""Passes that look for the gain, and for the ceiling."""
MARGIN = 0.3
"""dB that the limiter leaves for what the encoder adds to peaks; where that is not enough, it is done again."""
_NUDGE = 0.1
"""dB further down than what was too much: the encoder's peaks differ a little from run to run."""


@dataclass(slots=True, kw_only=True)
class Master:
    """One mix on its way to a file, and what was found out about it."""

    premix: Premix
    like: sound.SoundInfo
    layout: Layout
    target: Path
    coding: Sequence[str]
    """How ffmpeg encodes the file."""
    report: Report
    others: Mapping[Path, Sequence[str]] = field(default_factory=dict[Path, Sequence[str]])
    """Further files of the same mix, and how they are encoded."""
    to_check: Mapping[Path, Layout] = field(default_factory=dict[Path, Layout])
    """Those of them whose encoders may add to peaks, and their layouts."""
    notes: list[str] = field(default_factory=list[str])
    loudness: Loudness = field(default_factory=lambda: Loudness(integrated=None, peak=None))
    """Of the file that was written."""
    _passes: int = 0

    def write_as_it_comes(self, clip_peak: float) -> None:
        """Write the mix as the gains make it; turned down as a whole only if a sample would pass the ceiling.

        The ceiling is -1 dBFS, or the clip's own peak (linear) where that is higher.
        """
        highest = balance.ceiling(clip_peak)
        peak = self._write_below(highest)
        if peak > highest:
            gain = balance.overall_gain(peak, clip_peak)
            self.notes.append(f"The whole mix was turned down by {-_decibels(gain):.1f} dB so that it is not clipped.")
            self._encode(self._louder(gain))

    def write_to_goal(self, goal: Goal) -> None:
        """Write the mix at the goal's loudness with no true peak above the goal's, encoded and decoded again."""
        before = self._measure(self.premix())
        if before.integrated is None:
            self.notes.append("The mix is silent or shorter than 0.4 s, so it was not brought to a loudness.")
            self._encode(self.premix())
            return
        gain, ceiling, aim = first_gain(before, goal), goal.true_peak - MARGIN, goal
        limiter = self._limiter(ceiling)
        for _ in range(TRIES):
            gain, limiter = self._find_gain(gain, ceiling, before, aim), self._limiter(ceiling)
            self._encode(self._limited(gain, limiter))
            self.loudness = measure_encoded(self.target, self.layout, self.like.duration)
            excess = self._highest(goal) - goal.true_peak
            # The encoder takes a little from the loudness, too: what is above its highest frequency.
            missing = goal.loudness - (self.loudness.integrated or goal.loudness)
            further = within_bounds(gain + missing, before, goal) if abs(missing) > _NUDGE + 1e-6 else gain
            if excess <= 0 and further == gain:
                break
            aim = replace(aim, loudness=aim.loudness + further - gain)
            gain = further
            ceiling -= excess + _NUDGE if excess > 0 else 0.0
        self._tell(before, goal, limiter.most)

    def _highest(self, goal: Goal) -> float:
        """The highest true peak of all files that were written, dBTP."""
        others = (measure_encoded(path, layout, self.like.duration) for path, layout in self.to_check.items())
        found = [self.loudness, *others]
        return max(goal.true_peak if one.true_peak is None else one.true_peak for one in found)

    def _find_gain(self, gain: float, ceiling: float, before: Loudness, goal: Goal) -> float:
        """The gain that reaches the goal after the limiter, which takes from the loudness, too."""
        assert before.integrated is not None
        if (before.true_peak or 0.0) + gain <= ceiling:
            return gain
        for _ in range(TRIES):
            found = self._measure(self._limited(gain, self._limiter(ceiling)))
            if found.integrated is None or is_near(found, goal):
                return gain
            further = within_bounds(gain + goal.loudness - found.integrated, before, goal)
            if further == gain:
                return gain
            gain = further
        return gain

    def _tell(self, before: Loudness, goal: Goal, limited: float) -> None:
        found = self.loudness
        assert before.integrated is not None
        if found.integrated is None:
            return
        words = f"from {before.integrated:.1f} to {found.integrated:.1f} LUFS"
        if limited >= _NUDGE:
            words += f", peaks limited by up to {limited:.1f} dB"
        self.notes.append(f"The loudness of the mix was brought {words}.")
        if abs(found.integrated - goal.loudness) > 2 * _NUDGE + 0.05:
            self.notes.append(
                f"{goal.loudness:.1f} LUFS could not be reached without too much noise or too flat a sound."
            )

    def _write_below(self, highest: float) -> float:
        """Write the mix unless it passes `highest`; gives its peak either way."""
        peak = 0.0
        with self._feed() as feed:
            for block in self._told(self.premix()):
                peak = max(peak, _peak(block))
                if peak <= highest:
                    feed.write(block)
            if peak <= highest:
                self.loudness = replace(feed.finish(), peak=_round(peak))
        return peak

    def _encode(self, blocks: sound.Blocks) -> None:
        with self._feed() as feed:
            for block in self._told(blocks):
                feed.write(block)
            self.loudness = feed.finish()

    def _measure(self, blocks: sound.Blocks) -> Loudness:
        with SoundFeed(self.layout, self.like.sample_rate, limit=self._limit) as feed:
            for block in self._told(blocks):
                feed.write(block)
            return feed.finish()

    def _feed(self) -> SoundFeed:
        outputs: Mapping[Path, Sequence[str]] = {self.target: self.coding, **self.others}
        return SoundFeed(self.layout, self.like.sample_rate, limit=self._limit, outputs=outputs)

    @property
    def _limit(self) -> float:
        return 60.0 + 2 * self.like.duration

    def _limiter(self, ceiling: float) -> Limiter:
        return Limiter(self.like.sample_rate, self.like.channels, ceiling)

    def _limited(self, gain: float, limiter: Limiter) -> sound.Blocks:
        return limit(self._louder(10 ** (gain / 20)), limiter)

    def _louder(self, gain: float) -> sound.Blocks:
        factor = np.float32(gain)
        for block in self.premix():
            yield block * factor

    def _told(self, blocks: sound.Blocks) -> sound.Blocks:
        """The same blocks; each pass is told as half of what is left."""
        before, self._passes = 1 - 0.5**self._passes, self._passes + 1
        done = 0
        for block in blocks:
            self.report(before + (1 - before) / 2 * done / max(1, self.like.frames), "Mixing")
            done += len(block)
            yield block


def _peak(block: sound.Samples) -> float:
    return float(max(block.max(), -block.min())) if len(block) else 0.0


def _decibels(amplitude: float) -> float:
    return 20 * float(np.log10(amplitude))


def _round(amplitude: float) -> float | None:
    return round(_decibels(amplitude), 2) if amplitude > 0 else None
