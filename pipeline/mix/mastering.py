"""The last step of a mix: its gain, its peaks, and the encoder, without a file in between.

A mix is a function that gives its blocks anew each time it is called, since what a pass finds out
decides about the next one.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from pipeline.audio import io as audio_io
from pipeline.audio.channels import Layout
from pipeline.graph.stage import ProgressCallback
from pipeline.media.loudness_meter import measure_encoded
from pipeline.mix import gains as balance
from pipeline.mix.limiter import Limiter, limit
from pipeline.mix.loudness_stage import Goal, first_gain, is_near, within_bounds
from pipeline.mix.loudness_survey import Survey
from pipeline.mix.memory_cache import KeptMix, Premix
from pipeline.mix.output import Output
from pipeline.types import Loudness

TRIES = 4
"""Times that the file is written at most, until its loudness and its peaks are right."""
_STEPS = 20
"""In which the gain is looked for."""
MARGIN = 0.5
"""dB that the limiter leaves for what the encoder adds to peaks; where that is not enough, it is done again."""
_HALF_STEP = 0.05
"""dB by which the meter may have rounded a peak down."""
_NUDGE = 0.1
"""dB further down than what was too much: the encoder's peaks differ a little from run to run."""


@dataclass(slots=True, kw_only=True)
class Master:
    """One mix on its way to a file, and what was found out about it."""

    premix: Premix
    like: audio_io.SoundInfo
    layout: Layout
    target: Path
    coding: Sequence[str]
    """How ffmpeg encodes the file."""
    report: ProgressCallback
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
        with KeptMix(self.premix, self.like, self.target.parent) as kept:
            self.premix = kept
            self._reach(goal)

    def _reach(self, goal: Goal) -> None:
        survey = self._survey()
        before = survey.loudness()
        if before.integrated is None:
            self.notes.append("The mix is silent or shorter than 0.4 s, so it was not brought to a loudness.")
            self._encode(self.premix())
            return
        gain, ceiling, aim, limited = first_gain(before, goal), goal.true_peak - MARGIN, goal, 0.0
        for _ in range(TRIES):
            gain = _find_gain(gain, ceiling, survey, aim)
            limited = self._encode_limited(gain, ceiling, survey)
            excess = round(self._highest() + _HALF_STEP - goal.true_peak, 2)
            # The encoder takes a little from the loudness, too: what is above its highest frequency.
            missing = goal.loudness - (self.loudness.integrated or goal.loudness)
            further = within_bounds(gain + missing, before, goal) if abs(missing) > _NUDGE + 1e-6 else gain
            if excess <= 0 and further == gain:
                break
            aim = replace(aim, loudness=aim.loudness + further - gain)
            gain = further
            ceiling -= excess + _NUDGE if excess > 0 else 0.0
        self._tell(before, goal, limited)

    def _encode_limited(self, gain: float, ceiling: float, survey: Survey) -> float:
        """Write the mix with a gain, below a true peak; the most that the limiter took, dB."""
        louder, peaks = self._louder(10 ** (gain / 20)), survey.peaks(gain)
        if not np.any(peaks > 10 ** (ceiling / 20)):
            self._encode(louder, decoded=True)
            return 0.0
        limiter = Limiter(self.like.sample_rate, self.like.channels, ceiling, peaks=peaks)
        self._encode(limit(louder, limiter), decoded=True)
        return limiter.most

    def _highest(self) -> float:
        """The highest true peak of all files that were written, dBTP."""
        others = (measure_encoded(path, layout, self.like.duration) for path, layout in self.to_check.items())
        found = [self.loudness, *others]
        return max(-math.inf if one.true_peak is None else one.true_peak for one in found)

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
        with self._output(decoded=False) as output:
            for block in self._told(self.premix()):
                peak = max(peak, _peak(block))
                if peak <= highest:
                    output.write(block)
            if peak <= highest:
                self.loudness = output.finish()
        return peak

    def _encode(self, blocks: audio_io.Blocks, *, decoded: bool = False) -> None:
        with self._output(decoded=decoded) as output:
            for block in self._told(blocks):
                output.write(block)
            self.loudness = output.finish()

    def _survey(self) -> Survey:
        survey = Survey(self.like.sample_rate, self.layout)
        for block in self._told(self.premix()):
            survey.write(block)
        survey.finish()
        return survey

    def _output(self, *, decoded: bool) -> Output:
        return Output(
            self.target,
            self.coding,
            self.others,
            layout=self.layout,
            sample_rate=self.like.sample_rate,
            limit=self._limit,
            decoded=decoded,
        )

    @property
    def _limit(self) -> float:
        return 60.0 + 2 * self.like.duration

    def _louder(self, gain: float) -> audio_io.Blocks:
        factor = np.float32(gain)
        for block in self.premix():
            yield block * factor

    def _told(self, blocks: audio_io.Blocks) -> audio_io.Blocks:
        """The same blocks; each pass is told as half of what is left."""
        before, self._passes = 1 - 0.5**self._passes, self._passes + 1
        done = 0
        for block in blocks:
            self.report(before + (1 - before) / 2 * done / max(1, self.like.frames), "Mixing")
            done += len(block)
            yield block


def _find_gain(gain: float, ceiling: float, survey: Survey, goal: Goal) -> float:
    """The gain that reaches the goal after the limiter, which takes from the loudness, too."""
    before = survey.loudness()
    for _ in range(_STEPS):
        found = survey.loudness(gain, ceiling)
        if found.integrated is None or is_near(found, goal):
            return gain
        further = within_bounds(gain + goal.loudness - found.integrated, before, goal)
        if further == gain:
            return gain
        gain = further
    return gain


def _peak(block: audio_io.Samples) -> float:
    return float(max(block.max(), -block.min())) if len(block) else 0.0


def _decibels(amplitude: float) -> float:
    return 20 * float(np.log10(amplitude))
