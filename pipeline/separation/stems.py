"""Writes stems so that vocals and background are the original again, bit for bit."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from pipeline import sound
from pipeline.separation.blocks import Reel, fit
from pipeline.separation.engine import BLOCK, Recording
from pipeline.sound import Samples
from pipeline.types import StemName

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


def write_stems(
    recording: Recording, made: Iterator[Samples], stems: Sequence[StemName], folder: Path
) -> tuple[StemName, ...]:
    """Write `<stem>.flac` for each stem and the background, at the recording's own rate, length and channels.

    `made` gives the stems side by side at the engine's rate, vocals first.
    """
    original, columns = recording.original, recording.channels * len(stems)
    back = sound.resample_blocks(made, recording.sample_rate, original.sample_rate, channels=columns, quality="VHQ")
    mixture = Reel(sound.read_blocks(recording.path, block=BLOCK), recording.channels)
    names = (*stems, StemName.BACKGROUND)
    with ExitStack() as stack:
        writers = [
            stack.enter_context(
                sound.SoundWriter(
                    folder / f"{name.value}.flac", sample_rate=original.sample_rate, channels=original.channels
                )
            )
            for name in names
        ]
        for block in fit(back, original.frames, columns):
            parts = np.split(block, len(stems), axis=1)
            voice, rest = divide(mixture.take(len(block)), parts[0])
            for writer, part in zip(writers, (voice, *map(to_grid, parts[1:]), rest), strict=True):
                writer.write(part)
    return names


@contextmanager
def finished_folder(out: Path) -> Generator[Path]:
    """A folder whose files move to `out` when the block ends well, and vanish when it does not."""
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out, prefix=".unfinished-") as name:
        folder = Path(name)
        yield folder
        for path in sorted(folder.iterdir()):
            path.replace(out / path.name)
