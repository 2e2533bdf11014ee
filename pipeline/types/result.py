"""The words the whole project speaks: requests, clips, stems, turns, results.

Nothing heavier than msgspec is imported here, so that the bot can use these types
without loading a sound library. Times are seconds on the clip's own clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

import msgspec

from pipeline.export.style import SubtitleStyle
from pipeline.mix.presets import Ducking, LoudnessTarget, MixPreset

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
"""What a stage may take as a parameter and give back as a fact."""


class Task(StrEnum):
    """What a person asked for."""

    SEPARATE = "separate"
    TRANSCRIBE = "transcribe"
    REMIX = "remix"
    ALL = "all"


class RouteName(StrEnum):
    """The path a clip takes through the engines."""

    BASIC = "basic"
    DIALOGUE = "dialogue"
    CINEMATIC = "cinematic"


class Preset(StrEnum):
    """Which set of weights is used."""

    POCKET = "pocket"
    STUDIO = "studio"


class Budget(StrEnum):
    """How much work a clip may cost."""

    LOW = "low"
    NORMAL = "normal"


class StemName(StrEnum):
    """The parts a clip's sound is taken into; background is all but the vocals."""

    VOCALS = "vocals"
    MUSIC = "music"
    SFX = "sfx"
    AMBIENT = "ambient"
    BACKGROUND = "background"


