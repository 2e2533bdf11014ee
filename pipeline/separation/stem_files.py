"""Writes stems so that they are the original again, bit for bit.

`vocals + background` is the original, and so is `vocals + music + sfx + ambient`, as far as there
are such parts. What a model gives to no part is not lost: it goes to the last of them.
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

from pipeline.audio import io as sound
from pipeline.audio.io import Samples
from pipeline.separation.ambience import find_bed
from pipeline.separation.base import Recording
from pipeline.separation.streaming import Reel, fit
from pipeline.types import StemName

Parts: TypeAlias = dict[StemName, Samples]
STEP = np.float32(2.0**-23)
"""One step of 24-bit sound; sums and differences of such steps below full scale are exact in float32."""


def divide(mixture: Samples, vocals: Samples) -> tuple[Samples, Samples]:
    """Vocals and background on the 24-bit grid, neither clipped, that add up to the mixture exactly.

    The vocals give way where they or the background would leave full scale.
    """
    whole = to_grid(mixture)
    top = np.float32(1.0) - STEP
    lowest, highest = np.maximum(np.float32(-1.0), whole - top), np.minimum(top, whole + np.float32(1.0))
    voice = np.clip(np.rint(vocals / STEP) * STEP, lowest, highest)
    return voice, whole - voice


def to_grid(samples: Samples) -> Samples:
    """The nearest 24-bit values."""
    return np.clip(np.rint(samples / STEP) * STEP, np.float32(-1.0), np.float32(1.0) - STEP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What `write_stems` left in its folder."""

    names: tuple[StemName, ...]
    residual: float | None
    """Level (dBFS, RMS) of what the model gave to no part, which went to the last one; None where there is none."""


def finished_stems(stems: Sequence[StemName]) -> tuple[StemName, ...]:
    """What is written of an engine's stems: SFX without ambience are all effects, and are parted into the two."""
    return (*stems, *([StemName.AMBIENT] if _has_effects(stems) else []), StemName.BACKGROUND)


def write_stems(recording: Recording, made: Iterator[Samples], stems: Sequence[StemName], folder: Path) -> Written:
    """Write `<stem>.flac` for each of `finished_stems`, at the recording's own rate, length and channels.

    `made` gives the stems side by side at the engine's rate, vocals first. The parts are cut out of the
    original one after another, each out of what the ones before it left, so the last one (effects, or
    else music) holds the residual.
    """
    original, names = recording.original, finished_stems(stems)
    cut = _Cut(recording, made, stems)
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(
                sound.SoundWriter(
                    folder / f"{name.value}.flac", sample_rate=original.sample_rate, channels=original.channels
                )
            )
            for name in names
        }
        parts = _with_bed(cut.parts(), original) if _has_effects(stems) else cut.parts()
        for part in parts:
            for name, samples in part.items():
                writers[name].write(samples)
    return Written(names=names, residual=cut.residual)


def _has_effects(stems: Sequence[StemName]) -> bool:
    return StemName.SFX in stems and StemName.AMBIENT not in stems


class _Cut:
    """Cuts the original into the parts that an engine found."""

    def __init__(self, recording: Recording, made: Iterator[Samples], stems: Sequence[StemName]) -> None:
        self._recording = recording
        self._made = made
        self._stems = stems
        self._energy = 0.0

    @property
    def residual(self) -> float | None:
        """See `Written`."""
        if not self._energy:
            return None
        original = self._recording.original
        return round(10 * math.log10(self._energy / (original.frames * original.channels)), 1)

    def parts(self) -> Iterator[Parts]:
        """Blocks of all stems and the background, on the 24-bit grid."""
        recording, original = self._recording, self._recording.original
        columns = recording.channels * len(self._stems)
        back = sound.resample_blocks(
            self._made, recording.sample_rate, original.sample_rate, channels=columns, quality="VHQ"
        )
        mixture = Reel(recording.original_blocks(), recording.channels)
        for block in fit(back, original.frames, columns):
            found = np.split(block, len(self._stems), axis=1)
            vocals, background = divide(mixture.take(len(block)), found[0])
            taken, rest = [vocals], background
            for part in found[1:-1]:
                piece, rest = divide(rest, part)
                taken.append(piece)
            if len(found) > 1:
                taken.append(rest)
                self._energy += float(np.square(rest - found[-1], dtype=np.float64).sum())
            yield dict(zip((*self._stems, StemName.BACKGROUND), (*taken, background), strict=True))


def _with_bed(parts: Iterator[Parts], original: sound.SoundInfo) -> Iterator[Parts]:
    """The same parts with the effects divided into SFX and ambience, which come later than the others."""
    others: deque[Parts] = deque()

    def effects() -> Iterator[Samples]:
        for part in parts:
            others.append({name: samples for name, samples in part.items() if name is not StemName.SFX})
            yield part[StemName.SFX]

    for_bed, for_both = tee(effects())
    reel = Reel(for_both, original.channels)
    for bed in find_bed(for_bed, original.sample_rate, original.channels, original.frames):
        while others:
            yield others.popleft()
        ambient, sfx = divide(reel.take(len(bed)), bed)
        yield {StemName.SFX: sfx, StemName.AMBIENT: ambient}


@contextmanager
def finished_folder(out: Path) -> Generator[Path]:
    """A folder whose files move to `out` when the block ends well, and vanish when it does not."""
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out, prefix=".unfinished-") as name:
        folder = Path(name)
        yield folder
        for path in sorted(folder.iterdir()):
            path.replace(out / path.name)
