"""Contract of the stage that applies people's edits."""

from dataclasses import dataclass
from typing import Generic

from pipeline.graph.stage import FileT, NoParams, Stage, StageOutput
from pipeline.types import Artefact, Speaker


@dataclass(frozen=True, slots=True, kw_only=True)
class EditTranscriptInputs(Generic[FileT]):
    """`transcript` and `voices` of an `AlignOutput`, and a file of edits."""

    transcript: FileT
    voices: FileT
    edits: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class EditTranscriptOutput(StageOutput, Generic[FileT]):
    """The edited transcript, and when each of its speakers is heard."""

    transcript: FileT
    """An `EditedTranscript`."""
    voices: FileT
    speakers: tuple[Speaker, ...]


EDIT_TRANSCRIPT = Stage(
    name="edit_transcript",
    title="Applying corrections",
    function="pipeline.edits.stage:edit_transcript_stage",
    inputs=EditTranscriptInputs[Artefact],
    params=NoParams,
    output=EditTranscriptOutput[Artefact],
    version=2,
)
