"""The peaks of a sound: its highest sample, and the highest value between samples (ITU-R BS.1770-5, annex 2)."""

import math
from typing import Any, cast

import numpy as np
import soxr  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray

from pipeline.audio.io import Samples

_PHASE_TAPS = (
    *(0.0017089843750, 0.0109863281250, -0.0196533203125, 0.0332031250000, -0.0594482421875, 0.1373291015625),
    *(0.9721679687500, -0.1022949218750, 0.0476074218750, -0.0266113281250, 0.0148925781250, -0.0083007812500),
    *(-0.0291748046875, 0.0292968750000, -0.0517578125000, 0.0891113281250, -0.1665039062500, 0.4650878906250),
    *(0.7797851562500, -0.2003173828125, 0.1015625000000, -0.0582275390625, 0.0330810546875, -0.0189208984375),
)
"""Taps of the standard's filter for the first two of its four phases; the others mirror them."""
_TAPS = 12
_CHUNK_FRAMES = 128
"""Frames whose highest sample decides together whether they are filtered."""
OVERSAMPLING = 4
"""Times the sample rate at which true peaks are found."""
_MAX_FRAMES_AT_ONCE = 1 << 14
"""Frames that are oversampled together, which keeps memory flat."""

_soxr = cast("Any", soxr)


class TruePeakMeter:
    """Finds the sample peak and the true peak of a sound that comes in blocks, by the standard's filter.

    A filter cannot give more than the sum of its taps' magnitudes times the highest sample under it. Chunks that
    stay below what was found already are left out, which changes nothing and leaves a small part to be filtered.
    """

    def __init__(self, channels: int) -> None:
        half = np.array(_PHASE_TAPS, np.float32).reshape(2, _TAPS)
        self._filters: NDArray[np.float32] = np.concatenate([half, half[:, ::-1]]).T
        self._max_gain = float(np.abs(half).sum(axis=1).max())
        self._held = np.zeros((_TAPS - 1, channels), np.float32)
        self.sample_peak = 0.0
        """The highest sample so far, linear."""
        self.true_peak = 0.0
        """The highest value so far, between samples too, linear, as if silence came before the sound."""

    def write(self, samples: Samples) -> None:
        """Append samples of shape (frames, channels)."""
        self.sample_peak = max(self.sample_peak, highest_sample(samples))
        self.true_peak = max(self.true_peak, self.sample_peak)
        held = np.concatenate([self._held, samples])
        chunks = (len(held) - _TAPS + 1) // _CHUNK_FRAMES
        self._held = held[chunks * _CHUNK_FRAMES :]
        if not chunks:
            return
        # Row i holds the samples under the filters for chunk i.
        windows = np.lib.stride_tricks.sliding_window_view(held, _CHUNK_FRAMES + _TAPS - 1, axis=0)[::_CHUNK_FRAMES][
            :chunks
        ]
        highest = np.abs(windows).max(axis=(1, 2))
        order = np.argsort(-highest)
        for start in range(0, len(order), _CHUNK_FRAMES):
            chosen = order[start : start + _CHUNK_FRAMES]
            chosen = chosen[highest[chosen] * self._max_gain > self.true_peak]
            if not len(chosen):
                return
            under = np.lib.stride_tricks.sliding_window_view(windows[chosen], _TAPS, axis=2)
            self.true_peak = max(self.true_peak, float(np.abs(under @ self._filters).max()))

    def finish(self) -> None:
        """Let silence follow the last sample."""
        self.write(np.zeros((_CHUNK_FRAMES + _TAPS, self._held.shape[1]), np.float32))


class Oversampler:
    """Raises the sample rate of a sound that comes in blocks, by a steep filter, without seams."""

    def __init__(self, sample_rate: int, channels: int, factor: int = OVERSAMPLING) -> None:
        self._stream = _soxr.ResampleStream(sample_rate, factor * sample_rate, channels, dtype="float32", quality="HQ")
        self._channels = channels

    def process(self, samples: Samples) -> Samples:
        """Take the next samples, shape (frames, channels), and return what is ready at the higher rate."""
        return cast("Samples", self._stream.resample_chunk(np.ascontiguousarray(samples))).reshape(-1, self._channels)

    def finish(self) -> Samples:
        """Return the rest."""
        rest = self._stream.resample_chunk(np.zeros((0, self._channels), np.float32), last=True)
        return cast("Samples", rest).reshape(-1, self._channels)


class SteepTruePeakMeter:
    """Finds the sample peak and the true peak by a filter far steeper than the standard's least.

    The standard's filter can read noise 0.3 dB low; this one is slower.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._oversampler = Oversampler(sample_rate, channels)
        self.sample_peak = 0.0
        """The highest sample so far, linear."""
        self.true_peak = 0.0
        """The highest value so far, between samples too, linear."""

    def write(self, samples: Samples) -> None:
        """Append samples of shape (frames, channels)."""
        self.sample_peak = max(self.sample_peak, highest_sample(samples))
        for start in range(0, len(samples), _MAX_FRAMES_AT_ONCE):
            self._read(self._oversampler.process(samples[start : start + _MAX_FRAMES_AT_ONCE]))

    def finish(self) -> None:
        """Read what the filter has kept back; no samples follow."""
        self._read(self._oversampler.finish())

    def _read(self, oversampled: Samples) -> None:
        self.true_peak = max(self.true_peak, self.sample_peak, highest_sample(oversampled))


def highest_sample(samples: Samples) -> float:
    """Find the highest magnitude of all samples, linear."""
    return float(max(samples.max(initial=0.0), -samples.min(initial=0.0)))


def loudest_channel(samples: Samples) -> NDArray[np.float32]:
    """Find the highest magnitude of each frame over all channels; quicker than a maximum along a short axis.

    Args:
        samples: Shape (frames, channels).

    Returns:
        Shape (frames,), linear.
    """
    peaks = np.abs(samples[:, 0])
    for channel in range(1, samples.shape[1]):
        np.maximum(peaks, np.abs(samples[:, channel]), out=peaks)
    return peaks


def peak_decibels(amplitude: float) -> float | None:
    """Convert a linear peak to dBFS or dBTP, rounded to 0.01; None for silence."""
    return round(20 * math.log10(amplitude), 2) if amplitude > 0 else None
