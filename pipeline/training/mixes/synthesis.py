"""Beds of sound that need no recording: rain, wind, hum, rooms."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pipeline.training.transforms import convolve, fast_size, forward, frequencies, inverse

Mono = NDArray[np.float32]

Shape = Callable[[Mono], NDArray[np.floating]]
"""Gain of frequencies in Hz."""


def draw_bed(generator: np.random.Generator, frames: int, sample_rate: int) -> Mono:
    """Make a bed of a kind drawn by chance.

    Args:
        generator: Source of chance.
        frames: Length.
        sample_rate: In Hz.

    Returns:
        Shape (frames,), RMS 0.1.

    """
    makers = (rain, wind, hum, room, surf)
    bed = makers[int(generator.integers(len(makers)))](generator, frames, sample_rate)
    return np.asarray(bed * (0.1 / max(float(np.sqrt(np.mean(bed**2))), 1e-9)), np.float32)


def rain(generator: np.random.Generator, frames: int, sample_rate: int) -> Mono:
    """High-passed noise with drops."""
    corner = generator.uniform(400, 2500)
    bed = shaped_noise(generator, frames, sample_rate, lambda f: 1 / (1 + (corner / (f + 1)) ** 2))
    drops = np.zeros(frames, np.float32)
    count = generator.poisson(frames / sample_rate * generator.uniform(20, 300))
    drops[generator.integers(0, frames, count)] = generator.exponential(1, count)
    length = int(sample_rate * 0.006)
    drop = generator.standard_normal(length) * np.exp(-np.arange(length) / (length / 5))
    return np.asarray(bed + generator.uniform(0.1, 0.5) * convolve(drops, drop.astype(np.float32)), np.float32)


def wind(generator: np.random.Generator, frames: int, sample_rate: int) -> Mono:
    """Low-passed noise whose strength and brightness wander."""
    low = shaped_noise(generator, frames, sample_rate, _low_pass(generator.uniform(120, 400), 2))
    high = shaped_noise(generator, frames, sample_rate, _low_pass(generator.uniform(500, 1500), 2))
    slow = _wander(generator, frames, sample_rate, generator.uniform(0.1, 0.6))
    return np.asarray(low * (1 + 0.4 * slow) + high * np.maximum(0.3 + 0.3 * slow, 0), np.float32)


def hum(generator: np.random.Generator, frames: int, sample_rate: int) -> Mono:
    """Harmonics of the mains or of a machine, over a little noise."""
    base = generator.choice([50.0, 60.0, 100.0, 120.0, generator.uniform(30, 400)])
    drift = generator.choice([0.0, 0.002]) * _wander(generator, frames, sample_rate, 0.5)
    phase = 2 * np.pi * base / sample_rate * np.cumsum(1 + drift, dtype=np.float64)
    tilt = generator.uniform(0.5, 1.8)
    tones = sum(np.sin(n * phase + generator.uniform(0, 6)) / n**tilt for n in range(1, 1 + generator.integers(3, 20)))
    noise = shaped_noise(generator, frames, sample_rate, _low_pass(generator.uniform(200, 3000), 1))
    return np.asarray(0.1 * tones + 0.1 * generator.uniform(0.02, 0.5) * noise, np.float32)


def room(generator: np.random.Generator, frames: int, sample_rate: int) -> Mono:
    """Noise of a falling slope, as rooms, fans and traffic far off have it."""
    slope = generator.uniform(0.2, 1.3)
    centre, gain = generator.uniform(100, 4000), generator.uniform(0, 3)
    return shaped_noise(
        generator,
        frames,
        sample_rate,
        lambda f: (f + 20) ** -slope * (1 + gain * np.exp(-((np.log2((f + 1) / centre)) ** 2))),
    )


def surf(generator: np.random.Generator, frames: int, sample_rate: int) -> Mono:
    """Broad noise that swells and falls over seconds, by less than the rule for ambience allows."""
    noise = room(generator, frames, sample_rate)
    period = generator.uniform(3, 12)
    swell = np.sin(2 * np.pi * np.arange(frames) / sample_rate / period + generator.uniform(0, 6))
    return np.asarray(noise * (1 + 0.3 * swell), np.float32)


def shaped_noise(generator: np.random.Generator, frames: int, sample_rate: int, shape: Shape) -> Mono:
    """Noise of RMS 1 with the gains of `shape`."""
    size = fast_size(frames)
    gains = np.asarray(shape(frequencies(size, sample_rate)), np.float32)
    noise = inverse(forward(generator.standard_normal(size, np.float32), size) * gains, size)[:frames]
    return noise / np.float32(max(float(noise.std()), 1e-9))


def _low_pass(corner: float, order: int) -> Shape:
    return lambda f: 1 / (1 + (f / corner) ** 2) ** (order / 2)


def _wander(generator: np.random.Generator, frames: int, sample_rate: int, rate: float) -> Mono:
    """A slow curve of deviation 1, about `rate` turns a second."""
    count = max(4, int(frames / sample_rate * rate * 2) + 2)
    places = np.linspace(0, frames, count)
    return np.interp(np.arange(frames), places, generator.standard_normal(count)).astype(np.float32)
