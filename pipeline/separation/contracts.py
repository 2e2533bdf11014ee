"""Contracts of the stages that take a sound apart, whole or in parts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic

from pipeline.graph.stage import FileT, ModelParams, NoParams, Stage, StageOutput
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
    version=5,
    costly=True,
    parted="pipeline.separation.parting:separate_in_parts",
    min_parted_seconds=300.0,
    inputs=SeparateInputs[Artefact],
    params=SeparateParams,
    output=SeparateOutput[Artefact],
    # Large models without a graphics card; before the first clip, weights are loaded and verified.
    limit=600.0,
    limit_per_second=30.0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalization:
    """Mean and standard deviation of the mono mix of a whole sound."""

    mean: float = 0.0
    deviation: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelSurvey:
    """How loud a sound is where it is loud, and whether its channels differ."""

    loud_rms: float = 0.0
    """Linear, of the blocks that are no pauses; 0 for silence."""
    channels_equal: bool = False
    """True when all channels are the same, so that one is enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundSurvey:
    """All that separators ask of a whole sound, for those that are given a part of it."""

    level: LevelSurvey = LevelSurvey()
    normal: Normalization = Normalization()


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundPart:
    """A part of a sound, in frames of it."""

    first: int
    """First frame of what is heard."""
    frames: int
    """Of what is heard."""
    skipped: int
    """Frames at the beginning that are only heard."""
    kept: int
    """Frames after these that are kept; the last of them fade into the next part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyOutput(StageOutput):
    """What separators ask of the whole sound, and how it is cut into parts."""

    survey: SoundSurvey
    parts: tuple[SoundPart, ...]
    """A single one for a sound that is separated as a whole."""


SURVEY = Stage(
    name="survey",
    title="Measuring the sound",
    function="pipeline.separation.part_stages:survey_stage",
    inputs=SeparateInputs[Artefact],
    params=NoParams,
    output=SurveyOutput,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparatePartParams(SeparateParams):
    """Which part is separated, and what was measured of the whole."""

    part: SoundPart
    survey: SoundSurvey
    share: float
    """Of the whole, from 0 to 1; see `PartParams`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparatePartOutput(StageOutput, Generic[FileT]):
    """What an engine made of a part."""

    made: FileT
    """Its stems side by side, at the sound's own rate and half as loud, so that nothing is clipped."""
    stems: tuple[StemName, ...]
    weights_digest: str
    """See `SeparationEngine`."""


SEPARATE_PART = Stage(
    name="separate_part",
    title="Taking a part of the sound apart",
    function="pipeline.separation.part_stages:separate_part_stage",
    shared=True,
    inputs=SeparateInputs[Artefact],
    params=SeparatePartParams,
    output=SeparatePartOutput[Artefact],
    limit=SEPARATE.limit,
    limit_per_second=SEPARATE.limit_per_second,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinInputs(Generic[FileT]):
    """The master, and what was made of each part of it, in order."""

    sound: FileT
    parts: tuple[FileT, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinParams(SeparateParams):
    """How the parts lie."""

    lengths: tuple[int, ...]
    """Frames that were kept of each part."""
    stems: tuple[StemName, ...]
    weights_digest: str
    notes: tuple[str, ...]
    """What the engine said of the parts, for people."""


JOIN = Stage(
    name="join_parts",
    title="Joining the parts",
    function="pipeline.separation.part_stages:join_stage",
    inputs=JoinInputs[Artefact],
    params=JoinParams,
    output=SeparateOutput[Artefact],
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
