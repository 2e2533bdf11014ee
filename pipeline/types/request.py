"""What a person may ask for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from msgspec import UNSET, UnsetType

from pipeline.export.subtitles.style import SubtitleStyle
from pipeline.mix.presets import Ducking, LoudnessTarget, MixPreset
from pipeline.types.clip import ClipTool
from pipeline.types.media import Artefact, SoundFormat


class Task(StrEnum):
    """What a person asked for."""

    SEPARATE = "separate"
    TRANSCRIBE = "transcribe"
    REMIX = "remix"
    ALL = "all"
    CLIP = "clip"
    """One tool for clips, `Request.tool`."""
    VOICES = "voices"
    """A description of each voice and nothing else, for somebody who has their own voice kept."""


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


class BackgroundParts(StrEnum):
    """Which parts of a background are given, where the separator takes out voices only."""

    AUTO = "auto"
    """Those that are known to be told apart well."""
    ALL = "all"
    """Music, SFX and ambience, however well they are told apart."""
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to do with a clip. Build it with `pipeline.options.parse_request`."""

    task: Task = Task.ALL
    route: RouteName | None = None
    """None: the route is measured on the clip."""
    preset: Preset = Preset.POCKET
    budget: Budget = Budget.NORMAL
    track: int | UnsetType | None = UNSET
    """Number of the sound track to hear, from 1. Unset, it is chosen, and a job is written as before there was one."""
    parts: BackgroundParts | UnsetType = UNSET
    """Unset: `AUTO`, and a job is written as before there was the choice."""
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
    voice_book: Artefact | None = None
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
    glossary: tuple[str, ...] | UnsetType = UNSET
    """Terms that are put in place of what sounds like them; unset: none."""
    people: tuple[str, ...] | UnsetType = UNSET
    """Names of people, put in likewise, but never for ordinary words; unset: none."""
    edits: Artefact | UnsetType = UNSET
    """What people corrected in the transcript (`pipeline.edits.edit_file.EditFile`); unset: nothing."""
    mix_edits: bool | UnsetType = UNSET
    """Let a mix that follows the turns follow corrected ones, too; unset: it follows those that were recognised."""
    tool: ClipTool | UnsetType = UNSET
    """What to make of the clip, where that is the task."""
    speaker_stems: bool | UnsetType = UNSET
    """Share the vocals out by who speaks, a track for each speaker; unset: no."""

    @property
    def clip_tool(self) -> ClipTool | None:
        """What to make of the clip; None for every other task."""
        return None if isinstance(self.tool, UnsetType) else self.tool

    @property
    def wanted_track(self) -> int | None:
        """Number of the sound track to hear, from 1; None: it is chosen."""
        return None if isinstance(self.track, UnsetType) else self.track

    @property
    def glossary_terms(self) -> tuple[str, ...]:
        """Terms that are put in place of what sounds like them."""
        return () if isinstance(self.glossary, UnsetType) else self.glossary

    @property
    def people_names(self) -> tuple[str, ...]:
        """Names of people that are put in place of what sounds like them."""
        return () if isinstance(self.people, UnsetType) else self.people

    @property
    def transcript_edits(self) -> Artefact | None:
        """What people corrected in the transcript; None: nothing."""
        return None if isinstance(self.edits, UnsetType) else self.edits

    @property
    def wants_speaker_stems(self) -> bool:
        """Whether each speaker gets a track."""
        return self.speaker_stems is True

    @property
    def wanted_parts(self) -> BackgroundParts:
        """Parts of the background that are given."""
        return BackgroundParts.AUTO if isinstance(self.parts, UnsetType) else self.parts
