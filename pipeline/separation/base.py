"""What a separation engine is, and how it sees a sound."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np

from pipeline.audio import io as sound
from pipeline.audio.io import Samples
from pipeline.errors import MediaError, SeparationError
from pipeline.graph.stage import ProgressCallback
from pipeline.separation.streaming import fit
from pipeline.types import StemName

BLOCK = 48_000
"""Frames; small enough that progress is told several times a second."""
NO_CARD = "The graphics card had too little memory, so the processor took the sound apart."


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A sound file as an engine sees it: at the engine's rate, one or two channels, read in blocks."""

    path: Path
    original: sound.SoundInfo
    """Rate, channels and length of the file itself."""
    sample_rate: int
    frames: int
    """Length at `sample_rate`."""

    @classmethod
    def open(cls, path: Path, sample_rate: int) -> Self:
        """Raises `MediaError` for a file without samples, `SeparationError` for more than two channels."""
        original = sound.info(path)
        if not original.frames:
            raise MediaError("The clip's sound is empty.")
        if original.channels > 2:
            raise SeparationError(
                f"A sound with {original.channels} channels cannot be taken apart.", hint="Send it in stereo."
            )
        frames = -(-original.frames * sample_rate // original.sample_rate)
        return cls(path=path, original=original, sample_rate=sample_rate, frames=frames)

    @property
    def channels(self) -> int:
        """One or two."""
        return self.original.channels

    def original_blocks(self) -> Iterator[Samples]:
        """The sound as the file has it. Raises `MediaError` for samples that are no numbers."""
        return map(_checked, sound.read_blocks(self.path, block=BLOCK))

    def blocks(self) -> Iterator[Samples]:
        """The sound at the engine's rate, `frames` frames in all; raises as `original_blocks` does."""
        resampled = sound.resample_blocks(
            self.original_blocks(), self.original.sample_rate, self.sample_rate, channels=self.channels, quality="VHQ"
        )
        return fit(resampled, self.frames, self.channels)


def _checked(block: Samples) -> Samples:
    if not np.isfinite(block).all():
        raise MediaError("The clip's sound holds samples that are no numbers.")
    return block


class Engine(Protocol):
    """Takes a recording apart. One object serves one recording; what is slow to load is handed to it."""

    sample_rate: int
    stems: tuple[StemName, ...]
    """The parts it makes, vocals first; the background is what is left and not among them."""
    notes: list[str]
    """Sentences for the person, filled as the engine works."""
    digest: str
    """Of the weights, when the catalogue does not know them; else empty."""

    def separate(self, recording: Recording, report: ProgressCallback) -> Iterator[Samples]:
        """The stems side by side, in order: blocks of shape (frames, len(stems) * channels).

        Together the blocks are as long as the recording. Raises a `SeparationError`, or what `report` raises.
        """
        ...
