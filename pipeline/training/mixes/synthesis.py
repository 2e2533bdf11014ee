"""Beds of sound that need no recording: rain, wind, hum, rooms, surf, fire, streams, crickets, machines."""

import math
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
    makers = (rain, wind, hum, room, surf, fire, stream, crickets, machine)
    bed = makers[int(generator.integers(len(makers)))](generator, frames, sample_rate)
    return np.asarray(bed * (0.1 / max(float(np.sqrt(np.mean(bed**2))), 1e-9)), np.float32)


def rain(generator: np.random.Generator, frames: int, sample_rate: int) -> Mono:
    """High-passed noise with drops."""
    corner = generator.uniform(400, 2500)
    bed = shaped_noise(generator, frames, sample_rate, lambda f: 1 / (1 + (corner / (f + 1)) ** 2))
    drops = _scattered(generator, frames, sample_rate, generator.uniform(20, 300), 0.006)
    return np.asarray(bed + generator.uniform(0.1, 0.5) * drops, np.float32)


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


def fire(generator: np.random.Generator, frames: int, sample_rate: int) -> Mono:
    """A low roar with crackles of many strengths."""
    roar = shaped_noise(generator, frames, sample_rate, _low_pass(generator.uniform(80, 500), 1))
    cracks = _scattered(generator, frames, sample_rate, generator.uniform(15, 80), 0.002)
    return np.asarray(roar * (1 + 0.2 * _wander(generator, frames, sample_rate, 2)) + cracks, np.float32)


def stream(generator: np.random.Generator, frames: int, sample_rate: int) -> Mono:
    """Water that runs: bubbles without number over broad noise."""
    corner, width = generator.uniform(400, 2500), generator.uniform(0.4, 1.2)
    noise = shaped_noise(generator, frames, sample_rate, lambda f: np.exp(-((np.log2((f + 1) / corner) / width) ** 2)))
    made = generator.uniform(0.2, 1) * noise
    for _ in range(3):
        time = np.arange(int(0.06 * sample_rate)) / sample_rate
        pitch = 300 * 2 ** generator.uniform(0, 3) * (1 + generator.uniform(0, 6) * time)
        bubble = np.sin(2 * np.pi * np.cumsum(pitch) / sample_rate) * np.exp(-time * generator.uniform(40, 120))
        places = np.zeros(frames, np.float32)
        count = generator.poisson(frames / sample_rate * generator.uniform(10, 60))
        places[generator.integers(0, frames, count)] = generator.exponential(0.5, count)
        made = made + convolve(places, bubble.astype(np.float32))
    return np.asarray(made, np.float32)


def crickets(generator: np.random.Generator, frames: int, sample_rate: int) -> Mono:
    """Some insects that chirp on and on, each in its own rhythm, in a night that is not quite still."""
    time = np.arange(frames, dtype=np.float32) / np.float32(sample_rate)
    steady = np.full(frames, 1 / sample_rate)
    made = generator.uniform(0.02, 0.5) * shaped_noise(generator, frames, sample_rate, _low_pass(800, 1))
    for _ in range(int(generator.integers(1, 7))):
        pitch, trill, rate = generator.uniform(2200, 7500), generator.uniform(20, 80), generator.uniform(0.5, 4)
        gate = np.clip(
            np.sin(np.float32(2 * np.pi * rate) * time + np.float32(generator.uniform(0, 6)))
            + np.float32(generator.uniform(0, 1.2)),
            0,
            1,
        )
        pulses = np.float32(0.5) * (1 + np.sin(np.float32(2 * np.pi * trill) * time))
        made = made + np.float32(generator.uniform(0.1, 1)) * np.sin(turns(pitch * steady)) * pulses * gate
    return np.asarray(made, np.float32)


def machine(generator: np.random.Generator, frames: int, sample_rate: int) -> Mono:
    """A fan or a motor: noise and jittering harmonics in the rhythm of what turns."""
    rate = math.exp(generator.uniform(math.log(4), math.log(120)))
    phase = turns(rate / sample_rate * (1 + 0.01 * _wander(generator, frames, sample_rate, 8)))
    tilt = generator.uniform(0.3, 1.5)
    tones = sum(
        np.sin(n * phase + np.float32(generator.uniform(0, 6))) / np.float32(n**tilt)
        for n in range(1, int(generator.integers(3, 25)))
    )
    noise = room(generator, frames, sample_rate) * (1 + np.float32(generator.uniform(0, 0.8)) * np.sin(phase))
    return np.asarray(
        np.float32(generator.uniform(0.05, 1)) * tones + np.float32(generator.uniform(0.3, 2)) * noise, np.float32
    )


def turns(cycles_a_frame: NDArray[np.floating]) -> Mono:
    """Sum up a frequency in cycles a frame to a phase from 0 to 2 pi, of which sines are quick to take."""
    return np.asarray(2 * np.pi * np.remainder(np.cumsum(cycles_a_frame, dtype=np.float64), 1), np.float32)


def shaped_noise(generator: np.random.Generator, frames: int, sample_rate: int, shape: Shape) -> Mono:
    """Noise of RMS 1 with the gains of `shape`."""
    size = fast_size(frames)
    gains = np.asarray(shape(frequencies(size, sample_rate)), np.float32)
    noise = inverse(forward(generator.standard_normal(size, np.float32), size) * gains, size)[:frames]
    return noise / np.float32(max(float(noise.std()), 1e-9))


def _scattered(generator: np.random.Generator, frames: int, sample_rate: int, rate: float, length_s: float) -> Mono:
    """The same short burst, `rate` times a second, in strengths of a wide range."""
    places = np.zeros(frames, np.float32)
    count = generator.poisson(frames / sample_rate * rate)
    places[generator.integers(0, frames, count)] = generator.exponential(1, count)
    length = int(sample_rate * length_s)
    burst = generator.standard_normal(length) * np.exp(-np.arange(length) / (length / 5))
    return convolve(places, burst.astype(np.float32))


def _low_pass(corner: float, order: int) -> Shape:
    return lambda f: 1 / (1 + (f / corner) ** 2) ** (order / 2)


def _wander(generator: np.random.Generator, frames: int, sample_rate: int, rate: float) -> Mono:
    """A slow curve of deviation 1, about `rate` turns a second."""
    count = max(4, int(frames / sample_rate * rate * 2) + 2)
    places = np.linspace(0, frames, count)
    return np.interp(np.arange(frames), places, generator.standard_normal(count)).astype(np.float32)
