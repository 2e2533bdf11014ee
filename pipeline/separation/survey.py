"""What separators need to know of a whole sound before they work on any of it."""

from collections.abc import Callable, Iterable

import numpy as np

from pipeline.audio.io import Samples, to_mono
from pipeline.separation.contracts import LevelSurvey, Normalization

PAUSE_RMS_RATIO = 0.1
"""Blocks below this part of the loudest block's RMS are pauses and do not count for the level."""
MIN_MONO_POWER_SHARE = 0.05
"""Share of the mono mix in the power of a channel, below which the channels cancel each other out."""


def measure_level(blocks: Iterable[Samples]) -> LevelSurvey:
    """Measure the level of the loud parts over blocks of about a second, shape (frames, channels) each."""
    powers: list[float] = []
    twin = True
    for block in blocks:
        powers.append(float(np.mean(np.square(block, dtype=np.float64))))
        twin = twin and bool(np.array_equal(block[:, 0], block[:, -1]))
    floor = max(powers) * PAUSE_RMS_RATIO**2
    loud = float(np.sqrt(np.mean([power for power in powers if power >= floor])))
    return LevelSurvey(loud_rms=loud, channels_equal=twin)


def measure_normalization(blocks: Iterable[Samples], tick: Callable[[], None] = lambda: None) -> Normalization:
    """Measure the mono mix; moments are merged block by block (Chan et al. 1979).

    Where the channels cancel each other out, the mix says nothing about them, and all of them are measured instead.

    Args:
        blocks: The sound, shape (frames, channels) each.
        tick: Called after each block; may raise to stop.
    """
    count, mean, squares, power = 0, 0.0, 0.0, 0.0
    for block in blocks:
        mono = to_mono(block).astype(np.float64)
        step, joined = float(mono.mean()) - mean, count + len(mono)
        squares += float(np.square(mono - mono.mean()).sum()) + step**2 * count * len(mono) / joined
        mean += step * len(mono) / joined
        count = joined
        power += float(np.square(block, dtype=np.float64).sum()) / block.shape[1]
        tick()
    if squares + count * mean**2 < MIN_MONO_POWER_SHARE * power:
        mean, squares = 0.0, power
    return Normalization(mean=mean, deviation=float(np.sqrt(squares / max(1, count - 1))))
