"""Loudness of whole recordings after ITU-R BS.1770, for setting the levels of mixes."""

import numpy as np
from numpy.typing import NDArray

from pipeline.training.transforms import filter_sections

BLOCK_S = 0.4
HOP_S = 0.1
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
SILENCE_LUFS = -120.0


def integrated_loudness(samples: NDArray[np.float32], sample_rate: int) -> float:
    """Gated loudness of a recording; one that is shorter than a block counts as one block.

    Args:
        samples: Shape (frames, channels); one channel counts as one loudspeaker.
        sample_rate: In Hz.

    Returns:
        LUFS, `SILENCE_LUFS` at the least.

    """
    if not len(samples):
        return SILENCE_LUFS
    power = (filter_sections(_k_weighting(sample_rate), samples) ** 2).sum(axis=1)
    block, hop = round(BLOCK_S * sample_rate), round(HOP_S * sample_rate)
    total = np.concatenate([[0.0], np.cumsum(power)])
    starts = np.arange(0, max(1, len(power) - block + 1), hop)
    ends = np.minimum(starts + block, len(power))
    blocks = (total[ends] - total[starts]) / (ends - starts)
    loud = blocks[_lufs(blocks) > ABSOLUTE_GATE_LUFS]
    if not len(loud):
        return SILENCE_LUFS
    gated = loud[_lufs(loud) > _lufs(loud.mean()) + RELATIVE_GATE_LU]
    return float(_lufs(gated.mean()))


def _lufs(power: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return np.asarray(-0.691 + 10 * np.log10(np.asarray(power) + 1e-12))


def _k_weighting(sample_rate: int) -> NDArray[np.float64]:
    """The shelf and the high-pass of the standard at any rate, by the bilinear transform of its analogue shape."""
    shelf = _biquad(1681.974450955533, 0.7071752369554196, 3.999843853973347, sample_rate)
    k = np.tan(np.pi * 38.13547087602444 / sample_rate)
    norm = 1 + k / 0.5003270373238773 + k * k
    high_pass = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / norm, (1 - k / 0.5003270373238773 + k * k) / norm]
    return np.array([shelf, high_pass])


def _biquad(frequency: float, quality: float, gain_db: float, sample_rate: int) -> list[float]:
    k = np.tan(np.pi * frequency / sample_rate)
    high = 10 ** (gain_db / 20)
    band = high**0.4996667741545416
    norm = 1 + k / quality + k * k
    return [
        float(value)
        for value in (
            (high + band * k / quality + k * k) / norm,
            2 * (k * k - high) / norm,
            (high - band * k / quality + k * k) / norm,
            1.0,
            2 * (k * k - 1) / norm,
            (1 - k / quality + k * k) / norm,
        )
    ]
