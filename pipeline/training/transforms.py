"""Fourier transforms in single precision; the one typed door to scipy's."""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal  # pyright: ignore[reportMissingTypeStubs]

Real = NDArray[np.float32]
Complex = NDArray[np.complex64]

_fft = cast("Any", fft)
_signal = cast("Any", signal)


def forward(samples: Real, size: int) -> Complex:
    """Transform real samples, filled up with zeros to `size`; shape (size // 2 + 1,)."""
    return np.asarray(_fft.rfft(samples, size), np.complex64)


def inverse(spectrum: Complex, size: int) -> Real:
    """Transform back to `size` real samples."""
    return np.asarray(_fft.irfft(spectrum, size), np.float32)


def fast_size(frames: int) -> int:
    """The next length at or above a number of frames that is quick to transform."""
    return int(_fft.next_fast_len(frames, real=True))


def frequencies(size: int, sample_rate: int) -> Real:
    """Frequencies of the bins of a transform, Hz."""
    return np.arange(size // 2 + 1, dtype=np.float32) * np.float32(sample_rate / size)


def convolve(samples: Real, response: Real) -> Real:
    """Convolve, cut to the length of the samples."""
    size = fast_size(len(samples) + len(response))
    return inverse(forward(samples, size) * forward(response, size), size)[: len(samples)]


def filter_sections(sections: NDArray[np.float64], samples: Real) -> NDArray[np.float64]:
    """Run second-order sections over the first axis."""
    return np.asarray(_signal.sosfilt(sections, samples, axis=0), np.float64)
