"""The options of a request: one table row each, read from people's input and turned into a `Request`.

A row of `RequestOptions` or `SubtitleOptions` is a field with its type, limits and default, and a `Flag` with the help
text. `stemcord run` takes its command line from the rows, Discord's commands take their choices and limits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, get_args

import pydantic

from pipeline.catalog import MAX_GAIN, MAX_SPEAKERS, MAX_TRACKS
from pipeline.errors import ValidationError
from pipeline.export.subtitles.style import (
    MAX_LINE_LENGTH,
    MAX_READING_SPEED,
    MIN_LINE_LENGTH,
    MIN_READING_SPEED,
    SubtitleStyle,
)
from pipeline.languages import LANGUAGES, MIXTURES
from pipeline.mix.gain_values import Gain
from pipeline.mix.presets import (
    DEFAULT_MIX,
    MAX_DUB_STRETCH,
    MAX_DUCKING,
    MAX_FADE,
    MIXES,
    Ducking,
    LoudnessTarget,
    MixPreset,
)
from pipeline.models.recognisers import RECOGNISERS, check_recogniser
from pipeline.types import BackgroundParts, Budget, Preset, Request, RouteName, SoundFormat, Task


@dataclass(frozen=True, slots=True)
class Flag:
    """How an option is given on the command line."""

    help: str
    default: str | None = None
    """What the help shows as the default; None: the option is left out."""
    name: str = ""
    """Empty: the option's own name."""
    kind: Any = str
    """Type of the value before it is checked."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The least and the greatest value of a number."""

    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A row of the table, as a user interface needs it."""

    name: str
    choices: tuple[str, ...]
    """Values to choose from; empty where the value is free."""
    limits: Limits | None
    flag: Flag | None
    """None: the command line does not have the option."""


def _auto_is_none(value: object) -> object:
    return None if value in ("auto", "", None) else value


def _known_language(value: str | None) -> str | None:
    if value is not None and value not in LANGUAGES and value not in MIXTURES:
        raise ValueError("is not a language code that the recogniser knows, such as en, zh, de, zh-en or auto")
    return value


def _no_clip_tool(value: object) -> object:
    if value not in _TASKS:
        raise ValueError("input should be 'separate', 'transcribe', 'remix' or 'all'")
    return value


_OTHER_TASKS: Final = (Task.CLIP, Task.VOICES)
"""Tools for clips have options of their own, `pipeline.clip_options`; voices alone need a consent."""
_TASKS: Final = tuple(task.value for task in Task if task not in _OTHER_TASKS)
_LATER_OPTIONS: Final = ("track", "parts", "speaker_stems")
"""Options that a job of an earlier version does not have; none of their values but the default is false."""
Auto = pydantic.BeforeValidator(_auto_is_none)
OptionalGain = Annotated[Gain | None, Limits(0.0, MAX_GAIN)]
Fade = Annotated[float, pydantic.Field(gt=0.0, le=MAX_FADE, allow_inf_nan=False)]
SpeakerCount = Annotated[Annotated[int, pydantic.Field(ge=1, le=MAX_SPEAKERS)] | None, Auto, Limits(1, MAX_SPEAKERS)]
TrackNumber = Annotated[Annotated[int, pydantic.Field(ge=1, le=MAX_TRACKS)] | None, Auto, Limits(1, MAX_TRACKS)]
SpeakerName = Annotated[str, pydantic.StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class RequestOptions(pydantic.BaseModel):
    """The table of request options; each field is also one of `Request`, or decides some of its fields."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    task: Annotated[
        Task,
        pydantic.BeforeValidator(_no_clip_tool),
        Flag(" | ".join(_TASKS), "all"),
    ] = Task.ALL
    route: Annotated[RouteName | None, Auto, Flag(" | ".join(("auto", *RouteName)), "auto")] = None
    preset: Annotated[Preset, Flag(f"{' | '.join(Preset)}; default STEMCORD_PRESET")] = Preset.POCKET
    budget: Annotated[Budget, Flag(" | ".join(Budget), "normal")] = Budget.NORMAL
    track: Annotated[TrackNumber, Flag("Which of several sound tracks to hear, counted from 1, or auto.", "auto")] = (
        None
    )
    parts: Annotated[
        BackgroundParts | None,
        Auto,
        Flag(f"Music, SFX and ambience out of the background: {' | '.join(BackgroundParts)}", "auto"),
    ] = None
    """`all` gives them even where they are told apart only roughly."""
    language: Annotated[
        str | None,
        Auto,
        pydantic.AfterValidator(_known_language),
        Flag("Language code such as en, zh or zh-en (mixed), or auto.", "auto"),
    ] = None
    recogniser: Annotated[
        str | None, Auto, Flag(f"Who writes the words down: {' | '.join(RECOGNISERS)}, or auto.", "auto")
    ] = None
    speakers: Annotated[SpeakerCount, Flag("Exact number of speakers, or auto.", "auto")] = None
    min_speakers: Annotated[SpeakerCount, Flag("At least so many speakers, or auto.", "auto")] = None
    max_speakers: Annotated[SpeakerCount, Flag("At most so many speakers, or auto.", "auto")] = None
    dub_stretch: Annotated[
        float,
        pydantic.Field(ge=0.0, le=MAX_DUB_STRETCH, allow_inf_nan=False),
        Flag("Per cent by which the length of a dubbed line may be changed.", "12"),
    ] = 12.0
    keep_vocals: Annotated[
        bool | None,
        Auto,
        Flag("Keep the vocals where the dub replaces no turn; by default with a dub in pieces.", kind=bool),
    ] = None
    mix: Annotated[MixPreset | None, Flag(f"Balance by name: {' | '.join(MixPreset)}")] = None
    voice: Annotated[OptionalGain, Flag("Gain of the voice, such as 0.7 or '-3 dB'; default 1.0.")] = None
    background: Annotated[OptionalGain, Flag("Gain of everything else; default 0.7.")] = None
    music: Annotated[OptionalGain, Flag("Gain of the music, where it is a stem of its own.")] = None
    sfx: Annotated[OptionalGain, Flag("Gain of the effects, likewise.")] = None
    ambient: Annotated[OptionalGain, Flag("Gain of the ambience, likewise.")] = None
    speaker_gains: Annotated[
        dict[SpeakerName, Gain],
        pydantic.Field(max_length=MAX_SPEAKERS),
        Flag("Gain of one speaker, such as 'Speaker 1=-3 dB'; may be repeated.", name="--speaker", kind=list[str]),
    ] = {}
    loudness: Annotated[LoudnessTarget | Literal["none"] | None, Flag(" | ".join(("none", *LoudnessTarget)))] = None
    duck: Annotated[
        Annotated[float, pydantic.Field(ge=0.0, le=MAX_DUCKING, allow_inf_nan=False)] | None,
        Flag("Turn the background down under speech by so many dB."),
    ] = None
    """0 turns the preset's ducking off."""
    duck_attack: Annotated[Fade | None, Flag("Seconds that it takes to go down; default 0.2.")] = None
    duck_release: Annotated[Fade | None, Flag("Seconds that it takes to come back; default 0.6.")] = None
    formats: Annotated[
        tuple[SoundFormat, ...],
        pydantic.Field(max_length=16),
        Flag(f"{' | '.join(SoundFormat)}, beside the m4a; may be repeated.", name="--format", kind=list[str]),
    ] = (SoundFormat.M4A,)
    soft_subtitles: Annotated[
        bool,
        Flag("Put the transcript into the final video, to be turned on by viewers.", name="--subtitles", kind=bool),
    ] = False
    speaker_stems: Annotated[
        bool,
        Flag("Share the vocals out by who speaks: a track for each speaker.", name="--speaker-stems", kind=bool),
    ] = False
    names: Annotated[dict[str, SpeakerName], pydantic.Field(max_length=MAX_SPEAKERS)] = {}

    @pydantic.field_validator("min_speakers", "max_speakers")
    @classmethod
    def _check_bounds(cls, value: int | None, info: pydantic.ValidationInfo) -> int | None:
        if value is not None and info.data.get("speakers") is not None:
            raise ValueError("the exact number of speakers is given as well")
        least = info.data.get("min_speakers")
        if value is not None and least is not None and value < least:
            raise ValueError(f"it is less than min_speakers, which is {least}")
        return value

    def to_request(self) -> Request:
        """Return the request; options that are given replace those of the mix preset."""
        preset = DEFAULT_MIX if self.mix is None else MIXES[self.mix]
        given = self.model_dump(exclude={"loudness", "duck", "duck_attack", "duck_release", *_LATER_OPTIONS})
        # Left out, a job is written as before there were these options.
        given |= {name: value for name in _LATER_OPTIONS if (value := getattr(self, name))}
        given["voice"] = preset.voice if self.voice is None else self.voice
        given["background"] = preset.background if self.background is None else self.background
        loudness = preset.loudness if self.loudness is None else self.loudness
        return Request(
            **given, loudness=None if loudness == "none" else loudness, ducking=self._ducking(preset.ducking)
        )

    def _ducking(self, preset: Ducking | None) -> Ducking | None:
        start = preset or Ducking(depth=0.0)
        depth = start.depth if self.duck is None else self.duck
        if not depth:
            return None
        return Ducking(
            depth=depth,
            attack=self.duck_attack or start.attack,
            release=self.duck_release or start.release,
        )


