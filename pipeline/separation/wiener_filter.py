"""Improves the vocals that an engine found with a multichannel Wiener filter over both channels of a stereo sound.

A network that processes each channel alone cannot use the difference between them. The filter is
built, per frequency, from the spatial covariances of vocals and background, estimated from the
network's own output (Duong et al. 2010; one step of the expectation maximization of Nugraha et al.
2016). In mono there is nothing to gain.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.io import Samples

FFT_FRAMES = 4096
HOP_FRAMES = FFT_FRAMES // 4
DIAGONAL_LOADING = 1e-4
"""Part of the mixture's power that is added to the diagonal, so that two equal channels can be inverted."""
MIN_POWER = 1e-12
"""Power that is added everywhere, so that silence does not divide by zero."""

Spectrum = NDArray[np.complex64]
Power = NDArray[np.float32]


def wiener_filter(mixture: Samples, vocals: Samples) -> Samples:
    """Filter stereo vocals.

    Args:
        mixture: Shape (frames, 2).
        vocals: What an engine found in it, the same shape.

    Returns:
        The filtered vocals, the same shape.
    """
    mix = _analyse(mixture)
    voice = _analyse(vocals)
    rest = mix - voice
    voice_power, rest_power = _power(voice), _power(rest)
    voice_cov, rest_cov = _covariance(voice, voice_power), _covariance(rest, rest_power)
    v00, v11, v01 = (voice_power * part for part in voice_cov)
    r00, r11, r01 = (rest_power * part for part in rest_cov)
    x00, x11, x01 = v00 + r00, v11 + r11, v01 + r01
    load = DIAGONAL_LOADING * (x00 + x11).real + MIN_POWER
    x00, x11 = x00 + load, x11 + load
    # The 2 x 2 inverse by hand: a Hermitian matrix for each bin would cost ten times as much in LAPACK.
    scale = 1 / (x00 * x11 - np.abs(x01) ** 2).real
    white0 = (x11 * mix[0] - x01 * mix[1]) * scale
    white1 = (x00 * mix[1] - x01.conj() * mix[0]) * scale
    made = np.stack([v00 * white0 + v01 * white1, v01.conj() * white0 + v11 * white1])
    return _synthesise(made, len(mixture))


def _window() -> Power:
    return np.sqrt(np.hanning(FFT_FRAMES + 1)[:-1]).astype(np.float32)


def _analyse(samples: Samples) -> Spectrum:
    """Compute the STFT, shape (2, spectra, bins); the sound is padded so that each frame is in four windows."""
    steps = -(-len(samples) // HOP_FRAMES) + FFT_FRAMES // HOP_FRAMES - 1
    padded = np.zeros(((steps - 1) * HOP_FRAMES + FFT_FRAMES, 2), np.float32)
    padded[FFT_FRAMES - HOP_FRAMES : FFT_FRAMES - HOP_FRAMES + len(samples)] = samples
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT_FRAMES, axis=0)[::HOP_FRAMES]
    return np.fft.rfft(frames.transpose(1, 0, 2) * _window()).astype(np.complex64, copy=False)


def _synthesise(spectrum: Spectrum, length: int) -> Samples:
    """Invert the STFT; squared windows a quarter apart sum to two."""
    frames = np.fft.irfft(spectrum, FFT_FRAMES).astype(np.float32, copy=False) * (_window() / 2)
    steps = frames.shape[1]
    quarters = frames.reshape(2, steps, FFT_FRAMES // HOP_FRAMES, HOP_FRAMES)
    out = np.zeros((2, steps + FFT_FRAMES // HOP_FRAMES - 1, HOP_FRAMES), np.float32)
    for index in range(FFT_FRAMES // HOP_FRAMES):
        out[:, index : index + steps] += quarters[:, :, index]
    return np.ascontiguousarray(out.reshape(2, -1)[:, FFT_FRAMES - HOP_FRAMES : FFT_FRAMES - HOP_FRAMES + length].T)


def _power(spectrum: Spectrum) -> Power:
    """Compute the mean power of both channels, shape (spectra, bins)."""
    return np.mean(spectrum.real**2 + spectrum.imag**2, axis=0)


def _covariance(spectrum: Spectrum, power: Power) -> tuple[Power, Power, Spectrum]:
    """Compute the normalized spatial covariance: both variances and the covariance, shape (bins,)."""
    total = power.sum(axis=0) + MIN_POWER
    left, right = spectrum
    return (
        (np.abs(left) ** 2).sum(axis=0) / total,
        (np.abs(right) ** 2).sum(axis=0) / total,
        (left * right.conj()).sum(axis=0) / total,
    )
