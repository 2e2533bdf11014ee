"""Contract of the stage that takes a sound apart."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic

from pipeline.graph.stage import FileT, ModelParams, Stage, StageOutput
from pipeline.types import Artefact, StemName


@dataclass(frozen=True, slots=True, kw_only=True)
class StemFiles(Generic[FileT]):
    """A file for each stem; None for one that was not made."""

    vocals: FileT | None = None
    music: FileT | None = None
    sfx: FileT | None = None
    ambient: FileT | None = None
    background: FileT | None = None

    def __iter__(self) -> Iterator[tuple[StemName, FileT]]:
        """Give the stems that were made, in the order in which people see them."""
        for stem in StemName:
            file: FileT | None = getattr(self, stem.value)
            if file is not None:
                yield stem, file


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparateInputs(Generic[FileT]):
    """The master of the clip."""

    sound: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparateParams(ModelParams):
    """Which engine separates, with which model."""

    engine: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparateOutput(StageOutput, Generic[FileT]):
    """Stems that add up to the sound."""

    stems: StemFiles[FileT]
    residual: float | None = None
    """dBFS of what the model gave to no part; None where it gave all."""


SEPARATE = Stage(
    name="separate",
    previewed=True,
    title="Taking the sound apart",
    function="pipeline.separation.stage:separate_stage",
    version=4,
    costly=True,
    inputs=SeparateInputs[Artefact],
    params=SeparateParams,
    output=SeparateOutput[Artefact],
    # Large models without a graphics card; before the first clip, weights are loaded and verified.
    limit=600.0,
    limit_per_second=30.0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitBackgroundInputs(Generic[FileT]):
    """What the voices left."""

    background: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitBackgroundParams(ModelParams):
    """Which parts of the background are wanted."""

    parts: tuple[StemName, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitBackgroundOutput(StageOutput, Generic[FileT]):
    """The parts that are heard in the background; where all were wanted, they add up to it."""

    stems: StemFiles[FileT]


SPLIT_BACKGROUND = Stage(
    name="split_background",
    previewed=True,
    title="Parting the background",
    function="pipeline.separation.background_stage:split_background_stage",
    inputs=SplitBackgroundInputs[Artefact],
    params=SplitBackgroundParams,
    output=SplitBackgroundOutput[Artefact],
    limit=300.0,
    limit_per_second=10.0,
)
