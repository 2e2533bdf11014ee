"""The rule that tells ambience from effects, and music among either.

Ambience is what goes on: at least `MIN_AMBIENT_S` long, its level steady from second to second, and
without an onset. Everything else that is neither speech nor music is an effect. A sound in a folder of
effects that has both steady pitches and a beat is music, and is left out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.training.material.kinds import Kind

Mono = NDArray[np.float32]
"""One channel, shape (frames,)."""

MIN_AMBIENT_S = 4.0
MAX_LEVEL_DEVIATION_DB = 3.0
"""Standard deviation of the RMS of seconds."""
MAX_ONSET_DB = 12.0
"""Rise of the RMS of `ONSET_BLOCK_S` over the loudest of the blocks in `ONSET_MEMORY_S` before it."""
ONSET_BLOCK_S = 0.05
ONSET_MEMORY_S = 0.5
_MEMORY_BLOCKS = round(ONSET_MEMORY_S / ONSET_BLOCK_S)
MIN_TONALITY = 0.5
"""Share of the power that lies in bins that stand out from their neighbours."""
MIN_BEAT = 0.35
"""Highest autocorrelation of the onset strength at lags of 0.3 to 1 s."""
FLOOR = 1e-10
"""Power below the last bit of 24-bit sound."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Frames of a recording that are used as one kind."""

    kind: Kind
    start: int
    end: int


def sort_effect(samples: Mono, sample_rate: int) -> list[Stretch]:
    """Find what a recording from a folder of effects is good for.

    Args:
        samples: Shape (frames,).
        sample_rate: In Hz.

    Returns:
        Its stretches of ambience; where there are none, all of it as an effect; nothing if it is music.

    """
    if is_music(samples, sample_rate):
        return []
    beds = steady_stretches(samples, sample_rate)
    return beds or [Stretch(Kind.SFX, 0, len(samples))]


def steady_stretches(samples: Mono, sample_rate: int) -> list[Stretch]:
    """Find the stretches of ambience in a recording, in whole seconds; the rest of the last second stays with them."""
    seconds = len(samples) // sample_rate
    levels = _levels(samples, sample_rate)
    onsets = {int(block * ONSET_BLOCK_S) for block in _onset_blocks(samples, sample_rate)}
    found: list[Stretch] = []
    start = 0
    while start + MIN_AMBIENT_S <= seconds:
        end = start
        while end < seconds and end not in onsets and levels[start : end + 1].std() < MAX_LEVEL_DEVIATION_DB:
            end += 1
        if end - start >= MIN_AMBIENT_S:
            found.append(Stretch(Kind.AMBIENT, start * sample_rate, end * sample_rate))
        start = max(end, start + 1)
    if found and found[-1].end == seconds * sample_rate:
        found[-1] = Stretch(Kind.AMBIENT, found[-1].start, len(samples))
    return found


def is_ambient(samples: Mono, sample_rate: int) -> bool:
    """Tell whether a recording is long, steady and without onset."""
    if len(samples) < MIN_AMBIENT_S * sample_rate:
        return False
    seconds = _levels(samples, sample_rate)
    return float(seconds.std()) < MAX_LEVEL_DEVIATION_DB and largest_onset(samples, sample_rate) <= MAX_ONSET_DB


def largest_onset(samples: Mono, sample_rate: int) -> float:
    """The largest rise in dB over what was heard in the half second before."""
    rises = _rises(samples, sample_rate)
    return float(rises.max()) if len(rises) else 0.0


def is_music(samples: Mono, sample_rate: int) -> bool:
    """Tell whether a recording of some seconds has steady pitches and a beat."""
    if len(samples) < MIN_AMBIENT_S * sample_rate:
        return False
    size = 4096
    frames = np.lib.stride_tricks.sliding_window_view(samples[: 30 * sample_rate], size)[:: size // 4]
    power = np.abs(np.fft.rfft(frames * np.hanning(size), axis=1)) ** 2 + FLOOR
    return _tonality(power) > MIN_TONALITY and _beat(power, sample_rate / (size // 4)) > MIN_BEAT


def _onset_blocks(samples: Mono, sample_rate: int) -> list[int]:
    return [int(block) for block in np.nonzero(_rises(samples, sample_rate) > MAX_ONSET_DB)[0] + _MEMORY_BLOCKS]


def _rises(samples: Mono, sample_rate: int) -> NDArray[np.float64]:
    """How far each block, from the one after the first memory on, is above the loudest in the memory before it; dB."""
    blocks = _levels(samples, round(ONSET_BLOCK_S * sample_rate))
    if len(blocks) <= _MEMORY_BLOCKS:
        return np.zeros(0)
    before = np.lib.stride_tricks.sliding_window_view(blocks, _MEMORY_BLOCKS).max(axis=1)[:-1]
    return blocks[_MEMORY_BLOCKS:] - before


def _tonality(power: NDArray[np.float64]) -> float:
    """Share of the power in bins that are four times their surroundings in the mean of a quarter second."""
    smooth = np.cumsum(power, axis=0)[10:] - np.cumsum(power, axis=0)[:-10]
    around = sum(np.roll(smooth, shift, axis=1) for shift in range(-8, 9)) / 17
    return float(smooth[smooth > 4 * around].sum() / smooth.sum())


def _beat(power: NDArray[np.float64], rate: float) -> float:
    """How much the onset strength repeats itself after 0.3 to 1 s, 0 to 1."""
    strength = np.maximum(np.diff(np.log(power), axis=0), 0).mean(axis=1)
    strength = strength - strength.mean()
    if not strength.any():
        return 0.0
    correlation = np.correlate(strength, strength, "full")[len(strength) - 1 :]
    lags = correlation[round(0.3 * rate) : round(rate) + 1]
    return float(lags.max() / correlation[0]) if len(lags) else 0.0


def _levels(samples: Mono, block: int) -> NDArray[np.float64]:
    """RMS of whole blocks, dB."""
    whole = samples[: len(samples) // block * block].astype(np.float64).reshape(-1, block)
    return 10 * np.log10((whole**2).mean(axis=1) + FLOOR)
