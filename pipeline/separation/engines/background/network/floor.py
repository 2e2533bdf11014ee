"""The noise floor of a spectrogram: what goes on steadily, as `pipeline.separation.ambience` finds it, on tensors."""

import math

import torch
from torch import Tensor, nn

SPAN_SPECTRA = 172
"""Spectra over which the floor is a quantile: 4 s, half of it ahead."""
STEP_SPECTRA = 32
"""Spectra between two estimates; in between they are interpolated."""
QUANTILE = 0.4
SMOOTHING = 3
"""Neighbouring spectra and bins that power is averaged over."""
MARGIN_RATIO = 1.5
"""Power over floor up to which a bin is ambience alone."""
POWER_FLOOR = 1e-9
MIN_SHARE = 1e-3


def ambience_share(power: Tensor) -> Tensor:
    """Estimate the share of the power that lies on the noise floor.

    Args:
        power: Shape (batch, spectra, bins).

    Returns:
        The same shape, from `MIN_SHARE` to 1 - `MIN_SHARE`.

    """
    smooth = nn.functional.avg_pool2d(power[:, None], SMOOTHING, 1, SMOOTHING // 2, count_include_pad=False)[:, 0]
    smooth = smooth + POWER_FLOOR
    rise = smooth / _floor(smooth) - MARGIN_RATIO
    return (1 / (1 + rise.clamp(min=0))).clamp(MIN_SHARE, 1 - MIN_SHARE)


def _floor(power: Tensor) -> Tensor:
    """Mean power of noise that has this quantile, as noise's power is exponential."""
    count, half = power.shape[1], SPAN_SPECTRA // 2
    estimates: list[Tensor] = []
    for start in range(0, count + STEP_SPECTRA, STEP_SPECTRA):
        middle = min(start, count - 1)
        seen = power[:, max(0, middle - half) : middle + half : 2]  # neighbours share most of their samples
        estimates.append(seen.kthvalue(int(QUANTILE * (seen.shape[1] - 1)) + 1, dim=1).values)
    floors = torch.stack(estimates, dim=1)
    places = torch.arange(count, device=power.device) / STEP_SPECTRA
    before = places.long()
    share = (places - before)[:, None]
    between = floors.index_select(1, before) * (1 - share) + floors.index_select(1, before + 1) * share
    return between / -math.log1p(-QUANTILE)
