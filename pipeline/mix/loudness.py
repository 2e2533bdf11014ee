"""How loud a sound is, measured block by block: ITU-R BS.1770-5 gated loudness and sample peak."""

import math
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy import signal  # pyright: ignore[reportMissingTypeStubs]

from pipeline.sound import Samples
from pipeline.types import Loudness

_STEPS = 4
"""Steps of 100 ms in a gating block of 400 ms."""
_ABSOLUTE_GATE = -70.0
"""LUFS."""
_RELATIVE_GATE = -10.0
"""LU below the mean of what passes the absolute gate."""
_OFFSET = -0.691
"""dB, so that a full-scale 997 Hz sine in one channel reads -3.01 LUFS."""

_signal = cast("Any", signal)


class Meter:
    """Measures a sound of one or two channels in constant memory (80 bytes a second)."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._weighting = _k_weighting(sample_rate)
        self._state: NDArray[np.float64] = np.zeros((len(self._weighting), 2, channels))
        self._step = round(sample_rate / 10)
        self._rest: NDArray[np.float64] = np.zeros(0)
        self._energies: list[float] = []
        self._peak = 0.0

    def add(self, samples: Samples) -> None:
        """Hear samples of shape (frames, channels)."""
        if not len(samples):
            return
        self._peak = max(self._peak, float(np.abs(samples).max()))
        weighted, self._state = _signal.sosfilt(self._weighting, samples.astype(np.float64), axis=0, zi=self._state)
        power = np.concatenate((self._rest, np.square(weighted).sum(axis=1)))
        whole = len(power) - len(power) % self._step
        self._energies.extend(power[:whole].reshape(-1, self._step).mean(axis=1).tolist())
        self._rest = power[whole:]

    def read(self) -> Loudness:
        """The loudness so far; None for silence, and for less than 0.4 s."""
        return Loudness(integrated=_gated(np.array(self._energies)), peak=decibels(self._peak))


def decibels(amplitude: float) -> float | None:
    """A linear amplitude in dB, rounded to 0.01; None for zero."""
    return round(20 * math.log10(amplitude), 2) if amplitude > 0 else None


def _gated(energies: NDArray[np.float64]) -> float | None:
    if len(energies) < _STEPS:
        return None
    blocks = np.convolve(energies, np.full(_STEPS, 1 / _STEPS), mode="valid")
    audible = blocks[blocks > _power(_ABSOLUTE_GATE)]
    if not len(audible):
        return None
    kept = audible[audible > audible.mean() * 10 ** (_RELATIVE_GATE / 10)]
    return round(_OFFSET + 10 * math.log10(float(kept.mean())), 2)


def _power(loudness: float) -> float:
    return 10 ** ((loudness - _OFFSET) / 10)


def _k_weighting(sample_rate: int) -> NDArray[np.float64]:
    """Both filters of BS.1770 as second-order sections.

    The standard gives them for 48 kHz only; the analogue prototypes are those that B. De Man
    derived from it ("Evaluation of implementations of the EBU R128 loudness measurement", 2018).
    """
    k, q, gain = math.tan(math.pi * 1681.974450955533 / sample_rate), 0.7071752369554196, 3.999843853973347
    high = 10 ** (gain / 20)
    band = high**0.4996667741545416
    norm = 1 + k / q + k * k
    shelf = [
        *((high + band * k / q + k * k) / norm, 2 * (k * k - high) / norm, (high - band * k / q + k * k) / norm),
        *(1.0, 2 * (k * k - 1) / norm, (1 - k / q + k * k) / norm),
    ]
    k, q = math.tan(math.pi * 38.13547087602444 / sample_rate), 0.5003270373238773
    norm = 1 + k / q + k * k
    return np.array([shelf, [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / norm, (1 - k / q + k * k) / norm]])
