"""Spectra of waves and back, of unit energy and in the same bands of frequency at any rate."""

from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor

from pipeline.separation.engines.background.network.tensors import inverse_stft

SAMPLE_RATE = 44_100


@dataclass(frozen=True, slots=True, kw_only=True)
class Stft:
    """Windows that spectra are taken with: a Hann window to a power, the same for the way there and back."""

    size: int
    """Frames of a window."""
    overlap: int
    """Windows that each frame is in; they are `size / overlap` apart."""
    hann_power: float

    @property
    def bins(self) -> int:
        """Bins of a spectrum."""
        return self.size // 2 + 1

    @property
    def hop(self) -> int:
        """Frames from one window to the next."""
        return self.size // self.overlap

    def at(self, sample_rate: int) -> "Stft":
        """Windows whose bins lie as far apart at this rate as these do at `SAMPLE_RATE`."""
        return replace(self, size=self.overlap * round(self.size * sample_rate / SAMPLE_RATE / self.overlap))


HALF_OVERLAP = Stft(size=2048, overlap=2, hann_power=0.5)
QUARTER_HOP = Stft(size=4096, overlap=4, hann_power=1.0)
"""The windows that Spleeter's networks were trained with."""


def analyse(waves: Tensor, stft: Stft = HALF_OVERLAP) -> Tensor:
    """Take spectra.

    Args:
        waves: Shape (..., frames).
        stft: The windows.

    Returns:
        Complex, shape (..., spectra, stft.bins). White noise of RMS 1 has bins of the power of the window in
        the mean: 0.5 for `HALF_OVERLAP`, 0.375 for `QUARTER_HOP`.

    """
    flat = waves.reshape(-1, waves.shape[-1])
    spectra = torch.stft(flat, stft.size, stft.hop, window=_window(stft, waves.device), return_complex=True)
    return (spectra * stft.size**-0.5).transpose(-1, -2).reshape(*waves.shape[:-1], -1, stft.bins)


def synthesise(spectra: Tensor, frames: int, stft: Stft = HALF_OVERLAP) -> Tensor:
    """Make waves of spectra; together with `analyse` this changes nothing.

    Args:
        spectra: Complex, shape (..., spectra, stft.bins).
        frames: Length of the waves.
        stft: The windows that the spectra were taken with.

    Returns:
        Shape (..., frames).

    """
    flat = spectra.reshape(-1, *spectra.shape[-2:]).transpose(-1, -2) * stft.size**0.5
    window = _window(stft, spectra.device)
    return inverse_stft(flat, stft.hop, window, frames).reshape(*spectra.shape[:-2], frames)


@cache
def _window(stft: Stft, device: torch.device) -> Tensor:
    return torch.hann_window(stft.size, device=device) ** stft.hann_power
