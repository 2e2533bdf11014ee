"""What training minimises, and the figures it is judged by."""

import torch
from torch import Tensor

LINEAR_WEIGHT = 0.5
MIN_SOFT_SHARE = 0.1
"""Least power of a part, relative to the background, that errors of compressed spectra are measured by."""
MIN_LINEAR_SHARE = 0.01
"""The same of spectra as they are."""
MASK_FLOOR = 1e-5
SILENCE = 1e-8
"""Mean power of a bin below which a part is silent."""
EPSILON = 1e-9


def separation_loss(masks: Tensor, parts: Tensor, background: Tensor) -> Tensor:
    """Compare masked with true parts; each part counts as much as any other, however quiet it is.

    Errors are squared, of spectra as they are and of spectra whose magnitudes are square roots, and relative
    to the geometric mean of the part and the background, so that quiet parts count. Squares make the masks
    expectations. A logarithm of the error would have them gamble, all or nothing: a part that comes out clean
    is worth more by it than one that is lost costs.

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
        whole_mean = whole.mean(dim=(-2, -1))
        sounding = (whole_mean > SILENCE).expand(parts.shape[:2])
        soft_scale = _scale(soft_part, soft_whole, MIN_SOFT_SHARE)
        scale = _scale(part, whole, MIN_LINEAR_SHARE)
    soft_error = _squared_error((masks + MASK_FLOOR).sqrt(), soft_part, soft_cross, soft_whole) / soft_scale
    error = _squared_error(masks, part, cross, whole) / scale
    terms = soft_error + LINEAR_WEIGHT * error
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
    """Geometric mean of a part's and the background's mean power."""
    whole_mean = whole.mean(dim=(-2, -1))
    part_mean = torch.maximum(part.mean(dim=(-2, -1)), least_share * whole_mean)
    return (part_mean * whole_mean).sqrt() + EPSILON


def _power(spectra: Tensor) -> Tensor:
    return spectra.real.square() + spectra.imag.square()
