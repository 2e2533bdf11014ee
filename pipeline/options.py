"""Options as people give them, turned into a `Request` or into one clear sentence."""

from collections.abc import Mapping
from typing import Annotated, Any

import pydantic

from pipeline.catalog import MAX_GAIN, MAX_SPEAKERS
from pipeline.errors import ValidationError
from pipeline.languages import LANGUAGES
from pipeline.types import Budget, Preset, Request, RouteName, Task


def _auto_is_none(value: object) -> object:
    return None if value in ("auto", "", None) else value


def _known_language(value: str | None) -> str | None:
    if value is not None and value not in LANGUAGES:
        raise ValueError("is not a language code that the recogniser knows, such as en, zh, de or auto")
    return value


Auto = pydantic.BeforeValidator(_auto_is_none)
Gain = Annotated[float, pydantic.Field(ge=0.0, le=MAX_GAIN, allow_inf_nan=False)]


class _Options(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    task: Task = Task.ALL
    route: Annotated[RouteName | None, Auto] = None
    preset: Preset = Preset.POCKET
    budget: Budget = Budget.NORMAL
    language: Annotated[str | None, Auto, pydantic.AfterValidator(_known_language)] = None
    speakers: Annotated[Annotated[int, pydantic.Field(ge=1, le=MAX_SPEAKERS)] | None, Auto] = None
    voice: Gain = 1.0
    background: Gain = 0.7


def parse_request(options: Mapping[str, Any]) -> Request:
    """A request from untrusted options; values left out take their defaults.

    Raises `ValidationError` naming the first option that cannot be used and what it may be.
    """
    try:
        checked = _Options.model_validate(dict(options))
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"]) or "options"
        reason = first["msg"].removeprefix("Value error, ")
        raise ValidationError(
            f"The option {name} cannot be used: {reason[:1].lower()}{reason[1:]}.", mend="Choose another value."
        ) from error
    return Request(**checked.model_dump())
