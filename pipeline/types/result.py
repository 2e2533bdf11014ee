"""What a job gives back, and what it tells on its way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from pipeline.types.media import Artefact, Loudness, MediaInfo
from pipeline.types.request import Request, RouteName
from pipeline.types.speech import Speaker, SpeakerStem

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
"""What a stage may take as a parameter and give back as a fact."""


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
class DraftLine:
    """Something that was said, as first heard, before it is given to a speaker."""

    start: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a stage is; fraction goes from 0 to 1."""

    stage: str
    fraction: float
    message: str = ""
    remaining: float | None = None
    """Seconds that the stage still takes, as far as can be told."""
    cost: float = 0.0
    """Seconds of the clip that a costly stage has used so far; 0 for other stages and for what was kept."""
    draft: tuple[DraftLine, ...] = ()
    """How the transcript begins, as far as it is known; empty where it is as before."""
    files: tuple[Artefact, ...] = ()
    """What people may hear already, once the stage is done."""


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


class TextReference(msgspec.Struct, frozen=True, kw_only=True):
    """Names a message for people, so that it can be said in their language."""

    key: str
    """Of the message; its hint is at `KEY-hint`."""
    values: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    """What stands in it, such as the length of the clip."""


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
    text: TextReference | msgspec.UnsetType = msgspec.UNSET
    """Unset: there is the English message only."""


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
    speaker_stems: tuple[SpeakerStem, ...] = ()
    """The tracks that the vocals were shared out to, where that was asked for."""

    def artefact(self, name: str) -> Artefact | None:
        """The artefact of that name, or None."""
        return next((a for a in self.artefacts if a.name == name), None)
