"""Contracts of the stages that put the parts together again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic

from pipeline.catalog import MAX_SIZE
from pipeline.graph.stage import FileT, NoParams, Stage, StageOutput
from pipeline.mix.presets import Ducking, LoudnessTarget
from pipeline.separation.contracts import StemFiles
from pipeline.types import Artefact, Loudness, SoundFormat, StemName

SILENT = Loudness(integrated=None, peak=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureInputs(Generic[FileT]):
    """The master of the clip and its stems."""

    original: FileT
    stems: StemFiles[FileT]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureOutput(StageOutput):
    """The loudness of each input, by `original` and the name of the stem."""

    loudness: Mapping[str, Loudness]


MEASURE = Stage(
    name="measure",
    title="Measuring the loudness",
    function="pipeline.mix.loudness_stage:measure_stage",
    inputs=MeasureInputs[Artefact],
    params=NoParams,
    output=MeasureOutput,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MixInputs(Generic[FileT]):
    """The master of the clip, its stems, and what may stand in for the vocals or move the gains."""

    sound: FileT
    stems: StemFiles[FileT]
    dub: FileT | None = None
    """`DubOutput.track`."""
    transcript: FileT | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MixParams:
    """How the parts are balanced. All gains are linear."""

    voice: float
    background: float
    dub: bool = False
    """Whether the person sent a dub."""
    stem_gains: Mapping[StemName, float] = field(default_factory=dict[StemName, float])
    """Gains of music, sfx and ambient that differ from the background's."""
    speaker_gains: Mapping[str, float] = field(default_factory=dict[str, float])
    """Gains of the voice in the turns of a speaker, by id or name."""
    loudness: LoudnessTarget | None = None
    ducking: Ducking | None = None
    formats: tuple[SoundFormat, ...] = ()
    """Formats of the mix beside `final.m4a`."""
    original: Loudness = SILENT
    vocals: Loudness = SILENT


@dataclass(frozen=True, slots=True, kw_only=True)
class MixOutput(StageOutput, Generic[FileT]):
    """The final mix."""

    mix: FileT
    """`final.m4a`."""
    others: tuple[FileT, ...] = ()
    """The mix in the other formats that were asked for."""
    loudness: Mapping[str, Loudness] = field(default_factory=dict[str, Loudness])
    """Of `final`, and of `dub` where there is one."""


MIX = Stage(
    name="mix",
    title="Mixing",
    function="pipeline.mix.stage:mix_stage",
    version=5,
    inputs=MixInputs[Artefact],
    params=MixParams,
    output=MixOutput[Artefact],
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DubInputs(Generic[FileT]):
    """The original vocals, what replaces them, and the turns where they are needed."""

    vocals: FileT
    dub: FileT
    """A sound file, or a zip of them."""
    transcript: FileT | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DubParams:
    """How a dub is placed."""

    zipped: bool
    """True when the dub is a zip of clips, False when it is one whole track."""
    stretch: float
    """Per cent by which the length of a line may be changed, at the most."""
    keep_vocals: bool
    """Keep the original vocals where no turn is replaced."""
    max_size: int = MAX_SIZE
    """Bytes that the clips of a zip may have, unpacked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DubOutput(StageOutput, Generic[FileT]):
    """The voice track that stands in for the vocals."""

    track: FileT
    """`dub.flac`, with the rate, channels and length of the vocals."""
    reports: tuple[FileT, ...] = ()
    """How well each line fits, as JSON and as text."""
    lines: int
    """How many were placed."""


DUB = Stage(
    name="dub",
    title="Fitting the dub",
    function="pipeline.mix.dub.stage:dub_stage",
    version=3,
    inputs=DubInputs[Artefact],
    params=DubParams,
    output=DubOutput[Artefact],
    # Up to 2,000 files, each converted by a program of its own.
    limit=900.0,
    limit_per_second=20.0,
    isolated=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderDubComparisonInputs(Generic[FileT]):
    """The original vocals, a dub that is one whole track, and the turns."""

    vocals: FileT
    dub: FileT
    transcript: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderDubComparisonParams:
    """What the report says of the dub."""

    name: str
    """Of the dub, as it was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderDubComparisonOutput(StageOutput, Generic[FileT]):
    """How a whole track fits the turns of the original."""

    reports: tuple[FileT, ...] = ()
    """As JSON and as text; none where neither speaks."""
    lines: int
    """How many turns have a voice in the dub."""


RENDER_DUB_COMPARISON = Stage(
    name="render_dub_comparison",
    title="Comparing the dub with the original",
    function="pipeline.mix.dub.compare:render_dub_comparison_stage",
    version=2,
    inputs=RenderDubComparisonInputs[Artefact],
    params=RenderDubComparisonParams,
    output=RenderDubComparisonOutput[Artefact],
    isolated=True,
)
