"""Changes that make many recordings of one: pitch and speed, filters, rooms, limiting."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.training.transforms import forward, frequencies

Mono = NDArray[np.float32]

LOWEST_HZ = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """How likely a recording of a kind is changed."""

    speed: float
    """Probability that it is played faster or slower."""
    semitones: float
    """By at most so much."""
    reverse: float
    equalizer: float
    room: float


def change_speed(samples: Mono, semitones: float) -> Mono:
    """Play faster (higher) or slower (lower), as a tape does."""
    ratio = 2 ** (semitones / 12)
    places = np.arange(int(max(1, len(samples) - 1) / ratio), dtype=np.float64) * ratio
    before = places.astype(np.int64)
    share = (places - before).astype(np.float32)
    after = np.minimum(before + 1, len(samples) - 1)
    return np.asarray(samples[before] * (1 - share) + samples[after] * share, np.float32)


def draw_filter(
    generator: np.random.Generator, augmentation: Augmentation, size: int, sample_rate: int
) -> NDArray[np.complex64] | None:
    """Draw an equalizer, a room or both.

    Args:
        generator: Source of chance.
        augmentation: The probabilities.
        size: Of the transform that the gains are for.
        sample_rate: In Hz.

    Returns:
        Gains of the frequencies of a real transform, or nothing when nothing was drawn.

    """
    gains: NDArray[np.complex64] | None = None
    if generator.random() < augmentation.equalizer:
        gains = draw_equalizer(generator, size, sample_rate).astype(np.complex64)
    if generator.random() < augmentation.room:
        response = forward(draw_room(generator, sample_rate), size)
        gains = response if gains is None else gains * response
    return gains


def draw_equalizer(generator: np.random.Generator, size: int, sample_rate: int) -> NDArray[np.float32]:
    """A smooth curve of gains, within about 8 dB either way, sometimes without the top or the bottom."""
    octaves = np.linspace(0, math.log2(sample_rate / 2 / LOWEST_HZ), 64)
    decibels = np.interp(octaves, np.linspace(0, float(octaves[-1]), 6), generator.normal(0, 4, 6))
    if generator.random() < 0.2:
        decibels -= 12 * np.maximum(octaves - math.log2(generator.uniform(3000, 12_000) / LOWEST_HZ), 0)
    if generator.random() < 0.2:
        decibels -= 12 * np.maximum(math.log2(generator.uniform(80, 400) / LOWEST_HZ) - octaves, 0)
    return np.interp(frequencies(size, sample_rate), LOWEST_HZ * 2**octaves, 10 ** (decibels / 20)).astype(np.float32)


def draw_room(generator: np.random.Generator, sample_rate: int) -> Mono:
    """An impulse response: the direct sound and a tail that decays in 0.1 to 0.9 s."""
    decay = generator.uniform(0.1, 0.9)
    length = int(decay * sample_rate)
    time = np.arange(length) / sample_rate
    tail = generator.standard_normal(length, np.float32) * 10 ** (-3 * time / decay)
    tail *= generator.uniform(0.1, 0.7) / np.sqrt((tail**2).sum())
    tail[: int(generator.uniform(0.002, 0.02) * sample_rate)] = 0
    tail[0] = 1
    return tail.astype(np.float32)


def limiter_gain(mix: Mono, sample_rate: int, *, ceiling: float, release_s: float = 0.15) -> Mono:
    """Gain of each frame that keeps a mix under a ceiling; the same gain on all parts keeps their sum."""
    block = max(1, sample_rate // 200)
    blocks = -(-len(mix) // block)
    peaks = np.abs(np.pad(mix, (0, blocks * block - len(mix)))).reshape(blocks, block).max(axis=1)
    peaks = np.maximum(peaks, np.maximum(np.append(peaks[1:], 0), np.append(0, peaks[:-1])))
    needed = np.minimum(1, ceiling / np.maximum(peaks, 1e-9))
    recovery = 1 - np.exp(-block / sample_rate / release_s)
    gains = np.empty(blocks, np.float32)
    gain = 1.0
    for index, limit in enumerate(needed):
        gain = min(float(limit), gain + (1 - gain) * recovery)
        gains[index] = gain
    places = (np.arange(blocks) + 0.5) * block
    return np.interp(np.arange(len(mix)), places, gains).astype(np.float32)
