"""Contracts of the stages that find out who says what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic

from pipeline.graph.stage import FileT, ModelParams, NoParams, Stage, StageOutput
from pipeline.types import Artefact, Speaker


@dataclass(frozen=True, slots=True, kw_only=True)
class DiarizeInputs(Generic[FileT]):
    """The clip's speech, and where there are separated voices these; both 16 kHz, mono and of one length."""

    speech: FileT
    vocals: FileT | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiarizeParams:
    """Which models tell the speakers apart, and how many there are."""

    segmentation: str
    embedding: str
    pipeline: str | None = None
    """A pretrained pipeline that stands in for both."""
    weights: tuple[str, ...]
    """`pipeline.models.loader.model_digest` of each model."""
    speakers: int | None = None
    """Exact number of speakers; None: it is found."""
    min_speakers: int | None = None
    max_speakers: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiarizeOutput(StageOutput, Generic[FileT]):
    """Who speaks when."""

    diarization: FileT
    """A `pipeline.types.Diarization` as JSON."""
    speakers: int
    """How many were found."""


DIARIZE = Stage(
    name="diarize",
    title="Telling the speakers apart",
    function="pipeline.speech.diarization.stage:diarize_stage",
    version=4,
    costly=True,
    inputs=DiarizeInputs[Artefact],
    params=DiarizeParams,
    output=DiarizeOutput[Artefact],
    limit=300.0,
    limit_per_second=10.0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscribeInputs(Generic[FileT]):
    """The clip's speech, and where in it anybody speaks."""

    speech: FileT
    diarization: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscribeParams(ModelParams):
    """Which recogniser hears the words."""

    language: str | None = None
    """ISO 639-1; None: it is detected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscribeOutput(StageOutput, Generic[FileT]):
    """What is said."""

    recognition: FileT
    """A `pipeline.types.Recognition` as JSON."""
    language: str
    words: int
    """How many were recognised."""
    windows: int
    """How many windows of sound the recogniser was given."""


TRANSCRIBE = Stage(
    name="transcribe",
    title="Writing down the words",
    function="pipeline.speech.recognition.stage:transcribe_stage",
    environment="asr",
    version=5,
    costly=True,
    inputs=TranscribeInputs[Artefact],
    params=TranscribeParams,
    output=TranscribeOutput[Artefact],
    # Weights are converted before the first clip.
    limit=900.0,
    limit_per_second=30.0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignInputs(Generic[FileT]):
    """Who speaks when, what is said, and the clip's speech, 16 kHz, where the voices are to be heard again."""

    diarization: FileT
    recognition: FileT
    speech: FileT | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignParams:
    """The clip's clock, and by what the voices of phrases are told apart."""

    duration: float
    """Seconds of the clip."""
    embedding: str | None = None
    """Which model describes a voice; None: words go to speakers by time alone."""
    weights: str | None = None
    """`pipeline.models.loader.model_digest` of that model."""
    speakers: int | None = None
    """Exact number of speakers; None: it is found."""
    min_speakers: int | None = None
    max_speakers: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignOutput(StageOutput, Generic[FileT]):
    """Who says what."""

    transcript: FileT
    """A `pipeline.types.Transcript` as JSON."""
    voices: FileT
    """A `pipeline.types.Diarization` as JSON: when each speaker of the transcript is heard."""
    language: str
    speakers: tuple[Speaker, ...]
    turns: int


ALIGN = Stage(
    name="align",
    title="Giving words to speakers",
    function="pipeline.speech.alignment.stage:align_stage",
    version=4,
    inputs=AlignInputs[Artefact],
    params=AlignParams,
    output=AlignOutput[Artefact],
    limit=300.0,
    limit_per_second=10.0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedSpeakersInputs(Generic[FileT]):
    """Speech, 16 kHz, and the `voices` of an `AlignOutput`."""

    speech: FileT
    voices: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedSpeakersParams:
    """Which model describes a voice."""

    embedding: str
    weights: str
    """`pipeline.models.loader.model_digest` of the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedSpeakersOutput(StageOutput, Generic[FileT]):
    """An embedding of each speaker who is heard long enough."""

    embeddings: FileT
    """A `pipeline.speech.speakers.matching.VoiceBook` as JSON; biometric."""
    voices: int
    """How many speakers have one."""


EMBED_SPEAKERS = Stage(
    name="embed_speakers",
    title="Describing the voices",
    function="pipeline.speech.speakers.stage:embed_speakers_stage",
    inputs=EmbedSpeakersInputs[Artefact],
    params=EmbedSpeakersParams,
    output=EmbedSpeakersOutput[Artefact],
    limit=300.0,
    limit_per_second=10.0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchSpeakersInputs(Generic[FileT]):
    """The clip's embeddings and a voice-book, both a `VoiceBook` as JSON."""

    embeddings: FileT
    book: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchSpeakersOutput(StageOutput):
    """Names of the voice-book by speaker's id."""

    names: Mapping[str, str] = field(default_factory=dict[str, str])


MATCH_SPEAKERS = Stage(
    name="match_speakers",
    title="Looking for known voices",
    function="pipeline.speech.speakers.stage:match_speakers_stage",
    inputs=MatchSpeakersInputs[Artefact],
    params=NoParams,
    output=MatchSpeakersOutput,
)
