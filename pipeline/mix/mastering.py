"""The last step of a mix: its gain, its peaks, and the encoder, without a file in between.

A mix is a function that makes its blocks anew each time it is called, since the result of one pass
decides about the next one.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from pipeline.audio import io as audio_io
from pipeline.audio.channels import Layout
from pipeline.audio.true_peak import highest_sample
from pipeline.graph.stage import ProgressCallback
from pipeline.media.sound.loudness_meter import measure_encoded
from pipeline.mix import gains as balance
from pipeline.mix.limiter import Limiter, limit
from pipeline.mix.loudness_stage import LoudnessGoal, bounded_gain, describe_unmeasured, is_at_goal, unlimited_gain
from pipeline.mix.loudness_survey import LoudnessSurvey
from pipeline.mix.output import MixWriter
from pipeline.mix.premix_cache import CachedPremix, Premix
from pipeline.types import Loudness

MAX_ATTEMPTS = 4
"""Times that the file is written at most, until its loudness and its peaks are right."""
_MAX_GAIN_STEPS = 20
"""In which the gain is looked for."""
ENCODER_MARGIN_DB = 0.5
"""dB that the limiter leaves for what the encoder adds to peaks; where that is not enough, it is done again."""
_METER_ROUNDING_DB = 0.05
"""dB by which the meter may have rounded a peak down."""
_RETRY_MARGIN_DB = 0.1
"""dB further down than what was too much: the encoder's peaks differ a little from run to run."""


