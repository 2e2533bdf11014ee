"""A look-ahead limiter for true peaks: it turns down before a peak comes, and nothing is ever clipped.

The design is the usual one of a feed-forward limiter in the log domain (D. Giannoulis, M. Massberg,
J. D. Reiss, "Digital dynamic range compressor design", JAES 60 (6), 2012) with peaks found at four
times the sample rate (ITU-R BS.1770, annex 2): the gain that the loudest of the next few milliseconds
asks for, let go at a steady rate, then averaged over that same time. An average of gains that are
each low enough is low enough, so the ceiling holds; all channels get the same gain, so nothing moves.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.io import Blocks, Samples
from pipeline.audio.true_peak import OVERSAMPLING, Oversampler, loudest_channel

LOOK_AHEAD_SECONDS = 0.005
"""Seconds."""
RELEASE_DB_PER_SECOND = 60.0
"""dB a second."""
PEAK_HOP_SECONDS = 0.005
"""Seconds for which a survey tells one true peak."""
_HIGH_SAMPLE_RATE = 96_000
"""Hz from which samples lie close enough for half of the oversampling (BS.1770)."""


class Limiter:
    """Turns blocks down where their true peak would pass `ceiling` (dBTP); as many frames come out as go in.

    `peaks` are the true peaks of each `PEAK_HOP_SECONDS`, linear; without them the limiter finds the peaks itself.
    """

    def __init__(
        self, sample_rate: int, channels: int, ceiling: float, *, peaks: NDArray[np.float32] | None = None
    ) -> None:
        self._known_peaks = peaks
        self._hop = PEAK_HOP_SECONDS * sample_rate
        self._frames_read = 0
        self._ceiling = 10 ** (ceiling / 20)
        self._channels = channels
        self._factor = OVERSAMPLING if sample_rate < _HIGH_SAMPLE_RATE else OVERSAMPLING // 2
        self._oversampler = Oversampler(sample_rate, channels, self._factor)
        # Even, so that both averages of `_half + 1` frames have a middle.
        self._half_window = 2 * max(1, round(LOOK_AHEAD_SECONDS * sample_rate / 4))
        self._slope = RELEASE_DB_PER_SECOND / sample_rate
        # Silence before the first frame, so that the gain can be low in time for it; it is not given out.
        self._padding = 2 * self._half_window
        self._waiting: Samples = np.zeros((self._padding, channels), np.float32)
        self._partial_frame: NDArray[np.float32] = np.zeros(0, np.float32)
        self._required: NDArray[np.float32] = np.zeros(self._padding, np.float32)
        """Reduction in dB that each waiting frame and those after it ask for."""
        self._previous: NDArray[Any] = np.zeros(2 * self._half_window)
        """Reduction of the frames before, as the average sees it."""
        self.max_reduction = 0.0
        """The strongest reduction so far, dB."""

    def process(self, samples: Samples) -> Samples:
        """Take the next frames and return those that are ready; some wait until later ones are known."""
        self._waiting = np.concatenate((self._waiting, samples))
        if self._known_peaks is None:
            self._add_oversampled(self._oversampler.process(samples))
        else:
            self._add_known(self._known_peaks, len(samples))
        return self._emit(len(self._required) - 2 * self._half_window)

    def finish(self) -> Samples:
        """Return the frames that still wait."""
        if self._known_peaks is None:
            self._add_oversampled(self._oversampler.finish())
        missing = len(self._waiting) + 2 * self._half_window - len(self._required)
        self._required = np.pad(self._required, (0, max(0, missing)))
        return self._emit(len(self._waiting))

    def _add_oversampled(self, samples: Samples) -> None:
        """Find the reduction that newly oversampled sound requires, frame by frame."""
        peaks = np.concatenate((self._partial_frame, loudest_channel(samples)))
        whole = len(peaks) - len(peaks) % self._factor
        self._partial_frame = peaks[whole:]
        self._require(np.maximum.reduce([peaks[phase : whole : self._factor] for phase in range(self._factor)]))

    def _add_known(self, peaks: NDArray[np.float32], count: int) -> None:
        """Look up the reduction that the next frames require in the known peaks."""
        hops = ((np.arange(self._frames_read, self._frames_read + count) + 0.5) / self._hop).astype(np.int64)
        self._frames_read += count
        self._require(peaks[np.minimum(hops, len(peaks) - 1)])

    def _require(self, by_frame: NDArray[np.float32]) -> None:
        asked = np.zeros(len(by_frame), np.float32)
        loud = by_frame > self._ceiling
        asked[loud] = 20 * np.log10(by_frame[loud] / self._ceiling)
        self._required = np.concatenate((self._required, asked))

    def _emit(self, count: int) -> Samples:
        if count <= 0:
            return np.zeros((0, self._channels), np.float32)
        ready, self._waiting = self._waiting[:count], self._waiting[count:]
        reduction = self._reduction(count)
        self._required = self._required[count:]
        if reduction is not None:
            self.max_reduction = max(self.max_reduction, float(reduction.max()))
            ready = ready * np.power(np.float32(10.0), reduction.astype(np.float32) / -20)[:, None]
        skipped, self._padding = self._padding, max(0, self._padding - count)
        return ready[skipped:]

    def _reduction(self, count: int) -> NDArray[np.float64] | None:
        """Compute the reduction of the next frames in dB; None when there is nothing to turn down."""
        ahead = self._required[: count + 2 * self._half_window]
        if not self._previous.any() and not ahead.any():
            return None
        window = 2 * self._half_window + 1
        highest = _sliding_maximum(ahead, window)
        ramp = self._slope * np.arange(count + 1)
        held = np.maximum.accumulate(np.concatenate((self._previous[-1:], highest)) + ramp) - ramp
        whole: NDArray[np.float64] = np.concatenate((self._previous, held[1:])).astype(np.float64, copy=False)
        self._previous = whole[-2 * self._half_window :]
        # Two averages of half the length make a triangle, which is smoother than one.
        for _ in range(2):
            whole = _sliding_mean(whole, self._half_window + 1)
        return whole


def limit(blocks: Blocks, limiter: Limiter) -> Blocks:
    """Limit a sound; as many frames come out in all, and no block is empty."""
    for block in blocks:
        if len(ready := limiter.process(block)):
            yield ready
    if len(ready := limiter.finish()):
        yield ready


def _sliding_maximum(values: NDArray[np.float32], window: int) -> NDArray[np.float32]:
    """Find the maximum of each `window` values, in as many steps as the window has binary digits."""
    found, span = values, 1
    while 2 * span <= window:
        found = np.maximum(found[:-span], found[span:])
        span *= 2
    return np.maximum(found[: len(values) - window + 1], found[window - span :])


def _sliding_mean(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Average each `window` values."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    return (sums[window:] - sums[:-window]) / window
