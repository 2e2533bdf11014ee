"""The typed door to those functions of torch that have no types."""

from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_torch = cast("Any", torch)


def tensor_of(array: NDArray[np.float32]) -> Tensor:
    """Share an array's memory."""
    return cast("Tensor", _torch.from_numpy(array))


def inverse_stft(spectra: Tensor, size: int, window: Tensor, frames: int) -> Tensor:
    """Make waves of spectra of shape (batch, bins, spectra) that overlap by half."""
    return cast("Tensor", _torch.istft(spectra, size, size // 2, window=window, length=frames))


def seed_weights(seed: int) -> None:
    """Make the weights that are drawn next the same each time."""
    _torch.manual_seed(seed)


def differentiate(loss: Tensor) -> None:
    """Add the gradients of a loss to the weights it came from."""
    cast("Any", loss).backward()


def split_last(values: Tensor, widths: list[int]) -> tuple[Tensor, ...]:
    """Part the last axis."""
    return torch.split(values, widths, dim=-1)
