"""What a separation engine is, how one is opened, and the sound it is given.

The life of an engine is open, separate, close; one object separates one sound:

    with closing(open_engine(name, models, model)) as engine:
        mixture = Mixture.open(path, engine.sample_rate)
        for block in engine.separate(mixture, report):
            ...

`open` gets the network from `Models`, which keeps it for the next sound; `close` frees only what this sound needed.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Self, cast

import numpy as np

from pipeline.audio import io as audio_io
from pipeline.audio.io import Samples
from pipeline.errors import MediaError, ModelMissingError, SeparationError
from pipeline.graph.stage import ProgressCallback
from pipeline.models.loader import Models
from pipeline.separation.contracts import SoundSurvey
from pipeline.separation.engines.registry import ENGINES
from pipeline.separation.streaming import fit_length
from pipeline.types import StemName

BLOCK_FRAMES = 48_000
"""Length of a block; small enough that progress is reported several times a second."""
CPU_FALLBACK_NOTE = "The graphics card had too little memory, so the processor took the sound apart."


class OutOfMemoryError(Exception):
    """A network had too little memory for its input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """The sound to separate, as an engine reads it: at the engine's rate, one or two channels, in blocks."""

    path: Path
    original: audio_io.SoundInfo
    """Rate, channels and length of the file itself, or of the part of it that is meant."""
    sample_rate: int
    """Hz, of the engine."""
    frames: int
    """Length at `sample_rate`."""
    start: int = 0
    """First frame of the file that it is read from."""
    survey: SoundSurvey | None = None
    """What was measured of the whole sound of which this is a part; None where this is the whole."""

    @classmethod
    def open(cls, path: Path, sample_rate: int) -> Self:
        """Open a sound file for an engine of that rate.

        Raises:
            MediaError: The file has no samples.
            SeparationError: The file has more than two channels.
        """
        original = audio_io.info(path)
        if not original.frames:
            raise MediaError("The clip's sound is empty.")
        if original.channels > 2:
            raise SeparationError(
                f"A sound with {original.channels} channels cannot be taken apart.", hint="Send it in stereo."
            )
        frames = -(-original.frames * sample_rate // original.sample_rate)
        return cls(path=path, original=original, sample_rate=sample_rate, frames=frames)

    @classmethod
    def open_any(cls, path: Path) -> Self:
        """Open a sound file of any number of channels at its own rate, for an engine that takes them.

        Raises:
            MediaError: The file has no samples.
        """
        original = audio_io.info(path)
        if not original.frames:
            raise MediaError("The clip's sound is empty.")
        return cls(path=path, original=original, sample_rate=original.sample_rate, frames=original.frames)

    def part(self, start: int, frames: int, survey: SoundSurvey) -> Self:
        """Return a part of the sound, as a sound of its own for an engine of the same rate.

        Args:
            start: Its first frame, at the file's own rate.
            frames: Its length, at the file's own rate.
            survey: What was measured of the whole.
        """
        own = replace(self.original, frames=frames)
        length = -(-frames * self.sample_rate // own.sample_rate)
        return replace(self, original=own, frames=length, start=start, survey=survey)

    def at_rate(self, sample_rate: int) -> Self:
        """Return the same sound for an engine of another rate."""
        frames = -(-self.original.frames * sample_rate // self.original.sample_rate)
        return replace(self, sample_rate=sample_rate, frames=frames)

    @property
    def channels(self) -> int:
        """Of the file; one or two where it was opened by `open`."""
        return self.original.channels

    def original_blocks(self) -> Iterator[Samples]:
        """Read the sound at the file's own rate.

        Raises:
            MediaError: A sample is not a finite number.
        """
        blocks = audio_io.read_blocks(self.path, block=BLOCK_FRAMES, start=self.start, frames=self.original.frames)
        return map(_require_finite, blocks)

    def blocks(self) -> Iterator[Samples]:
        """Read the sound at the engine's rate, `frames` frames in all; raises as `original_blocks` does."""
        resampled = audio_io.resample_blocks(
            self.original_blocks(), self.original.sample_rate, self.sample_rate, channels=self.channels, quality="VHQ"
        )
        return fit_length(resampled, self.frames, self.channels)


class SeparationEngine(ABC):
    """Base of all engines."""

    def __init__(
        self, sample_rate: int, stems: tuple[StemName, ...] = (StemName.VOCALS,), *, weights_digest: str = ""
    ) -> None:
        """Describe what the engine works at and makes.

        Args:
            sample_rate: Hz of what it reads and makes.
            stems: What it makes, vocals first; the background is what is left and not among them.
            weights_digest: Digest of weights that the catalogue does not know, a person's own; else empty.
        """
        self.sample_rate = sample_rate
        self.stems = stems
        self.weights_digest = weights_digest
        self.notes: list[str] = []
        """Sentences for people, added as the engine works."""

    @classmethod
    @abstractmethod
    def open(cls, models: Models, name: str) -> Self:
        """Open the engine for one sound with a model of the catalogue, which is loaded on first use.

        Raises:
            ModelError: The weights are not here or not the known ones.
            SeparationError: The weights cannot be used.
        """

    @abstractmethod
    def separate(self, mixture: Mixture, report: ProgressCallback) -> Iterator[Samples]:
        """Separate a sound.

        Returns:
            Blocks of shape (frames, len(stems) * channels), the stems side by side in order; together they are as
            long as the mixture.

        Raises:
            SeparationError: The network failed. What `report` raises comes through too.
        """

    def close(self) -> None:  # noqa: B027 - most engines have nothing to free
        """Free what this sound needed; the loaded network stays with `Models`."""


def open_engine(name: str, models: Models, model: str) -> SeparationEngine:
    """Open an engine by its name; its code is imported now.

    Raises:
        ModelMissingError: There is no engine of that name. What `SeparationEngine.open` raises comes through too.
    """
    spec = ENGINES.get(name)
    if spec is None:
        raise ModelMissingError(
            f"There is no separation engine called {name!r}.", hint="Run `stemcord models list` to see the names."
        )
    module, _, engine = spec.implementation.partition(":")
    return cast("type[SeparationEngine]", getattr(import_module(module), engine)).open(models, model)


def _require_finite(block: Samples) -> Samples:
    if not np.isfinite(block).all():
        raise MediaError("The clip's sound holds samples that are no numbers.")
    return block