class SubtitleOptions(pydantic.BaseModel):
    """The table of options for the layout of subtitles; each field is also one of `SubtitleStyle`."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    line_length: Annotated[
        Annotated[int, pydantic.Field(ge=MIN_LINE_LENGTH, le=MAX_LINE_LENGTH)] | None,
        Auto,
        Flag("Characters in a line of subtitles, or auto (42, Chinese 16).", "auto"),
    ] = None
    reading_speed: Annotated[
        Annotated[float, pydantic.Field(ge=MIN_READING_SPEED, le=MAX_READING_SPEED, allow_inf_nan=False)] | None,
        Auto,
        Flag("Characters of a subtitle a second, or auto (17, Chinese 9).", "auto"),
    ] = None
    min_duration: Annotated[
        float,
        pydantic.Field(ge=0.0, le=5.0, allow_inf_nan=False),
        Flag("Seconds that a subtitle stays at least where there is room.", "1"),
    ] = 1.0
    mark_uncertain: Annotated[
        Annotated[float, pydantic.Field(ge=0.0, le=1.0, allow_inf_nan=False)] | None,
        Flag("Put (?) behind words heard with less confidence than this, 0 to 1, in texts and subtitles."),
    ] = None


def read_options(table: type[pydantic.BaseModel]) -> Mapping[str, Option]:
    """Return the rows of a table by their names."""
    return MappingProxyType({name: _read_row(name, field) for name, field in table.model_fields.items()})


def _read_row(name: str, field: pydantic.fields.FieldInfo) -> Option:
    kinds: tuple[Any, ...] = (field.annotation, *get_args(field.annotation))
    enums = (kind for kind in kinds if isinstance(kind, type) and issubclass(kind, StrEnum))
    return Option(
        name=name,
        choices=tuple(member.value for members in enums for member in members if member not in _OTHER_TASKS),
        limits=next((each for each in field.metadata if isinstance(each, Limits)), None),
        flag=next((each for each in field.metadata if isinstance(each, Flag)), None),
    )


REQUEST_OPTIONS: Final = read_options(RequestOptions)
SUBTITLE_OPTIONS: Final = read_options(SubtitleOptions)


def parse_request(options: Mapping[str, Any]) -> Request:
    """Turn untrusted options into a request; options that are left out take their defaults.

    Args:
        options: Values by the names of `RequestOptions`.

    Raises:
        ValidationError: An option cannot be used; the message names the first one and what it may be.
    """
    try:
        checked = RequestOptions.model_validate(dict(options))
    except pydantic.ValidationError as error:
        raise _refuse(error, "Choose another value.") from error
    if checked.recogniser is not None:
        check_recogniser(checked.recogniser, checked.language)
    return checked.to_request()


def parse_subtitle_style(options: Mapping[str, Any]) -> SubtitleStyle:
    """Turn untrusted options into the layout of subtitles.

    Args:
        options: Values by the names of `SubtitleOptions`.

    Raises:
        ValidationError: An option cannot be used; the message names the first one and what it may be.
    """
    try:
        return SubtitleStyle(**SubtitleOptions.model_validate(dict(options)).model_dump())
    except pydantic.ValidationError as error:
        raise _refuse(error, "Choose another value, or auto.") from error


def _refuse(error: pydantic.ValidationError, hint: str) -> ValidationError:
    first = error.errors(include_url=False)[0]
    # What follows the option's name are the branches of its type.
    name = str(first["loc"][0]) if first["loc"] else "options"
    reason = first["msg"].removeprefix("Value error, ")
    return ValidationError(f"The option {name} cannot be used: {reason[:1].lower()}{reason[1:]}.", hint=hint)
