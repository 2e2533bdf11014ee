"""Voices made of noise, and clips of them with a transcript."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.audio import io as audio_io
from pipeline.types import Speaker, Transcript, Turn

RATE = 16_000


def voice(seconds: float, level: float = 0.1, *, seed: int = 1, rate: int = RATE) -> audio_io.Samples:
    """Noise that swells four times a second, shape (frames, 1), RMS about `level`; it starts and ends at once."""
    frames = round(seconds * rate)
    swell = 1 + 0.4 * np.cos(2 * np.pi * 4 * np.arange(frames) / rate)
    noise = np.random.default_rng(seed).standard_normal(frames).clip(-3, 3)
    return (level / np.sqrt(1.08) * swell * noise)[:, None].astype(np.float32)


def silence(seconds: float, *, rate: int = RATE) -> audio_io.Samples:
    return np.zeros((round(seconds * rate), 1), np.float32)


def spread(length: float, parts: Sequence[tuple[float, audio_io.Samples]], *, rate: int = RATE) -> audio_io.Samples:
    """Sounds at their seconds in a silence of that length."""
    whole = silence(length, rate=rate)
    for start, samples in parts:
        first = round(start * rate)
        whole[first : first + len(samples)] += samples
    return whole


def transcript(turns: Sequence[tuple[float, float, str]], duration: float) -> Transcript:
    """Turns of start, end and speaker's id; `S1` is Anna and `S2` is Speaker 2."""
    return Transcript(
        language="en",
        duration=duration,
        speakers=(Speaker(id="S1", name="Anna"), Speaker(id="S2", name="Speaker 2")),
        turns=tuple(
            Turn(start=start, end=end, speaker=speaker, text=f"Line {number}.", overlap=False, words=())
            for number, (start, end, speaker) in enumerate(turns, start=1)
        ),
    )


def heard(samples: audio_io.Samples, start: float, end: float, *, rate: int = RATE) -> float:
    """RMS of a part in dBFS."""
    part = samples[round(start * rate) : round(end * rate)].astype(np.float64)
    return 20 * float(np.log10(np.sqrt(np.mean(part**2)) + 1e-9))


def begins(samples: audio_io.Samples, *, after: float, above: float = 0.01, rate: int = RATE) -> float:
    """Seconds at which a sound is first heard after some moment."""
    first = round(after * rate)
    return (first + int(np.flatnonzero(np.abs(samples[first:, 0]) > above)[0])) / rate


def save(path: Path, samples: audio_io.Samples, *, rate: int = RATE) -> Path:
    audio_io.write(path, samples, rate)
    return path