class SoundFormat(StrEnum):
    """A form in which the final mix may be wanted; the m4a is always made."""

    M4A = "m4a"
    WAV = "wav"
    FLAC = "flac"
    MP3 = "mp3"
    OPUS = "opus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to do with a clip. Build it with `pipeline.options.parse_request`."""

    task: Task = Task.ALL
    route: RouteName | None = None
    """None: the route is measured on the clip."""
    preset: Preset = Preset.POCKET
    budget: Budget = Budget.NORMAL
    language: str | None = None
    """ISO 639-1 code, or that of a mixture; None: the language is detected."""
    recogniser: str | None = None
    """Name of the recogniser; None: the preset chooses by language."""
    speakers: int | None = None
    """Exact number of speakers; None: it is found."""
    min_speakers: int | None = None
    """At least so many, where `speakers` is None."""
    max_speakers: int | None = None
    """At most so many, where `speakers` is None."""
    voice: float = 1.0
    """Linear gain of the vocals in the remix."""
    background: float = 0.7
    """Linear gain of everything else in the remix."""
    music: float | None = None
    """Linear gain of a stem of its own, where there is one; None: that of the background."""
    sfx: float | None = None
    ambient: float | None = None
    speaker_gains: Mapping[str, float] = field(default_factory=dict[str, float])
    """Linear gain of the vocals while a speaker, by id or name, has a turn; it stands in for `voice`."""
    mix: MixPreset | None = None
    """The preset that the gains above came from, where they were not given."""
    loudness: LoudnessTarget | None = None
    """None: as loud as the gains make it."""
    ducking: Ducking | None = None
    subtitles: SubtitleStyle | None = None
    """None: as is usual for the language."""
    voice_book: "Artefact | None" = None
    """Known voices (`pipeline.speech.speakers.matching.VoiceBook`), by which speakers are named."""
    formats: tuple[SoundFormat, ...] = (SoundFormat.M4A,)
    """Forms of the final mix."""
    soft_subtitles: bool = False
    """Put the transcript into the final video as a track that can be turned on."""
    dub_stretch: float = 12.0
    """Per cent by which the length of a dubbed line may be changed."""
    keep_vocals: bool | None = None
    """Keep the vocals outside of the turns that a dub replaces; None: with a dub in pieces, not with a whole track."""
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    """What speakers are called, by id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioStream:
    """The sound track of a clip as its container declares it."""

    codec: str
    sample_rate: int
    channels: int
    layout: str
    start: float
    """Seconds from the start of the clip's clock to the first sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoStream:
    """The picture of a clip as its container declares it."""

    codec: str
    width: int
    height: int
    frame_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaInfo:
    """What probing a clip tells."""

    container: str
    duration: float
    audio: AudioStream
    video: VideoStream | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """A file in the store: its name for people and the sha256 of its bytes."""

    name: str
    """Relative path for people, such as `stems/vocals.flac`."""
    digest: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A route that was not taken, and why."""

    name: RouteName
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The chosen route with the numbers it was chosen by."""

    name: RouteName
    engine: str
    """The separation engine, or `ffmpeg` on the basic route."""
    model: str | None
    """Name of the catalogue entry, None on the basic route."""
    reason: str
    asked: bool
    """True when the person chose, False when the clip was measured."""
    measurements: Mapping[str, float] = field(default_factory=dict[str, float])
    rejected: tuple[Rejected, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerSegment:
    """A stretch in which one speaker is heard; stretches may overlap."""

    start: float
    end: float
    speaker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diarization:
    """Who is heard when; `exclusive` has no overlap and serves to place words."""

    speakers: tuple[str, ...]
    segments: tuple[SpeakerSegment, ...]
    exclusive: tuple[SpeakerSegment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One recognised word; punctuation stays with its word."""

    start: float
    end: float
    text: str
    confidence: float
    """0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """What an engine heard, before it is given to speakers."""

    language: str
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """A voice in the clip and the name people see."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one speaker says until another goes on or a long pause comes."""

    start: float
    end: float
    speaker: str
    text: str
    overlap: bool
    """True when another speaker is heard at the same time."""
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """Who said what; the layout of `transcript.json`."""

    language: str
    duration: float
    speakers: tuple[Speaker, ...]
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loudness:
    """How loud a sound is (ITU-R BS.1770, EBU R 128); None for silence, and for less than 0.4 s."""

    integrated: float | None
    """LUFS."""
    peak: float | None
    """The highest sample, dBFS."""
    range: float | None = None
    """Loudness range (EBU Tech 3342), LU."""
    true_peak: float | None = None
    """The highest point between the samples too, dBTP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a stage is; fraction goes from 0 to 1."""

    stage: str
    fraction: float
    message: str = ""
    remaining: float | None = None
    """Seconds that the stage still takes, as far as can be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUse:
    """Which weights made a part of a result."""

    stage: str
    engine: str
    model: str
    licence: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTiming:
    """What a stage cost: `seconds` as the job saw it, `engine_seconds` inside the engine."""

    stage: str
    seconds: float
    engine_seconds: float
    reused: bool
    """True when the result came from the store."""


class Failure(msgspec.Struct, frozen=True, kw_only=True, rename={"hint": "mend"}):
    """An error as data, so that it can cross a process or a queue.

    In JSON, as in `result.json`, the hint is called `mend`.
    """

    type: str
    """A key of `pipeline.errors.ERROR_TYPES`."""
    message: str
    hint: str
    detail: str = ""
    stage: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """All that a job gives back; `result.json` is its JSON form."""

    request: Request
    media: MediaInfo
    route: Route
    artefacts: tuple[Artefact, ...]
    voices: Artefact | None = None
    """A vector for each speaker; biometric, so it is kept apart from what is delivered."""
    speakers: tuple[Speaker, ...] = ()
    language: str | None = None
    loudness: Mapping[str, Loudness] = field(default_factory=dict[str, Loudness])
    """By part: `original`, `final`, and each stem."""
    models: tuple[ModelUse, ...] = ()
    timings: tuple[StageTiming, ...] = ()
    failures: tuple[Failure, ...] = ()
    """Parts that could not be made; the rest of the result stands."""
    notes: tuple[str, ...] = ()
    """Sentences for people, such as why a stem is missing."""

    def artefact(self, name: str) -> Artefact | None:
        """The artefact of that name, or None."""
        return next((a for a in self.artefacts if a.name == name), None)
