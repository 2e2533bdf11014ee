"""How loud a short sound is, by ITU-R BS.1770-5, in memory: one line of a dub takes no process of its own."""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy import signal  # pyright: ignore[reportMissingTypeStubs]

from pipeline.audio.channels import Layout
from pipeline.audio.io import Samples

_SHELF = (1681.974450955533, 3.999843853973347, 0.7071752369554196)
"""Hz, dB and Q of the first filter of the K-weighting, as an analogue prototype for any sample rate."""
_HIGH_PASS = (38.13547087602444, 0.5003270373238773)
_BLOCK, _STEP = 0.4, 0.1
"""Seconds."""
_ABSOLUTE, _RELATIVE = -70.0, -10.0
"""LUFS and LU of the two gates."""
_OFFSET = -0.691

_signal = cast("Any", signal)


def loudness_of(samples: Samples, sample_rate: int, layout: Layout) -> float | None:
    """LUFS of a sound of shape (frames, channels), gated; None for silence. What lasts less than 0.4 s is one block."""
    if not len(samples):
        return None
    weighted = _signal.sosfilt(_k_weighting(sample_rate), samples.astype(np.float64), axis=0)
    power = np.square(weighted) @ np.asarray(layout.loudness_weights)
    blocks = _blocks(power, round(_BLOCK * sample_rate), round(_STEP * sample_rate))
    heard = blocks[blocks > _power(_ABSOLUTE)]
    if not len(heard):
        return None
    heard = heard[heard > heard.mean() * 10 ** (_RELATIVE / 10)]
    return float(_OFFSET + 10 * np.log10(heard.mean()))


def _blocks(power: NDArray[np.float64], length: int, step: int) -> NDArray[np.float64]:
    if len(power) <= length:
        return power.mean(keepdims=True)
    sums = np.concatenate(([0.0], np.cumsum(power)))
    starts = np.arange(0, len(power) - length + 1, step)
    return (sums[starts + length] - sums[starts]) / length


def _power(loudness: float) -> float:
    return 10 ** ((loudness - _OFFSET) / 10)


def _k_weighting(sample_rate: int) -> NDArray[np.float64]:
    """Second-order sections; the shelf needs twice its frequency, which any sample rate for speech has."""
    frequency, gain, quality = _SHELF
    k = np.tan(np.pi * min(frequency, 0.45 * sample_rate) / sample_rate)
    high = 10 ** (gain / 20)
    band = high**0.4996667741545416
    a0 = 1 + k / quality + k * k
    shelf = [
        *((high + band * k / quality + k * k) / a0, 2 * (k * k - high) / a0, (high - band * k / quality + k * k) / a0),
        *(1.0, 2 * (k * k - 1) / a0, (1 - k / quality + k * k) / a0),
    ]
    frequency, quality = _HIGH_PASS
    k = np.tan(np.pi * frequency / sample_rate)
    a0 = 1 + k / quality + k * k
    high_pass = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / quality + k * k) / a0]
    return np.array([shelf, high_pass])
