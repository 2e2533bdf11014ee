"""The measure stage, and the gain that brings a mix to a loudness."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pipeline.graph.stage import NoParams, ProgressCallback, StageContext
from pipeline.media.sound.loudness_meter import measure
from pipeline.mix.contracts import MeasureInputs, MeasureOutput
from pipeline.mix.presets import LOUDNESS, TRUE_PEAK, LoudnessTarget
from pipeline.types import Loudness

TOLERANCE_LU = 0.05
"""LU, half of the meter's own step."""
MAX_GAIN_DB = 30.0
"""dB; more would bring up little but noise."""
MAX_LIMITING_DB = 15.0
"""dB of peaks that the limiter may take."""
_MAX_PARALLEL = 2
"""Measurements side by side: each keeps about one processor busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoudnessGoal:
    """The loudness and the highest true peak of the final mix."""

    loudness: float
    """LUFS."""
    true_peak: float
    """dBTP, never passed."""


def measure_stage(context: StageContext, inputs: MeasureInputs[Path], params: NoParams) -> MeasureOutput:
    """Measure the loudness of the original and of each stem, two at a time.

    Raises:
        MediaError: A sound cannot be read.
        FFmpegError: ffmpeg failed or took too long.
    """
    files = {"original": inputs.original} | {stem.value: path for stem, path in inputs.stems}
    done = dict.fromkeys(files, 0.0)

    def report_for(name: str) -> ProgressCallback:
        def report(fraction: float, message: str = "") -> None:
            done[name] = fraction
            context.report(sum(done.values()) / len(done), message)

        return report

    def measure_file(name: str) -> Loudness:
        return measure(files[name], report=report_for(name))

    with ThreadPoolExecutor(_MAX_PARALLEL) as pool:
        found = dict(zip(files, pool.map(measure_file, files), strict=True))
    context.report(1.0)
    return MeasureOutput(loudness=found)


def loudness_goal(target: LoudnessTarget | None, original: Loudness) -> LoudnessGoal | str | None:
    """Choose the goal for a target: None where there is none, a sentence where it cannot be reached."""
    if target is None:
        return None
    if target is not LoudnessTarget.ORIGINAL:
        return LoudnessGoal(loudness=LOUDNESS[target], true_peak=TRUE_PEAK)
    if original.integrated is None:
        return f"The original {describe_unmeasured(original)}, so the mix cannot be made as loud."
    return LoudnessGoal(loudness=original.integrated, true_peak=max(TRUE_PEAK, original.true_peak or TRUE_PEAK))


def describe_unmeasured(loudness: Loudness) -> str:
    """Say why a sound has no loudness (ITU-R BS.1770-5 takes blocks of 0.4 s that are louder than -70 LUFS)."""
    return "is silent" if loudness.peak is None else "is shorter than 0.4 s or softer than -70 LUFS"


def unlimited_gain(before: Loudness, goal: LoudnessGoal) -> float:
    """Return the gain in dB that would reach the goal if no peak were in the way, within bounds.

    `before` must not be silent.
    """
    assert before.integrated is not None
    return bounded_gain(goal.loudness - before.integrated, before, goal)


def bounded_gain(gain: float, before: Loudness, goal: LoudnessGoal) -> float:
    """Bound a gain in dB by `MAX_GAIN_DB` and by what `MAX_LIMITING_DB` allows."""
    peak = 0.0 if before.true_peak is None else before.true_peak
    return min(gain, MAX_GAIN_DB, goal.true_peak - peak + MAX_LIMITING_DB)


def is_at_goal(found: Loudness, goal: LoudnessGoal) -> bool:
    """Tell whether the loudness is the goal's, as exactly as the meter tells."""
    return found.integrated is not None and abs(found.integrated - goal.loudness) <= TOLERANCE_LU + 1e-6
