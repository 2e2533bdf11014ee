"""Sound in which nobody speaks: silence, noise, rain and instrumental music, of any length.

Noise is computed, the same at every run. Music comes from Debian's wesnoth-1.16-music, as in
`tests.bench.route_set`: an excerpt of each piece in turn, all of them without singing.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.audio import io as audio_io

RATE = 44_100
BLOCK_SECONDS = 10
"""Seconds computed at once."""
EXCERPT_SECONDS = 20
"""Seconds of each piece of music."""
NOISE_RMS = 0.1
"""RMS, linear; hum and silence have their own."""

Block = NDArray[np.float32]


def silence(_: np.random.Generator) -> Block:
    """Zeros."""
    return np.zeros(BLOCK_SECONDS * RATE, np.float32)


def hiss(generator: np.random.Generator) -> Block:
    """What a quiet room and a cheap microphone leave: noise at -60 dBFS."""
    return levelled(generator.standard_normal(BLOCK_SECONDS * RATE), 1e-3)


def white(generator: np.random.Generator) -> Block:
    """The same power at every frequency."""
    return levelled(generator.standard_normal(BLOCK_SECONDS * RATE))


def pink(generator: np.random.Generator) -> Block:
    """3 dB less for every octave."""
    return levelled(
        shape(generator.standard_normal(BLOCK_SECONDS * RATE), lambda hertz: 1 / np.sqrt(np.maximum(hertz, 20)))
    )


def brown(generator: np.random.Generator) -> Block:
    """6 dB less for every octave: wind, a distant road."""
    return levelled(shape(generator.standard_normal(BLOCK_SECONDS * RATE), lambda hertz: 1 / np.maximum(hertz, 20)))


def hum(generator: np.random.Generator) -> Block:
    """Mains at 50 Hz with its overtones and a little noise."""
    time = np.arange(BLOCK_SECONDS * RATE) / RATE
    tones = np.sum([np.sin(2 * np.pi * 50 * n * time) / n for n in range(1, 12)], axis=0)
    return levelled(tones + 0.02 * generator.standard_normal(len(time)), 0.03)


def rain(generator: np.random.Generator) -> Block:
    """A steady rush that swells and falls, and drops that ring for some milliseconds."""
    frames = BLOCK_SECONDS * RATE
    rush = shape(generator.standard_normal(frames), lambda hertz: hertz / (hertz + 800) / (1 + (hertz / 7000) ** 2))
    swell = np.interp(np.arange(frames), np.linspace(0, frames, 12), generator.uniform(0.6, 1.4, 12))
    heard = levelled(rush) * swell
    for place in generator.integers(0, frames - RATE // 20, BLOCK_SECONDS * 60):
        time = np.arange(RATE // 20) / RATE
        ring = np.sin(2 * np.pi * generator.uniform(900, 6000) * time) * np.exp(-time * generator.uniform(150, 500))
        heard[place : place + len(time)] += generator.exponential(0.12) * ring
    return heard.astype(np.float32)


NOISES: Mapping[str, Callable[[np.random.Generator], Block]] = {
    "silence": silence,
    "room hiss": hiss,
    "white noise": white,
    "pink noise": pink,
    "brown noise": brown,
    "mains hum": hum,
    "rain": rain,
}


def write_noise(name: str, path: Path, seconds: float) -> None:
    """A file of one kind of noise."""
    generator = np.random.default_rng(11)
    write_blocks(path, (NOISES[name](generator) for _ in range(int(seconds // BLOCK_SECONDS))))


def write_music(folder: Path, path: Path, seconds: float) -> None:
    """Excerpts from the middle of every piece in turn, faded at their ends."""
    pieces = [piece for piece in sorted(folder.glob("x/**/core/music/*.ogg")) if audio_io.info(piece).duration > 60]

    def excerpts() -> Iterator[Block]:
        fade = np.minimum(
            1, np.minimum(np.arange(EXCERPT_SECONDS * RATE), np.arange(EXCERPT_SECONDS * RATE)[::-1]) / RATE
        )
        for index in range(int(seconds // EXCERPT_SECONDS)):
            piece = pieces[index % len(pieces)]
            rate = audio_io.info(piece).sample_rate
            start = 25 + EXCERPT_SECONDS * (index // len(pieces))
            heard = audio_io.to_mono(audio_io.read(piece, start=start * rate, frames=EXCERPT_SECONDS * rate))
            samples = np.resize(audio_io.resample(heard, rate, RATE)[:, 0], EXCERPT_SECONDS * RATE)
            yield levelled(samples) * fade.astype(np.float32)

    write_blocks(path, excerpts())


def write_blocks(path: Path, blocks: Iterator[Block]) -> None:
    """A mono file of 16 bit."""
    with audio_io.SoundWriter(path, sample_rate=RATE, channels=1, subtype="PCM_16") as writer:
        for block in blocks:
            writer.write(block[:, None])


def shape(samples: NDArray[Any], gain: Callable[[NDArray[Any]], NDArray[Any]]) -> Block:
    """The same noise with another gain at each frequency in Hz."""
    spectrum = np.fft.rfft(samples)
    return np.fft.irfft(spectrum * gain(np.fft.rfftfreq(len(samples), 1 / RATE)), len(samples)).astype(np.float32)


def levelled(samples: NDArray[Any], level: float = NOISE_RMS) -> Block:
    """The same sound at another RMS."""
    return (samples * (level / (float(np.sqrt(np.mean(np.square(samples)))) + 1e-12))).astype(np.float32)
