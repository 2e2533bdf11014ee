"""Contracts of the stages that write down a long clip in parts: `survey_words`, `transcribe_part`, `join_words`."""

from dataclasses import dataclass
from typing import Generic

from pipeline.graph.stage import FileT, NoParams, PartRange, PartsOutput, Stage
from pipeline.speech.contracts import TRANSCRIBE, TranscribeInputs, TranscribeOutput, TranscribeParams
from pipeline.types import Artefact

SURVEY_WORDS = Stage(
    name="survey_words",
    title="Looking where there are words",
    function="pipeline.speech.recognition.part_stages:survey_words_stage",
    version=2,
    inputs=TranscribeInputs[Artefact],
    params=NoParams,
    output=PartsOutput,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscribePartParams(TranscribeParams):
    """Which windows are recognised."""

    part: PartRange
    share: float
    """Of all windows."""


TRANSCRIBE_PART = Stage(
    name="transcribe_part",
    title="Writing down the words of a part",
    function="pipeline.speech.recognition.stage:transcribe_part_stage",
    environment="asr",
    inputs=TranscribeInputs[Artefact],
    params=TranscribePartParams,
    output=TranscribeOutput[Artefact],
    limit=TRANSCRIBE.limit,
    limit_per_second=TRANSCRIBE.limit_per_second,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinWordsInputs(Generic[FileT]):
    """The `recognition` of each part, in order."""

    parts: tuple[FileT, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinWordsParams(TranscribeParams):
    """What was asked for, and what was said of the parts."""

    windows: int
    part_notes: tuple[str, ...]


JOIN_WORDS = Stage(
    name="join_words",
    title="Joining the words",
    function="pipeline.speech.recognition.part_stages:join_words_stage",
    inputs=JoinWordsInputs[Artefact],
    params=JoinWordsParams,
    output=TranscribeOutput[Artefact],
)
