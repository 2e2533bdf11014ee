"""Contracts of the stages that find out who speaks when in a long clip, in parts.

`survey_speech`, `segment_part` and `join_speech` do the segmentation; `survey_voices`, `embed_part` and `join_voices`
do what follows it.
"""

from dataclasses import dataclass
from typing import Generic

from pipeline.graph.stage import FileT, NoParams, PartRange, PartsOutput, Stage, StageOutput
from pipeline.speech.contracts import (
    DIARIZE,
    FIND_SPEECH,
    DiarizeOutput,
    DiarizeParams,
    FindSpeechInputs,
    FindSpeechOutput,
    FindSpeechParams,
)
from pipeline.types import Artefact

SURVEY_SPEECH = Stage(
    name="survey_speech",
    title="Measuring the speech",
    function="pipeline.speech.diarization.parts.stages:survey_speech_stage",
    inputs=FindSpeechInputs[Artefact],
    params=NoParams,
    output=PartsOutput,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentPartInputs(Generic[FileT]):
    """As `pipeline.speech.contracts.DiarizeInputs`."""

    speech: FileT
    vocals: FileT | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentPartParams:
    """Which windows of the sound the segmentation hears."""

    segmentation: str
    weights: str
    background_gain: float
    part: PartRange
    share: float
    """Of the work of the stage whose part this is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentPartOutput(StageOutput, Generic[FileT]):
    """What the windows of a part hear."""

    active: FileT
    """Voices of each window as bits; see `pipeline.speech.diarization.parts.stages`."""


SEGMENT_PART = Stage(
    name="segment_part",
    title="Finding out where somebody speaks in a part",
    function="pipeline.speech.diarization.parts.stages:segment_part_stage",
    shared=True,
    inputs=SegmentPartInputs[Artefact],
    params=SegmentPartParams,
    output=SegmentPartOutput[Artefact],
    limit=FIND_SPEECH.limit,
    limit_per_second=FIND_SPEECH.limit_per_second,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinSpeechInputs(Generic[FileT]):
    """The `active` of each part, in order."""

    parts: tuple[FileT, ...]


JOIN_SPEECH = Stage(
    name="join_speech",
    title="Joining where somebody speaks",
    function="pipeline.speech.diarization.parts.stages:join_speech_stage",
    inputs=JoinSpeechInputs[Artefact],
    params=FindSpeechParams,
    output=FindSpeechOutput[Artefact],
    limit=300.0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyVoicesInputs(Generic[FileT]):
    """The clip's speech, and the `voices` of a `FindSpeechOutput`."""

    speech: FileT
    found: FileT


SURVEY_VOICES = Stage(
    name="survey_voices",
    title="Measuring the voices",
    function="pipeline.speech.diarization.parts.stages:survey_voices_stage",
    inputs=SurveyVoicesInputs[Artefact],
    params=NoParams,
    output=PartsOutput,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedPartInputs(Generic[FileT]):
    """The sound as the diarization hears it, and the voices that the segmentation found."""

    speech: FileT
    found: FileT
    vocals: FileT | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedPartParams:
    """Which chunks of single voices are embedded."""

    embedding: str
    weights: str
    background_gain: float
    part: PartRange
    share: float
    """Of the work of the stage whose part this is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedPartOutput(StageOutput, Generic[FileT]):
    """What the voices of a part sound like."""

    embeddings: FileT
    """Shape (chunks, dimensions), as NumPy writes it."""


EMBED_PART = Stage(
    name="embed_part",
    title="Listening to the voices of a part",
    function="pipeline.speech.diarization.parts.stages:embed_part_stage",
    shared=True,
    inputs=EmbedPartInputs[Artefact],
    params=EmbedPartParams,
    output=EmbedPartOutput[Artefact],
    limit=DIARIZE.limit,
    limit_per_second=DIARIZE.limit_per_second,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinVoicesInputs(Generic[FileT]):
    """The clip's speech, what the segmentation found, and the `embeddings` of each part, in order."""

    speech: FileT
    found: FileT
    parts: tuple[FileT, ...]


JOIN_VOICES = Stage(
    name="join_voices",
    title="Grouping the voices",
    function="pipeline.speech.diarization.parts.stages:join_voices_stage",
    inputs=JoinVoicesInputs[Artefact],
    params=DiarizeParams,
    output=DiarizeOutput[Artefact],
    limit=300.0,
)
