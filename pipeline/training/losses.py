"""What training minimises, and the figures it is judged by."""

import math

import torch
from torch import Tensor

LINEAR_WEIGHT = 0.6
"""Of errors of spectra as they are; the others weigh the rest."""
CONSTANT_MASK_WEIGHT = 0.75
MIN_SOFT_SHARE = 0.1
"""Least error of a mask that is the same everywhere, relative to the background, for compressed spectra."""
MIN_LINEAR_SHARE = 0.03
"""The same of spectra as they are."""
MASK_FLOOR = 1e-5
SILENCE = 1e-8
"""Mean power of a bin below which a part is silent."""
EPSILON = 1e-9


def separation_loss(masks: Tensor, parts: Tensor, background: Tensor, *, contrast: float = 0.0) -> Tensor:
    """Compare masked with true parts; each part counts as much as any other, however quiet it is.

    Errors are squared, of spectra as they are and of spectra whose magnitudes are square roots. They are relative
    to the error of the best mask that is the same everywhere, for the most part, and to the background for the
    rest: a loud part counts by what else is left in it, a quiet one by what is found of it. Squares make the masks
    expectations. A logarithm of the error would have them gamble, all or nothing: a part that comes out clean
    is worth more by it than one that is lost costs.

    Both are squares of a mask times what does not depend on it, so little is left to be differentiated.

    Args:
        masks: Shape (batch, parts, spectra, bins).
        parts: Complex spectra of the truth, of that shape.
        background: Complex, shape (batch, spectra, bins).
        contrast: How much more parts count that come out well already: a logarithm of one and so many times
            the error.

    Returns:
        A scalar.

    """
    with torch.no_grad():
        whole = _power(background)[:, None]
        part = _power(parts)
        cross = parts.real * background.real[:, None] + parts.imag * background.imag[:, None]
        soft_whole, soft_part = (whole + EPSILON).sqrt(), (part + EPSILON).sqrt()
        soft_cross = cross * (soft_whole * soft_part).rsqrt()
        sounding = (whole.mean(dim=(-2, -1)) > SILENCE).expand(parts.shape[:2])
        soft_scale = _scale(soft_part, soft_whole, MIN_SOFT_SHARE)
        scale = _scale(part, whole, MIN_LINEAR_SHARE)
    soft_error = _squared_error((masks + MASK_FLOOR).sqrt(), soft_part, soft_cross, soft_whole) / soft_scale
    error = _squared_error(masks, part, cross, whole) / scale
    terms = (1 - LINEAR_WEIGHT) * soft_error + LINEAR_WEIGHT * error
    if contrast:
        terms = torch.log1p(contrast * terms.clamp(min=0)) / math.log1p(contrast)
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


def _scale(part: Tensor, whole: Tensor, least_share: float) -> Tensor:
    """The error of a mask that is the same everywhere, mixed with the background's power as a geometric mean."""
    whole_mean = whole.mean(dim=(-2, -1))
    share = (part.mean(dim=(-2, -1)) / (whole_mean + EPSILON)).clamp(0, 1)
    return (share * (1 - share)).clamp(min=least_share) ** CONSTANT_MASK_WEIGHT * whole_mean + EPSILON


def _power(spectra: Tensor) -> Tensor:
    return spectra.real.square() + spectra.imag.square()
