"""Contracts of the stages that write what people read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic

from pipeline.export.subtitles.style import SubtitleStyle
from pipeline.graph.stage import FileT, NoParams, Stage, StageOutput
from pipeline.separation.contracts import StemFiles
from pipeline.types import Artefact, Speaker


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitlesInputs(Generic[FileT]):
    """`transcript` and `voices` of an `AlignOutput`."""

    transcript: FileT
    voices: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitlesParams:
    """Names of speakers and the look of subtitles."""

    names: Mapping[str, str] = field(default_factory=dict[str, str])
    """By speaker's id or name."""
    style: SubtitleStyle | None = None
    """None: as is usual for the language."""
    frame_rate: float | None = None
    """Of the clip's picture, by which editors count; None: it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitlesOutput(StageOutput, Generic[FileT]):
    """The transcript in every format."""

    transcript: FileT | None = None
    """`transcript.json` with the names that were given; None where none was."""
    subtitles: FileT
    """The SRT."""
    exports: tuple[FileT, ...]
    """All formats but `transcript.json`, the SRT among them."""
    speakers: tuple[Speaker, ...]


SUBTITLES = Stage(
    name="subtitles",
    title="Writing subtitles",
    function="pipeline.export.stage:subtitles_stage",
    version=7,
    inputs=SubtitlesInputs[Artefact],
    params=SubtitlesParams,
    output=SubtitlesOutput[Artefact],
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInputs(Generic[FileT]):
    """The master of the clip, its stems, and who says what where that is known."""

    sound: FileT
    stems: StemFiles[FileT]
    transcript: FileT | None = None
    voices: FileT | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOutput(StageOutput, Generic[FileT]):
    """The report picture."""

    picture: FileT
    """`report.png`."""


REPORT = Stage(
    name="report",
    title="Drawing the picture",
    function="pipeline.export.report.stage:report_stage",
    inputs=ReportInputs[Artefact],
    params=NoParams,
    output=ReportOutput[Artefact],
)
