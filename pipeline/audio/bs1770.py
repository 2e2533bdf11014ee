"""Loudness by ITU-R BS.1770-5, annex 1: K-weighting, gating blocks, integrated loudness.

The two filters of the K-weighting are the standard's tables as analogue prototypes, so that they hold at any sample
rate (B. De Man, "Evaluation of implementations of the EBU R128 loudness measurement", AES 145, 2018).
"""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.channels import Layout
from pipeline.audio.io import Samples

BLOCK_SECONDS = 0.4
"""Length of a gating block."""
BLOCK_STEP_SECONDS = 0.1
"""From the start of a gating block to that of the next."""
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
_OFFSET_LUFS = -0.691
"""Loudness of a K-weighted power of 1."""
_SHELF_HZ, _SHELF_DB, _SHELF_Q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
_SHELF_BAND_EXPONENT = 0.4996667741545416
_HIGH_PASS_HZ, _HIGH_PASS_Q = 38.13547087602444, 0.5003270373238773
_MAX_SHELF_RATE_SHARE = 0.45
"""Part of the sample rate above which the shelf cannot lie."""


def k_weighting(sample_rate: int) -> NDArray[np.float64]:
    """Compute both filters of the K-weighting as second-order sections, shape (2, 6)."""
    k = np.tan(np.pi * min(_SHELF_HZ, _MAX_SHELF_RATE_SHARE * sample_rate) / sample_rate)
    high = 10 ** (_SHELF_DB / 20)
    band = high**_SHELF_BAND_EXPONENT
    a0 = 1 + k / _SHELF_Q + k * k
    shelf = (
        *((high + band * k / _SHELF_Q + k * k) / a0, 2 * (k * k - high) / a0),
        *((high - band * k / _SHELF_Q + k * k) / a0, 1.0, 2 * (k * k - 1) / a0, (1 - k / _SHELF_Q + k * k) / a0),
    )
    k = np.tan(np.pi * _HIGH_PASS_HZ / sample_rate)
    a0 = 1 + k / _HIGH_PASS_Q + k * k
    # The numerator is that of the standard's table at each rate.
    high_pass = (1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / _HIGH_PASS_Q + k * k) / a0)
    return np.array([shelf, high_pass])


def k_weighting_response(sample_rate: int, size: int) -> NDArray[np.complex64]:
    """Compute the K-weighting at the frequencies of a real Fourier transform, shape (size // 2 + 1,)."""
    z = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    response = np.ones(len(z), np.complex128)
    for b0, b1, b2, a0, a1, a2 in k_weighting(sample_rate):
        response *= (b0 + b1 * z + b2 * z * z) / (a0 + a1 * z + a2 * z * z)
    return response.astype(np.complex64)


def block_powers(powers: NDArray[np.floating], block: int, step: int) -> NDArray[np.float64]:
    """Average powers over gating blocks.

    Args:
        powers: K-weighted power of each frame or hop, channels summed by their weights.
        block: Length of a gating block in frames or hops, at most `len(powers)`.
        step: From one block to the next.

    Returns:
        The mean power of each whole block.
    """
    sums = np.concatenate(([0.0], np.cumsum(powers, dtype=np.float64)))
    return (sums[block::step] - sums[: len(sums) - block : step]) / block


def gated_loudness(powers: NDArray[np.float64]) -> float | None:
    """Compute the integrated loudness in LUFS from the mean powers of gating blocks; None for silence."""
    above = powers[powers > 10 ** ((ABSOLUTE_GATE_LUFS - _OFFSET_LUFS) / 10)]
    if not len(above):
        return None
    above = above[above > above.mean() * 10 ** (RELATIVE_GATE_LU / 10)]
    return _OFFSET_LUFS + 10 * float(np.log10(above.mean()))


def integrated_loudness(samples: Samples, sample_rate: int, layout: Layout) -> float | None:
    """Measure the loudness of a short sound in memory.

    Args:
        samples: Shape (frames, channels). A sound shorter than a gating block counts as one block.
        sample_rate: Hz.
        layout: Gives the weight of each channel.

    Returns:
        LUFS; None for silence.
    """
    from scipy import signal  # pyright: ignore[reportMissingTypeStubs] - takes half a second to import

    if not len(samples):
        return None
    weighted = cast("Any", signal).sosfilt(k_weighting(sample_rate), samples.astype(np.float64), axis=0)
    powers: NDArray[np.float64] = np.square(weighted) @ np.asarray(layout.loudness_weights)
    block = round(BLOCK_SECONDS * sample_rate)
    if len(powers) <= block:
        return gated_loudness(powers.mean(keepdims=True))
    return gated_loudness(block_powers(powers, block, round(BLOCK_STEP_SECONDS * sample_rate)))
