"""What training minimises, and the figures it is judged by."""

import torch
from torch import Tensor

RATIO_FLOOR = 1e-3
"""Error to signal ratio below which the logarithm flattens: 30 dB."""
RATIO_WEIGHT = 0.3
MASK_FLOOR = 1e-5
SILENCE = 1e-8
"""Mean power of a bin below which a part is silent."""
EPSILON = 1e-9


def separation_loss(masks: Tensor, parts: Tensor, background: Tensor) -> Tensor:
    """Compare masked with true parts; each part counts as much as any other, however quiet it is.

    The compressed error, of spectra whose magnitudes are square roots, is taken relative to half the part and
    half the background. The error of linear spectra enters by its logarithm, relative to the part, or to the
    background where the part is silent.
    Both are squares of a mask times what does not depend on it, so little is left to be differentiated.

    Args:
        masks: Shape (batch, parts, spectra, bins).
        parts: Complex spectra of the truth, of that shape.
        background: Complex, shape (batch, spectra, bins).

    Returns:
        A scalar.

    """
    with torch.no_grad():
        whole = _power(background)[:, None]
        part = _power(parts)
        cross = parts.real * background.real[:, None] + parts.imag * background.imag[:, None]
        soft_whole, soft_part = (whole + EPSILON).sqrt(), (part + EPSILON).sqrt()
        soft_cross = cross * (soft_whole * soft_part).rsqrt()
        part_mean, whole_mean = part.mean(dim=(-2, -1)), whole.mean(dim=(-2, -1))
        scale = 0.5 * soft_part.mean(dim=(-2, -1)) + 0.5 * soft_whole.mean(dim=(-2, -1))
        sounding = (whole_mean > SILENCE).expand_as(part_mean)
        present = part_mean > 1e-6 * whole_mean + SILENCE
        reference = torch.where(present, part_mean, whole_mean) + EPSILON
        floor = torch.where(present, RATIO_FLOOR, 3 * RATIO_FLOOR)
    error = _squared_error((masks + MASK_FLOOR).sqrt(), soft_part, soft_cross, soft_whole) / scale
    ratio = _squared_error(masks, part, cross, whole) / reference
    terms = error + RATIO_WEIGHT * torch.log10(ratio.clamp(min=0) + floor)
    return (terms * sounding).sum() / sounding.sum().clamp(min=1)


def si_sdr(estimate: Tensor, truth: Tensor) -> Tensor:
    """Scale-invariant signal to distortion ratio in dB over the last axis."""
    energy = truth.square().sum(-1, keepdim=True) + EPSILON
    target = truth * ((estimate * truth).sum(-1, keepdim=True) / energy)
    noise = (estimate - target).square().sum(-1)
    return 10 * torch.log10((target.square().sum(-1) + EPSILON) / (noise + EPSILON))


def sdr(estimate: Tensor, truth: Tensor) -> Tensor:
    """Signal to distortion ratio in dB over the last axis; level errors count."""
    noise = (estimate - truth).square().sum(-1)
    return 10 * torch.log10((truth.square().sum(-1) + EPSILON) / (noise + EPSILON))


def _squared_error(masks: Tensor, part: Tensor, cross: Tensor, whole: Tensor) -> Tensor:
    """Mean of |mask * whole - part|^2 over spectra and bins, of the powers and of the real cross spectrum."""
    return ((masks * whole - 2 * cross) * masks + part).mean(dim=(-2, -1))


def _power(spectra: Tensor) -> Tensor:
    return spectra.real.square() + spectra.imag.square()
