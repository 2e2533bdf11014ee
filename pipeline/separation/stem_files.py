"""Writes stems that add up to the original, bit for bit.

`vocals + background` is the original, and so is `vocals + music + sfx + ambient`, as far as those
stems are made. What a model gives to no stem, the residual, goes to the last of them.
"""

import math
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import tee
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import numpy as np

from pipeline.audio import io as audio_io
from pipeline.audio.io import Samples
from pipeline.separation.ambience import extract_ambience
from pipeline.separation.base import Mixture
from pipeline.separation.streaming import BlockReader, fit_length
from pipeline.types import StemName

StemBlocks: TypeAlias = dict[StemName, Samples]
LSB_24_BIT = np.float32(2.0**-23)
"""Least significant bit of 24-bit sound; sums and differences of multiples below full scale are exact in float32."""


def split_exactly(mixture: Samples, vocals: Samples) -> tuple[Samples, Samples]:
    """Split a mixture into vocals and background that add up to it exactly, in 24-bit values.

    Neither clips: the vocals are limited where they or the background would exceed full scale.

    Args:
        mixture: Shape (frames, channels).
        vocals: The same shape, any values.

    Returns:
        Vocals and background.
    """
    whole = quantize_24_bit(mixture)
    top = np.float32(1.0) - LSB_24_BIT
    lowest, highest = np.maximum(np.float32(-1.0), whole - top), np.minimum(top, whole + np.float32(1.0))
    voice = np.clip(np.rint(vocals / LSB_24_BIT) * LSB_24_BIT, lowest, highest)
    return voice, whole - voice


def quantize_24_bit(samples: Samples) -> Samples:
    """Round to the nearest 24-bit values."""
    return np.clip(np.rint(samples / LSB_24_BIT) * LSB_24_BIT, np.float32(-1.0), np.float32(1.0) - LSB_24_BIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenStems:
    """What `write_stems` wrote."""

    stems: tuple[StemName, ...]
    residual_dbfs: float | None
    """RMS level of what the model gave to no stem, which went to the last one; None where there is nothing."""


def output_stems(stems: Sequence[StemName]) -> tuple[StemName, ...]:
    """Return the stems that are written for an engine's; SFX without ambience are all effects and are split in two."""
    return (*stems, *([StemName.AMBIENT] if _has_effects(stems) else []), StemName.BACKGROUND)


def write_stems(mixture: Mixture, made: Iterator[Samples], stems: Sequence[StemName], folder: Path) -> WrittenStems:
    """Write `<stem>.flac` for each of `output_stems`, at the original's rate, length and channels.

    The stems are subtracted from the original one after another, so the last one (effects, or else music) holds the
    residual.

    Args:
        mixture: The sound that was separated.
        made: What `SeparationEngine.separate` gives.
        stems: The engine's stems.
        folder: Where the files go.

    Raises:
        MediaError: The sound cannot be read or the stems cannot be written.
    """
    original, names = mixture.original, output_stems(stems)
    cut = _StemSplitter(mixture, made, stems)
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(
                audio_io.SoundWriter(
                    folder / f"{name.value}.flac", sample_rate=original.sample_rate, channels=original.channels
                )
            )
            for name in names
        }
        parts = _split_effects(cut.blocks(), original) if _has_effects(stems) else cut.blocks()
        for part in parts:
            for name, samples in part.items():
                writers[name].write(samples)
    return WrittenStems(stems=names, residual_dbfs=cut.residual_dbfs)


def _has_effects(stems: Sequence[StemName]) -> bool:
    return StemName.SFX in stems and StemName.AMBIENT not in stems


class _StemSplitter:
    """Splits the original into the stems that an engine found."""

    def __init__(self, mixture: Mixture, made: Iterator[Samples], stems: Sequence[StemName]) -> None:
        self._mixture = mixture
        self._made = made
        self._stems = stems
        self._energy = 0.0

    @property
    def residual_dbfs(self) -> float | None:
        """See `WrittenStems`."""
        if not self._energy:
            return None
        original = self._mixture.original
        return round(10 * math.log10(self._energy / (original.frames * original.channels)), 1)

    def blocks(self) -> Iterator[StemBlocks]:
        """Give blocks of all stems and the background, in 24-bit values."""
        mixture, original = self._mixture, self._mixture.original
        columns = mixture.channels * len(self._stems)
        back = audio_io.resample_blocks(
            self._made, mixture.sample_rate, original.sample_rate, channels=columns, quality="VHQ"
        )
        mixture_reader = BlockReader(mixture.original_blocks(), mixture.channels)
        for block in fit_length(back, original.frames, columns):
            found = np.split(block, len(self._stems), axis=1)
            vocals, background = split_exactly(mixture_reader.read(len(block)), found[0])
            taken, rest = [vocals], background
            for part in found[1:-1]:
                piece, rest = split_exactly(rest, part)
                taken.append(piece)
            if len(found) > 1:
                taken.append(rest)
                self._energy += float(np.square(rest - found[-1], dtype=np.float64).sum())
            yield dict(zip((*self._stems, StemName.BACKGROUND), (*taken, background), strict=True))


def _split_effects(parts: Iterator[StemBlocks], original: audio_io.SoundInfo) -> Iterator[StemBlocks]:
    """Split the effects in a stream of stems into SFX and ambience, which come later than the other stems."""
    others: deque[StemBlocks] = deque()

    def effects() -> Iterator[Samples]:
        for part in parts:
            others.append({name: samples for name, samples in part.items() if name is not StemName.SFX})
            yield part[StemName.SFX]

    for_ambience, for_both = tee(effects())
    reader = BlockReader(for_both, original.channels)
    for ambience in extract_ambience(for_ambience, original.sample_rate, original.channels, original.frames):
        while others:
            yield others.popleft()
        ambient, sfx = split_exactly(reader.read(len(ambience)), ambience)
        yield {StemName.SFX: sfx, StemName.AMBIENT: ambient}


@contextmanager
def atomic_folder(out: Path) -> Generator[Path]:
    """Give a temporary folder whose files move to `out` on success and are deleted on an error."""
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out, prefix=".unfinished-") as name:
        folder = Path(name)
        yield folder
        for path in sorted(folder.iterdir()):
            path.replace(out / path.name)