@dataclass(slots=True, kw_only=True)
class Master:
    """Writes one mix to its files and keeps what was measured."""

    premix: Premix
    clip_info: audio_io.SoundInfo
    layout: Layout
    target: Path
    encoding: Sequence[str]
    """How ffmpeg encodes the file."""
    report: ProgressCallback
    further_outputs: Mapping[Path, Sequence[str]] = field(default_factory=dict[Path, Sequence[str]])
    """Further files of the same mix, and how they are encoded."""
    lossy_outputs: Mapping[Path, Layout] = field(default_factory=dict[Path, Layout])
    """Further files whose encoders may add to peaks, and their layouts."""
    notes: list[str] = field(default_factory=list[str])
    loudness: Loudness = field(default_factory=lambda: Loudness(integrated=None, peak=None))
    """Loudness of the file that was written."""
    _passes: int = 0

    def write_below_ceiling(self, clip_peak: float) -> None:
        """Write the mix with its gains; turn it down as a whole only if a sample would pass the ceiling.

        The ceiling is -1 dBFS, or the clip's own peak (linear) where that is higher.
        """
        highest = balance.mix_ceiling(clip_peak)
        peak = self._write_below(highest)
        if peak > highest:
            gain = balance.peak_gain(peak, clip_peak)
            self.notes.append(f"The whole mix was turned down by {-_decibels(gain):.1f} dB so that it is not clipped.")
            self._encode(self._amplified(gain))

    def write_to_goal(self, goal: LoudnessGoal) -> None:
        """Write the mix at the goal's loudness with no true peak above the goal's, as decoded from the file."""
        with CachedPremix(self.premix, self.clip_info, self.target.parent) as kept:
            self.premix = kept
            self._reach(goal)

    def _reach(self, goal: LoudnessGoal) -> None:
        survey = self._survey()
        before = survey.loudness()
        if before.integrated is None:
            self.notes.append(f"The mix {describe_unmeasured(before)}, so it was not brought to a loudness.")
            self._encode(self.premix())
            return
        gain, ceiling, aim, limited = unlimited_gain(before, goal), goal.true_peak - ENCODER_MARGIN_DB, goal, 0.0
        for _ in range(MAX_ATTEMPTS):
            gain = _find_gain(gain, ceiling, survey, aim)
            limited = self._encode_limited(gain, ceiling, survey)
            excess = round(self._highest_true_peak() + _METER_ROUNDING_DB - goal.true_peak, 2)
            # The encoder takes a little from the loudness, too: what is above its highest frequency.
            missing = goal.loudness - (self.loudness.integrated or goal.loudness)
            further = bounded_gain(gain + missing, before, goal) if abs(missing) > _RETRY_MARGIN_DB + 1e-6 else gain
            if excess <= 0 and further == gain:
                break
            aim = replace(aim, loudness=aim.loudness + further - gain)
            gain = further
            ceiling -= excess + _RETRY_MARGIN_DB if excess > 0 else 0.0
        self._add_notes(before, goal, limited)

    def _encode_limited(self, gain: float, ceiling: float, survey: LoudnessSurvey) -> float:
        """Write the mix with a gain, below a true peak; return the strongest reduction of the limiter in dB."""
        louder, peaks = self._amplified(10 ** (gain / 20)), survey.peaks(gain)
        if not np.any(peaks > 10 ** (ceiling / 20)):
            self._encode(louder, decoded=True)
            return 0.0
        limiter = Limiter(self.clip_info.sample_rate, self.clip_info.channels, ceiling, peaks=peaks)
        self._encode(limit(louder, limiter), decoded=True)
        return limiter.max_reduction

    def _highest_true_peak(self) -> float:
        """Find the highest true peak of all files that were written, dBTP."""
        further_outputs = (
            measure_encoded(path, layout, self.clip_info.duration) for path, layout in self.lossy_outputs.items()
        )
        found = [self.loudness, *further_outputs]
        return max(-math.inf if one.true_peak is None else one.true_peak for one in found)

    def _add_notes(self, before: Loudness, goal: LoudnessGoal, limited: float) -> None:
        found = self.loudness
        assert before.integrated is not None
        if found.integrated is None:
            return
        words = f"from {before.integrated:.1f} to {found.integrated:.1f} LUFS"
        if limited >= _RETRY_MARGIN_DB:
            words += f", peaks limited by up to {limited:.1f} dB"
        self.notes.append(f"The loudness of the mix was brought {words}.")
        if abs(found.integrated - goal.loudness) > 2 * _RETRY_MARGIN_DB + 0.05:
            self.notes.append(
                f"{goal.loudness:.1f} LUFS could not be reached without too much noise or too flat a sound."
            )

    def _write_below(self, highest: float) -> float:
        """Write the mix unless it passes `highest`; return its peak either way."""
        peak = 0.0
        with self._output(decoded=False) as output:
            for block in self._with_progress(self.premix()):
                peak = max(peak, highest_sample(block))
                if peak <= highest:
                    output.write(block)
            if peak <= highest:
                self.loudness = output.finish()
        return peak

    def _encode(self, blocks: audio_io.Blocks, *, decoded: bool = False) -> None:
        with self._output(decoded=decoded) as output:
            for block in self._with_progress(blocks):
                output.write(block)
            self.loudness = output.finish()

    def _survey(self) -> LoudnessSurvey:
        survey = LoudnessSurvey(self.clip_info.sample_rate, self.layout)
        for block in self._with_progress(self.premix()):
            survey.write(block)
        survey.finish()
        return survey

    def _output(self, *, decoded: bool) -> MixWriter:
        return MixWriter(
            self.target,
            self.encoding,
            self.further_outputs,
            layout=self.layout,
            sample_rate=self.clip_info.sample_rate,
            timeout=self._timeout,
            decoded=decoded,
        )

    @property
    def _timeout(self) -> float:
        return 60.0 + 2 * self.clip_info.duration

    def _amplified(self, gain: float) -> audio_io.Blocks:
        factor = np.float32(gain)
        for block in self.premix():
            yield block * factor

    def _with_progress(self, blocks: audio_io.Blocks) -> audio_io.Blocks:
        """Pass blocks through and report progress; each pass counts for half of what is left."""
        before, self._passes = 1 - 0.5**self._passes, self._passes + 1
        done = 0
        for block in blocks:
            self.report(before + (1 - before) / 2 * done / max(1, self.clip_info.frames), "Mixing")
            done += len(block)
            yield block


def _find_gain(gain: float, ceiling: float, survey: LoudnessSurvey, goal: LoudnessGoal) -> float:
    """Find the gain that reaches the goal after the limiter, which takes from the loudness, too."""
    before = survey.loudness()
    for _ in range(_MAX_GAIN_STEPS):
        found = survey.loudness(gain, ceiling)
        if found.integrated is None or is_at_goal(found, goal):
            return gain
        further = bounded_gain(gain + goal.loudness - found.integrated, before, goal)
        if further == gain:
            return gain
        gain = further
    return gain


def _decibels(amplitude: float) -> float:
    return 20 * float(np.log10(amplitude))
