"""The peaks of a sound: its highest sample, and the highest value between samples (ITU-R BS.1770-5, annex 2)."""

import math
from typing import Any, cast

import numpy as np
import soxr  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray

from pipeline.audio.io import Samples

_STAGES = (
    *(0.0017089843750, 0.0109863281250, -0.0196533203125, 0.0332031250000, -0.0594482421875, 0.1373291015625),
    *(0.9721679687500, -0.1022949218750, 0.0476074218750, -0.0266113281250, 0.0148925781250, -0.0083007812500),
    *(-0.0291748046875, 0.0292968750000, -0.0517578125000, 0.0891113281250, -0.1665039062500, 0.4650878906250),
    *(0.7797851562500, -0.2003173828125, 0.1015625000000, -0.0582275390625, 0.0330810546875, -0.0189208984375),
)
"""The standard's filter for the first two of four values between samples; the others mirror them."""
_TAPS = 12
_PIECE = 128
"""Frames that are looked at together."""
OVERSAMPLING = 4
_AT_ONCE = 1 << 14
"""Frames of which there are four times as many for a moment."""

_soxr = cast("Any", soxr)


class TruePeakMeter:
    """Takes blocks of samples of shape (frames, channels) in order.

    A filter cannot give more than the sum of its taps' magnitudes times the highest sample under it. Pieces that
    stay below what was found already are left out, which changes nothing and leaves a small part to be filtered.
    """

    def __init__(self, channels: int) -> None:
        half = np.array(_STAGES, np.float32).reshape(2, _TAPS)
        self._filters: NDArray[np.float32] = np.concatenate([half, half[:, ::-1]]).T
        self._most = float(np.abs(half).sum(axis=1).max())
        self._held = np.zeros((_TAPS - 1, channels), np.float32)
        self.sample_peak = 0.0
        """The highest sample so far, linear."""
        self.true_peak = 0.0
        """The same with what lies between samples, as if silence came before them."""

    def write(self, samples: Samples) -> None:
        """Append samples."""
        self.sample_peak = max(self.sample_peak, float(np.abs(samples).max(initial=0.0)))
        self.true_peak = max(self.true_peak, self.sample_peak)
        held = np.concatenate([self._held, samples])
        pieces = (len(held) - _TAPS + 1) // _PIECE
        self._held = held[pieces * _PIECE :]
        if not pieces:
            return
        # Row i holds the samples under the filters for piece i.
        windows = np.lib.stride_tricks.sliding_window_view(held, _PIECE + _TAPS - 1, axis=0)[::_PIECE][:pieces]
        highest = np.abs(windows).max(axis=(1, 2))
        order = np.argsort(-highest)
        for start in range(0, len(order), _PIECE):
            chosen = order[start : start + _PIECE]
            chosen = chosen[highest[chosen] * self._most > self.true_peak]
            if not len(chosen):
                return
            under = np.lib.stride_tricks.sliding_window_view(windows[chosen], _TAPS, axis=2)
            self.true_peak = max(self.true_peak, float(np.abs(under @ self._filters).max()))

    def finish(self) -> None:
        """Tell that silence follows."""
        self.write(np.zeros((_PIECE + _TAPS, self._held.shape[1]), np.float32))


class SteepTruePeakMeter:
    """The same by a filter far steeper than the standard's least, which can read noise 0.3 dB low; slower."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._upsampler = _soxr.ResampleStream(
            sample_rate, OVERSAMPLING * sample_rate, channels, dtype="float32", quality="HQ"
        )
        self._channels = channels
        self.sample_peak = 0.0
        """The highest sample so far, linear."""
        self.true_peak = 0.0
        """The same with what lies between samples."""

    def write(self, samples: Samples) -> None:
        """Append samples."""
        self.sample_peak = max(self.sample_peak, _highest(samples))
        for start in range(0, len(samples), _AT_ONCE):
            self._look(self._upsampler.resample_chunk(np.ascontiguousarray(samples[start : start + _AT_ONCE])))

    def finish(self) -> None:
        """Tell that this was all."""
        self._look(self._upsampler.resample_chunk(np.zeros((0, self._channels), np.float32), last=True))

    def _look(self, samples: Samples) -> None:
        self.true_peak = max(self.true_peak, self.sample_peak, _highest(samples))


def _highest(samples: Samples) -> float:
    return float(max(samples.max(initial=0.0), -samples.min(initial=0.0)))


def peak_decibels(amplitude: float) -> float | None:
    """A peak in dBFS or dBTP; None for silence."""
    return round(20 * math.log10(amplitude), 2) if amplitude > 0 else None
