"""Contracts of the stages that deal with the clip itself."""

from dataclasses import dataclass
from typing import Generic

from pipeline.graph.stage import FileT, NoParams, Stage, StageOutput
from pipeline.types import Artefact, MediaInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeInputs(Generic[FileT]):
    """The clip as it was sent."""

    source: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeParams:
    """What a clip may be."""

    name: str
    """Of the clip, as it was sent."""
    max_duration: float
    """Seconds."""
    max_size: int
    """Bytes."""
    track: int | None = None
    """Number of the sound track to hear, from 1; None: it is chosen."""
    needs_sound: bool = True
    """Refuse a clip without a sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeOutput(StageOutput):
    """What the clip is."""

    media: MediaInfo


PROBE = Stage(
    name="probe",
    title="Reading the clip",
    function="pipeline.media.stages:probe_stage",
    version=2,
    inputs=ProbeInputs[Artefact],
    params=ProbeParams,
    output=ProbeOutput,
    isolated=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractInputs(Generic[FileT]):
    """The clip as it was sent."""

    source: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractParams:
    """Which sound is wanted."""

    track: int | None = None
    """Number of the sound track, from 1; None: it is chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractOutput(StageOutput, Generic[FileT]):
    """The sound of the clip on the clip's clock, `master.flac`."""

    sound: FileT
    sample_rate: int
    """Hz."""
    channels: int
    layout: str
    """ffmpeg's name of it."""
    duration: float
    """Seconds."""
    gain_db: float = 0.0
    """By how much the sound was changed so that nothing goes over full scale; 0 or less."""


EXTRACT = Stage(
    name="extract",
    title="Extracting the sound",
    function="pipeline.media.stages:extract_stage",
    version=5,
    inputs=ExtractInputs[Artefact],
    params=ExtractParams,
    output=ExtractOutput[Artefact],
    isolated=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MixDownInputs(Generic[FileT]):
    """The sound of the clip."""

    sound: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class MixDownOutput(StageOutput, Generic[FileT]):
    """The sound in one channel, `audio.wav`."""

    sound: FileT


MIX_DOWN = Stage(
    name="mix_down",
    title="Mixing down the sound",
    function="pipeline.media.stages:mix_down_stage",
    inputs=MixDownInputs[Artefact],
    params=NoParams,
    output=MixDownOutput[Artefact],
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareSpeechInputs(Generic[FileT]):
    """The sound in which speech is looked for."""

    sound: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareSpeechOutput(StageOutput, Generic[FileT]):
    """What speech models hear: 16 kHz, mono, 16 bit."""

    speech: FileT
    duration: float
    """Seconds."""


PREPARE_SPEECH = Stage(
    name="prepare_speech",
    title="Preparing the speech",
    function="pipeline.media.stages:prepare_speech_stage",
    version=3,
    inputs=PrepareSpeechInputs[Artefact],
    params=NoParams,
    output=PrepareSpeechOutput[Artefact],
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MuxInputs(Generic[FileT]):
    """A picture and the sound that goes with it."""

    source: FileT
    """The clip whose picture is kept."""
    sound: FileT
    """An m4a."""
    subtitles: FileT | None = None
    """An SRT."""
    chapters: FileT | None = None
    """The `chapters` of a `FindChaptersOutput`, for a clip that has none of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MuxParams:
    """How sound and picture are joined."""

    language: str
    """ISO 639-2 of the sound; empty where it is unknown."""
    track: int | None = None
    """Number of the sound track that is replaced, from 1; None: it is chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MuxOutput(StageOutput, Generic[FileT]):
    """The final video; None where the picture cannot be kept, which a note explains."""

    video: FileT | None = None


MUX = Stage(
    name="mux",
    title="Joining sound and picture",
    function="pipeline.media.stages:mux_stage",
    version=2,
    inputs=MuxInputs[Artefact],
    params=MuxParams,
    output=MuxOutput[Artefact],
    isolated=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompressInputs(Generic[FileT]):
    """A sound that is too large for a place."""

    sound: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class CompressParams:
    """How large the copy may be."""

    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompressOutput(StageOutput, Generic[FileT]):
    """The smaller copy; None where the sound is too long for the size."""

    sound: FileT | None = None
    rate: int = 0
    """Bits a second."""


COMPRESS = Stage(
    name="compress",
    title="Making a smaller copy",
    function="pipeline.media.compress:compress_stage",
    inputs=CompressInputs[Artefact],
    params=CompressParams,
    output=CompressOutput[Artefact],
)
