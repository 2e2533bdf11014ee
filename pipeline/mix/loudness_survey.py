"""One pass over a mix that tells its loudness, and how loud it would be at any gain behind the limiter.

For each 5 ms two numbers are kept: the power after the K-weighting of ITU-R BS.1770-5 and the true peak. From them
follows what the limiter would do and what loudness would be left, without another pass over the sound. The file
that is written is measured on its own; the survey only finds the gain.
"""

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.bs1770 import BLOCK_SECONDS, BLOCK_STEP_SECONDS, block_powers, gated_loudness, k_weighting_response
from pipeline.audio.channels import Layout
from pipeline.audio.io import Samples
from pipeline.audio.true_peak import OVERSAMPLING, Oversampler, loudest_channel
from pipeline.mix.limiter import PEAK_HOP_SECONDS, RELEASE_DB_PER_SECOND
from pipeline.types import Loudness

_BLOCK_HOPS = round(BLOCK_SECONDS / PEAK_HOP_SECONDS)
_STEP_HOPS = round(BLOCK_STEP_SECONDS / PEAK_HOP_SECONDS)
_FILTER_MEMORY_SECONDS = 0.085
"""Seconds after which the weighting filters have forgotten."""
_TRANSFORM_TAILS = 9
"""Filter memories in one transform, which is short enough for the processor's cache."""

_MAX_HOPS_AT_ONCE = 1 << 16


class LoudnessSurvey:
    """Takes the blocks of a mix in order and predicts its loudness."""

    def __init__(self, sample_rate: int, layout: Layout) -> None:
        self._rate = sample_rate
        self._weights = np.array(layout.loudness_weights, np.float32)
        # A power of two, so that the transform is quick.
        self._tail = 1 << math.ceil(math.log2(_FILTER_MEMORY_SECONDS * sample_rate))
        self._weighting = k_weighting_response(sample_rate, _TRANSFORM_TAILS * self._tail)
        self._previous: Samples = np.zeros((self._tail, len(layout.channels)), np.float32)
        self._oversampler = Oversampler(sample_rate, len(layout.channels))
        self._powers = _HopReducer(sample_rate, np.add)
        self._peaks = _HopReducer(OVERSAMPLING * sample_rate, np.maximum)

    def write(self, samples: Samples) -> None:
        """Append samples of shape (frames, channels)."""
        if len(samples):
            self._peaks.add(loudest_channel(self._oversampler.process(samples)))
        for start in range(0, len(samples), step := (_TRANSFORM_TAILS - 1) * self._tail):
            self._powers.add(self._weighted_power(samples[start : start + step]))

    def finish(self) -> None:
        """Process what is left; no samples follow."""
        self._peaks.add(loudest_channel(self._oversampler.finish()))
        self._powers.finish()
        self._peaks.finish()

    def peaks(self, gain: float) -> NDArray[np.float32]:
        """Return the true peak of each `PEAK_HOP_SECONDS` after `gain` dB, linear."""
        return self._peaks.values * np.float32(10 ** (gain / 20))

    def loudness(self, gain: float = 0.0, ceiling: float | None = None) -> Loudness:
        """Predict the loudness after `gain` dB and, with a `ceiling` (dBTP), the limiter; without range."""
        power = self._powers.values * 10 ** (gain / 10)
        peak = self.peaks(gain)
        if ceiling is not None:
            reduction = _reduction(peak[: len(power)], ceiling)
            power = power * 10 ** (-reduction / 10)
        highest = float(peak.max()) if len(peak) else 0.0
        found = 20 * float(np.log10(highest)) if highest > 0 else None
        power = power / (PEAK_HOP_SECONDS * self._rate)
        long_enough = len(power) >= _BLOCK_HOPS
        return Loudness(
            integrated=gated_loudness(block_powers(power, _BLOCK_HOPS, _STEP_HOPS)) if long_enough else None,
            peak=None,
            true_peak=found if found is None or ceiling is None else min(found, ceiling),
        )

    def _weighted_power(self, samples: Samples) -> NDArray[np.float32]:
        """Compute the K-weighted power of each frame by overlap-save convolution."""
        whole = np.concatenate((self._previous, samples))
        self._previous = whole[-self._tail :]
        power = np.zeros(len(samples), np.float32)
        for channel, weight in enumerate(self._weights):
            if weight:
                spectrum = np.fft.rfft(whole[:, channel], _TRANSFORM_TAILS * self._tail)
                weighted = np.fft.irfft(spectrum * self._weighting)[self._tail : len(whole)].astype(np.float32)
                power += weight * weighted * weighted
        return power


class _HopReducer:
    """Reduces a stream of numbers to one number for each hop."""

    def __init__(self, rate: int, reduce: "np.ufunc") -> None:
        self._hop = PEAK_HOP_SECONDS * rate
        self._reduce = reduce
        self._remainder: NDArray[np.float32] = np.zeros(0, np.float32)
        self._remainder_start = 0
        """Index in the stream of the first number that waits."""
        self._count = 0
        """Hops that are complete."""
        self._chunks: list[NDArray[np.float32]] = []
        self.values: NDArray[np.float32] = np.zeros(0, np.float32)

    def add(self, numbers: NDArray[np.float32]) -> None:
        """Append numbers; those that do not fill a hop wait."""
        held = np.concatenate((self._remainder, numbers))
        # One edge more than there can be; those beyond what is held are for the next time.
        indices = np.arange(self._count, self._count + int(len(held) / self._hop) + 3)
        edges = np.rint(indices * self._hop).astype(np.int64) - self._remainder_start
        edges = edges[edges <= len(held)]
        if len(edges) > 1:
            self._chunks.append(self._reduce.reduceat(held[: edges[-1]], edges[:-1]).astype(np.float32))
            self._count += len(edges) - 1
            self._remainder_start += int(edges[-1])
            held = held[edges[-1] :]
        self._remainder = held

    def finish(self) -> None:
        """Make the last hop of the numbers that wait, and set `values`."""
        rest = [self._reduce.reduce(self._remainder, keepdims=True)] if len(self._remainder) else []
        self.values = np.concatenate([self.values, *self._chunks, *rest])
        self._chunks, self._remainder = [], self._remainder[:0]


def _reduction(peak: NDArray[np.float32], ceiling: float) -> NDArray[np.float32]:
    """Predict how many dB the limiter takes from each hop (`limiter.Limiter`)."""
    held = np.maximum(20 * np.log10(np.maximum(peak, 1e-9)) - ceiling, 0.0)
    fall = RELEASE_DB_PER_SECOND * PEAK_HOP_SECONDS * np.arange(1, _MAX_HOPS_AT_ONCE + 1)
    level = 0.0
    # In parts, since the sum that falls steadily wants twice the digits.
    for start in range(0, len(held), _MAX_HOPS_AT_ONCE):
        part = held[start : start + _MAX_HOPS_AT_ONCE]
        fallen = fall[: len(part)]
        part[:] = np.maximum.accumulate(np.maximum(part + fallen, level)) - fallen
        level = float(part[-1])
    # It is down before a peak comes.
    held[:-1] = np.maximum(held[:-1], held[1:])
    return held
