"""Synthetic recordings of each kind."""

import io

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 44_100
Mono = NDArray[np.float32]


def noise(seconds: float, seed: int = 0, level: float = 0.1) -> Mono:
    return (np.random.default_rng(seed).standard_normal(round(seconds * RATE)) * level).astype(np.float32)


def knock(seconds: float = 0.4, seed: int = 1) -> Mono:
    time = np.arange(round(seconds * RATE)) / RATE
    return noise(seconds, seed, 0.5) * np.exp(-time * 20).astype(np.float32)


def melody(seconds: float, beat_s: float = 0.5) -> Mono:
    time = np.arange(round(seconds * RATE)) / RATE
    within = time % beat_s
    pitch = 220 * 2 ** (np.array([0, 4, 7, 12])[(time // beat_s).astype(int) % 4] / 12)
    tones = sum(np.sin(2 * np.pi * n * pitch * within) / n for n in (1, 2, 3))
    return (0.2 * tones * np.exp(-4 * within)).astype(np.float32)


def speechlike(seconds: float, seed: int = 2) -> Mono:
    time = np.arange(round(seconds * RATE)) / RATE
    return noise(seconds, seed) * (np.sin(2 * np.pi * 3 * time) > 0).astype(np.float32)


def wav(samples: Mono, rate: int = RATE) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype="FLOAT")
    return file.getvalue()
