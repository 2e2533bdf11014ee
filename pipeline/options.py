"""Options as people give them, turned into a `Request` or into one clear sentence."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import pydantic

from pipeline.catalog import MAX_GAIN, MAX_SPEAKERS
from pipeline.errors import ValidationError
from pipeline.export.style import (
    MAX_LINE_LENGTH,
    MAX_READING_SPEED,
    MIN_LINE_LENGTH,
    MIN_READING_SPEED,
    SubtitleStyle,
)
from pipeline.languages import LANGUAGES, MIXTURES
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
from pipeline.models.recognisers import check_recogniser
from pipeline.types import Budget, Preset, Request, RouteName, SoundFormat, Task


def _auto_is_none(value: object) -> object:
    return None if value in ("auto", "", None) else value


def _known_language(value: str | None) -> str | None:
    if value is not None and value not in LANGUAGES and value not in MIXTURES:
        raise ValueError("is not a language code that the recogniser knows, such as en, zh, de, zh-en or auto")
    return value


def _decibels_to_linear(value: object) -> object:
    """`-3 dB` as 0.708; anything else as it is."""
    text = str(value).strip().lower().replace("\N{MINUS SIGN}", "-")
    if not isinstance(value, str) or not text.endswith("db"):
        return text if isinstance(value, str) else value
    try:
        return 10 ** (float(text.removesuffix("db")) / 20)
    except (ValueError, OverflowError) as error:
        raise ValueError("is not a gain such as 0.7 or -3 dB") from error


def _within_bounds(gain: float) -> float:
    if not 0.0 <= gain <= MAX_GAIN:
        raise ValueError(f"should be from 0 to {MAX_GAIN:g} (12 dB), or in decibels such as -3 dB")
    return gain


Auto = pydantic.BeforeValidator(_auto_is_none)
Gain = Annotated[
    float,
    pydantic.BeforeValidator(_decibels_to_linear),
    pydantic.Field(allow_inf_nan=False),
    pydantic.AfterValidator(_within_bounds),
]
Fade = Annotated[float, pydantic.Field(gt=0.0, le=MAX_FADE, allow_inf_nan=False)]
Count = Annotated[Annotated[int, pydantic.Field(ge=1, le=MAX_SPEAKERS)] | None, Auto]
SpeakerName = Annotated[str, pydantic.StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class _Options(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    task: Task = Task.ALL
    route: Annotated[RouteName | None, Auto] = None
    preset: Preset = Preset.POCKET
    budget: Budget = Budget.NORMAL
    language: Annotated[str | None, Auto, pydantic.AfterValidator(_known_language)] = None
    recogniser: Annotated[str | None, Auto] = None
    speakers: Count = None
    min_speakers: Count = None
    max_speakers: Count = None
    voice: Gain | None = None
    background: Gain | None = None
    music: Gain | None = None
    sfx: Gain | None = None
    ambient: Gain | None = None
    speaker_gains: Annotated[dict[SpeakerName, Gain], pydantic.Field(max_length=MAX_SPEAKERS)] = {}
    mix: MixPreset | None = None
    loudness: LoudnessTarget | Literal["none"] | None = None
    duck: Annotated[float, pydantic.Field(ge=0.0, le=MAX_DUCKING, allow_inf_nan=False)] | None = None
    """Depth in dB; 0 turns the preset's ducking off."""
    duck_attack: Fade | None = None
    duck_release: Fade | None = None
    dub_stretch: Annotated[float, pydantic.Field(ge=0.0, le=MAX_DUB_STRETCH, allow_inf_nan=False)] = 12.0
    keep_vocals: Annotated[bool | None, Auto] = None
    formats: Annotated[tuple[SoundFormat, ...], pydantic.Field(max_length=16)] = (SoundFormat.M4A,)
    soft_subtitles: bool = False
    names: Annotated[dict[str, SpeakerName], pydantic.Field(max_length=MAX_SPEAKERS)] = {}

    @pydantic.field_validator("min_speakers", "max_speakers")
    @classmethod
    def _bounds_that_fit(cls, value: int | None, info: pydantic.ValidationInfo) -> int | None:
        if value is not None and info.data.get("speakers") is not None:
            raise ValueError("the exact number of speakers is given as well")
        least = info.data.get("min_speakers")
        if value is not None and least is not None and value < least:
            raise ValueError(f"it is less than min_speakers, which is {least}")
        return value

    def to_request(self) -> Request:
        """The request, in which what was given goes before what the preset says."""
        preset = DEFAULT_MIX if self.mix is None else MIXES[self.mix]
        given = self.model_dump(exclude={"loudness", "duck", "duck_attack", "duck_release"})
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


class _SubtitleOptions(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    line_length: Annotated[Annotated[int, pydantic.Field(ge=MIN_LINE_LENGTH, le=MAX_LINE_LENGTH)] | None, Auto] = None
    reading_speed: Annotated[
        Annotated[float, pydantic.Field(ge=MIN_READING_SPEED, le=MAX_READING_SPEED, allow_inf_nan=False)] | None, Auto
    ] = None
    min_duration: Annotated[float, pydantic.Field(ge=0.0, le=5.0, allow_inf_nan=False)] = 1.0


def parse_subtitle_style(options: Mapping[str, Any]) -> SubtitleStyle:
    """How subtitles are to look, from untrusted options; raises `ValidationError` as `parse_request` does."""
    try:
        return SubtitleStyle(**_SubtitleOptions.model_validate(dict(options)).model_dump())
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "options"
        reason = f"{first['msg'][:1].lower()}{first['msg'][1:]}"
        raise ValidationError(
            f"The option {name} cannot be used: {reason}.", hint="Choose another value, or auto."
        ) from error


def read_speaker_gains(pairs: Sequence[str]) -> dict[str, str]:
    """`["Speaker 1=-3 dB"]` as a mapping; raises `ValidationError`."""
    gains = dict[str, str]()
    for pair in pairs:
        name, sign, gain = pair.rpartition("=")
        if not sign:
            raise ValidationError(
                f"The gain of a speaker cannot be read: {pair}.", hint="Write it as 'Speaker 1=-3 dB'."
            )
        gains[name] = gain
    return gains


def parse_request(options: Mapping[str, Any]) -> Request:
    """A request from untrusted options; values left out take their defaults.

    Raises `ValidationError` naming the first option that cannot be used and what it may be.
    """
    try:
        checked = _Options.model_validate(dict(options))
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        # What follows the option's name are the branches of its type.
        name = str(first["loc"][0]) if first["loc"] else "options"
        reason = first["msg"].removeprefix("Value error, ")
        raise ValidationError(
            f"The option {name} cannot be used: {reason[:1].lower()}{reason[1:]}.", hint="Choose another value."
        ) from error
    if checked.recogniser is not None:
        check_recogniser(checked.recogniser, checked.language)
    return checked.to_request()
