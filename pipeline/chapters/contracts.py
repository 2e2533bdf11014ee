"""Contract of the stage that divides a long recording by topics."""

from dataclasses import dataclass
from typing import Final, Generic

from pipeline.graph.stage import FileT, NoParams, Stage, StageOutput
from pipeline.types import Artefact


@dataclass(frozen=True, slots=True, kw_only=True)
class FindChaptersInputs(Generic[FileT]):
    """A `transcript.json`, edited or not."""

    transcript: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class FindChaptersOutput(StageOutput, Generic[FileT]):
    """The transcript with its chapters."""

    transcript: FileT
    chapters: FileT | None = None
    """The chapters alone, `chapters.json`; None where there are none."""


MIN_RECORDING_S: Final = 300.0
"""Shorter recordings have no chapters."""

FIND_CHAPTERS = Stage(
    name="find_chapters",
    title="Finding topics",
    function="pipeline.chapters.stage:find_chapters_stage",
    version=2,
    inputs=FindChaptersInputs[Artefact],
    params=NoParams,
    output=FindChaptersOutput[Artefact],
)
