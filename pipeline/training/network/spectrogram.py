"""Spectra of waves and back, of unit energy and in the same bands of frequency at any rate."""

from functools import cache

import torch
from torch import Tensor

from pipeline.training.network.tensors import inverse_stft

SIZE = 2048
"""Frames of a window at `SAMPLE_RATE`."""
HOP = 1024
SAMPLE_RATE = 44_100
BINS = SIZE // 2 + 1


def window_size(sample_rate: int) -> int:
    """Frames of a window whose bins lie as far apart as at `SAMPLE_RATE`; even."""
    return 2 * round(SIZE * sample_rate / SAMPLE_RATE / 2)


def analyse(waves: Tensor, size: int = SIZE) -> Tensor:
    """Take spectra.

    Args:
        waves: Shape (..., frames).
        size: Frames of a window; they overlap by half.

    Returns:
        Complex, shape (..., spectra, size / 2 + 1). White noise of RMS 1 has bins of power 0.5 in the mean.

    """
    flat = waves.reshape(-1, waves.shape[-1])
    spectra = torch.stft(flat, size, size // 2, window=_window(size, waves.device), return_complex=True)
    return (spectra * size**-0.5).transpose(-1, -2).reshape(*waves.shape[:-1], -1, size // 2 + 1)


def synthesise(spectra: Tensor, frames: int) -> Tensor:
    """Make waves of spectra; together with `analyse` this changes nothing.

    Args:
        spectra: Complex, shape (..., spectra, bins).
        frames: Length of the waves.

    Returns:
        Shape (..., frames).

    """
    size = 2 * (spectra.shape[-1] - 1)
    flat = spectra.reshape(-1, *spectra.shape[-2:]).transpose(-1, -2) * size**0.5
    window = _window(size, spectra.device)
    return inverse_stft(flat, size, window, frames).reshape(*spectra.shape[:-2], frames)


@cache
def _window(size: int, device: torch.device) -> Tensor:
    """Square root of a Hann window: its square sums to 1 at half overlap."""
    return torch.hann_window(size, device=device).sqrt()
