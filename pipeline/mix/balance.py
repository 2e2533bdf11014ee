"""Adds parts with exact gains, block by block, to exactly the length of the clip.

Each sample of the mix is the sum of `gain * sample` over the parts and nothing else, so the
level does not step when a part ends early. Only when that sum would be louder than allowed is
the whole mix turned down, once and by one factor: a limiter would change the balance asked for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline import sound
from pipeline.errors import MixError

CEILING = 10 ** (-1 / 20)
"""Highest sample of a mix, linear (-1 dBFS), unless the clip itself goes higher."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A sound file and its linear gain in the mix."""

    path: Path
    gain: float


def check_alike(parts: Sequence[Part], like: sound.SoundInfo) -> None:
    """Raise `MixError` when a part has another rate or another number of channels than the clip's sound."""
    for part in parts:
        found = sound.info(part.path)
        if (found.sample_rate, found.channels) != (like.sample_rate, like.channels):
            raise MixError(
                "The parts do not fit together.",
                detail=f"{part.path.name}: {found.sample_rate} Hz, {found.channels} channels; clip: {like}",
            )


def read_aligned(paths: Sequence[Path], like: sound.SoundInfo) -> Iterator[tuple[sound.Samples, ...]]:
    """Blocks of several files side by side, each padded with silence or cut to the frames of `like`."""
    readers = [sound.read_blocks(path, frames=like.frames) for path in paths]
    for start in range(0, like.frames, sound.BLOCK):
        length = min(sound.BLOCK, like.frames - start)
        yield tuple(_padded(next(reader, None), length, like.channels) for reader in readers)


def add(blocks: Sequence[sound.Samples], parts: Sequence[Part]) -> sound.Samples:
    """One block of the mix, float32, not limited."""
    total = np.zeros(blocks[0].shape, np.float64)
    for block, part in zip(blocks, parts, strict=True):
        total += part.gain * block
    return total.astype(np.float32)


def overall_gain(mix_peak: float, clip_peak: float) -> float:
    """The factor, at most 1, that keeps the mix below the ceiling or the clip's own peak, whichever is higher."""
    ceiling = max(CEILING, min(1.0, clip_peak))
    return min(1.0, ceiling / mix_peak) if mix_peak > 0 else 1.0


def _padded(block: sound.Samples | None, length: int, channels: int) -> sound.Samples:
    if block is None:
        return np.zeros((length, channels), np.float32)
    return block if len(block) == length else np.pad(block, ((0, length - len(block)), (0, 0)))
