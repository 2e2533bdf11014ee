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


def inverse_stft(spectra: Tensor, hop: int, window: Tensor, frames: int) -> Tensor:
    """Make waves of spectra of shape (batch, bins, spectra)."""
    return cast("Tensor", _torch.istft(spectra, len(window), hop, window=window, length=frames))


def seed_weights(seed: int) -> None:
    """Make the weights that are drawn next the same each time."""
    _torch.manual_seed(seed)


def has_matrix_units() -> bool:
    """Tell whether the processor multiplies matrices of 16-bit floats by itself (AMX)."""
    return bool(_torch.cpu._is_amx_tile_supported())


def multiplies_short_floats() -> bool:
    """Tell whether the processor multiplies 16-bit floats quicker than others (AMX, AVX-512 BF16)."""
    return has_matrix_units() or bool(_torch.cpu._is_avx512_bf16_supported())


def differentiate(loss: Tensor) -> None:
    """Add the gradients of a loss to the weights it came from."""
    cast("Any", loss).backward()


def split_last(values: Tensor, widths: list[int]) -> tuple[Tensor, ...]:
    """Part the last axis."""
    return torch.split(values, widths, dim=-1)


def product_singular_values(left: Tensor, right: Tensor, rank: int) -> tuple[Tensor, Tensor, Tensor]:
    """Take the singular value decomposition of a product of a tall and a wide matrix.

    Args:
        left: Shape (rows, inner), more rows than columns.
        right: Shape (inner, columns), more columns than rows.
        rank: How many of the largest values to keep.

    Returns:
        Shapes (rows, rank), (rank,) and (rank, columns).

    """
    left_basis, left_rest = _torch.linalg.qr(left)
    right_basis, right_rest = _torch.linalg.qr(right.T)
    outer, values, inner = _torch.linalg.svd(left_rest @ right_rest.T)
    return left_basis @ outer[:, :rank], values[:rank], inner[:rank] @ right_basis.T
