"""Contracts of the stages that find out who says what."""

from dataclasses import dataclass
from typing import Generic

from pipeline.graph.stage import FileT, ModelParams, NoParams, Stage, StageOutput
from pipeline.types import Artefact, Speaker


@dataclass(frozen=True, slots=True, kw_only=True)
class FindSpeechInputs(Generic[FileT]):
    """The clip's speech, 16 kHz and mono."""

    speech: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class FindSpeechParams:
    """Which model hears where anybody speaks."""

    segmentation: str
    weights: str
    """`pipeline.models.loader.model_digest` of the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindSpeechOutput(StageOutput, Generic[FileT]):
    """Where anybody speaks. Voices have labels, which are one person's only for as long as that person goes on."""

    speech: FileT
    """A `pipeline.types.Diarization` as JSON, without short gaps and noises."""
    voices: FileT
    """The same as the segmentation found it, which the diarization goes on with."""


FIND_SPEECH = Stage(
    name="find_speech",
    title="Finding out where somebody speaks",
    function="pipeline.speech.diarization.stage:find_speech_stage",
    parted="pipeline.speech.diarization.parts.parting:find_speech_in_parts",
    min_parted_seconds=480.0,
    inputs=FindSpeechInputs[Artefact],
    params=FindSpeechParams,
    output=FindSpeechOutput[Artefact],
    limit=300.0,
    limit_per_second=10.0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleVoicesInputs(Generic[FileT]):
    """The clip's speech, 16 kHz and mono, and the `speech` of a `FindSpeechOutput`."""

    speech: FileT
    found: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleVoicesParams(ModelParams):
    """What takes the voices out of the excerpts."""

    engine: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleVoicesOutput(StageOutput):
    """How clear the voices are in excerpts of a clip."""

    clear: bool
    """Speakers and words are surely heard as well with the background as without it."""


SAMPLE_VOICES = Stage(
    name="sample_voices",
    title="Listening whether the voices are clear",
    function="pipeline.speech.diarization.input_stages:sample_voices_stage",
    inputs=SampleVoicesInputs[Artefact],
    params=SampleVoicesParams,
    output=SampleVoicesOutput,
    # Weights may be downloaded before.
    limit=900.0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareVoicesInputs(Generic[FileT]):
    """The clip's speech and its separated voices; both 16 kHz, mono and of one length."""

    speech: FileT
    vocals: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareVoicesOutput(StageOutput):
    """In which sound the speakers are told apart."""

    background_gain: float
    """Linear gain of what is not voice; 1 is the whole sound."""


COMPARE_VOICES = Stage(
    name="compare_voices",
    title="Comparing the voices with the background",
    function="pipeline.speech.diarization.input_stages:compare_voices_stage",
    inputs=CompareVoicesInputs[Artefact],
    params=NoParams,
    output=CompareVoicesOutput,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiarizeInputs(Generic[FileT]):
    """The clip's speech, 16 kHz and mono."""

    speech: FileT
    vocals: FileT | None = None
    """The separated voices, of the same length, where the background is to be turned down."""
    found: FileT | None = None
    """The `voices` of a `FindSpeechOutput` for the whole sound; None: they are found."""


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
    background_gain: float = 1.0
    """Linear gain of what is not voice."""


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
    parted="pipeline.speech.diarization.parts.parting:diarize_in_parts",
    min_parted_seconds=480.0,
    version=5,
    costly=True,
    inputs=DiarizeInputs[Artefact],
    params=DiarizeParams,
    output=DiarizeOutput[Artefact],
    limit=300.0,
    limit_per_second=10.0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscribeInputs(Generic[FileT]):
    """The clip's speech, and where in it anybody speaks, as a `pipeline.types.Diarization`."""

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
    version=14,
    parted="pipeline.speech.recognition.parting:transcribe_in_parts",
    min_parted_seconds=480.0,
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
    version=5,
    inputs=AlignInputs[Artefact],
    params=AlignParams,
    output=AlignOutput[Artefact],
    limit=300.0,
    limit_per_second=10.0,
)
