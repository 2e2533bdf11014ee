"""The options of the tools for clips: untrusted values become numbers and choices, or are refused.

Discord's commands and `stemcord clip` take their limits from here. What depends on the clip itself, such as whether a
time lies within it, is checked where the clip is read.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeVar

from pipeline.errors import ValidationError
from pipeline.options import Limits, parse_request
from pipeline.types import (
    BurnCaptions,
    CaptionPlace,
    CaptionSize,
    ChangeRate,
    ClipTool,
    ContactSheet,
    Cut,
    Fit,
    MakeLoop,
    PictureFormat,
    PictureTurn,
    Request,
    Resize,
    SoundFormat,
    TakeFrame,
    TakeSound,
    Task,
    TextReference,
    TurnPicture,
)
from pipeline.untrusted_values import parse_number, shorten_value

MAX_LOOP_SECONDS: Final = 30.0
MIN_STRETCH_SECONDS: Final = 0.05
"""Length of the shortest stretch that can be cut."""
MAX_TIME_SECONDS: Final = 24 * 3600.0
"""Latest time that can be named; no clip is as long."""
NUMBERS: Final[Mapping[str, Limits]] = MappingProxyType(
    {
        "width": Limits(16, 4096),
        "height": Limits(16, 4096),
        "fps": Limits(1, 120),
        "columns": Limits(1, 8),
        "rows": Limits(1, 10),
        "loop_width": Limits(32, 1080),
        "loop_fps": Limits(1, 30),
    }
)
"""Limits by option; pixels, pictures a second, pictures."""
_TIME = re.compile(r"(?:(?:(\d{1,2}):)?(\d{1,3}):)?(\d{1,6}(?:\.\d{1,6})?)", re.ASCII)

ChoiceT = TypeVar("ChoiceT", bound=StrEnum)


def parse_time(text: str) -> float:
    """Parse `12.5`, `1:03` or `1:02:03.5` as seconds.

    Raises:
        ValidationError: The text is no time.
    """
    found = _TIME.fullmatch(text.strip())
    if found is None:
        shown = shorten_value(text)
        raise ValidationError(
            f"{shown} is no time.",
            hint="Write seconds, or a time such as 1:03 or 1:02:03.5.",
            text=TextReference(key="bad-time", values={"value": shown}),
        )
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return 3600 * hours + 60 * minutes + seconds


def format_time(seconds: float) -> str:
    """Write a time as `0:12.5`, `1:03` or `1:02:03`, the way it is typed."""
    hundredths = round(seconds * 100)
    whole, rest = divmod(hundredths, 100)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    fraction = f".{rest:02}".rstrip("0") if rest else ""
    return f"{hours}:{minute:02}:{second:02}{fraction}" if hours else f"{minute}:{second:02}{fraction}"


def parse_tool(name: str, given: Mapping[str, object]) -> ClipTool:
    """Turn untrusted options into a tool.

    Args:
        name: One of `TOOL_NAMES`.
        given: Values by option; None and what is absent take their defaults.

    Raises:
        ValidationError: An option cannot be used.
    """
    if name not in _PARSERS:
        raise ValidationError(f"There is no tool {shorten_value(name)}.", hint=f"Use {', '.join(TOOL_NAMES)}.")
    return _PARSERS[name](_Options(given))


def tool_request(tool: ClipTool, usual: Mapping[str, object]) -> Request:
    """Build the request for a tool.

    Args:
        tool: The tool.
        usual: Options of `pipeline.options.RequestOptions`, such as the language of captions.

    Raises:
        ValidationError: One of them cannot be used.
    """
    return replace(parse_request(usual), task=Task.CLIP, tool=tool)


def needs_speech(request: Request) -> bool:
    """Tell whether a request for a tool has the clip transcribed."""
    return isinstance(request.clip_tool, BurnCaptions)


def _cut(options: "_Options") -> Cut:
    start, end = options.stretch()
    if not start and end is None:
        raise _refuse("tool-no-stretch", "Say from where or to where.", "A cut needs a beginning or an end.")
    return Cut(start=start, end=end, quick=options.flag("quick"))


def _resize(options: "_Options") -> Resize:
    width, height = options.whole("width"), options.whole("height")
    if width is None and height is None:
        raise _refuse("tool-no-size", "Give a width, a height or both.", "No size was given.")
    return Resize(width=width, height=height, fit=options.choice("fit", Fit.INSIDE))


def _change_rate(options: "_Options") -> ChangeRate:
    rate = options.number("fps")
    if rate is None:
        raise _refuse("tool-no-rate", "Say how many pictures a second.", "No frame rate was given.")
    return ChangeRate(rate=rate)


def _turn(options: "_Options") -> TurnPicture:
    return TurnPicture(turn=options.choice("turn", PictureTurn.RIGHT))


def _sound(options: "_Options") -> TakeSound:
    start, end = options.stretch()
    return TakeSound(form=options.choice("format", SoundFormat.MP3), start=start, end=end)


def _frame(options: "_Options") -> TakeFrame:
    return TakeFrame(at=options.time("at") or 0.0, form=options.choice("format", PictureFormat.PNG))


def _sheet(options: "_Options") -> ContactSheet:
    usual = ContactSheet()
    return ContactSheet(
        columns=options.whole("columns") or usual.columns,
        rows=options.whole("rows") or usual.rows,
        form=options.choice("format", usual.form),
    )


def _loop(options: "_Options") -> MakeLoop:
    usual = MakeLoop()
    start, end = options.stretch()
    if end is not None and end - start > MAX_LOOP_SECONDS:
        most = f"{MAX_LOOP_SECONDS:.0f}"
        raise _refuse(
            "tool-long-loop",
            "Choose a shorter stretch, or cut a video instead.",
            f"A loop lasts at most {most} s.",
            limit=most,
        )
    return MakeLoop(
        start=start,
        end=end,
        width=options.whole("width", "loop_width") or usual.width,
        rate=options.number("fps", "loop_fps") or usual.rate,
        form=options.choice("format", usual.form),
    )


def _captions(options: "_Options") -> BurnCaptions:
    return BurnCaptions(
        highlight=options.flag("highlight"),
        place=options.choice("place", CaptionPlace.BOTTOM),
        size=options.choice("size", CaptionSize.MEDIUM),
    )


@dataclass(frozen=True, slots=True)
class _Options:
    """Untrusted values by option."""

    given: Mapping[str, object]

    def time(self, name: str) -> float | None:
        value = self.given.get(name)
        if value is None:
            return None
        seconds = parse_time(value) if isinstance(value, str) else _as_number(name, value)
        return _within(name, seconds, Limits(0, MAX_TIME_SECONDS))

    def stretch(self) -> tuple[float, float | None]:
        """Return where a stretch begins and ends; the end is None where it was left out."""
        start, end = self.time("from") or 0.0, self.time("to")
        if end is not None and end <= start:
            raise _refuse(
                "tool-empty-stretch",
                "Choose an end after the beginning.",
                f"A stretch from {format_time(start)} to {format_time(end)} is empty.",
                start=format_time(start),
                end=format_time(end),
            )
        if end is not None and end - start < MIN_STRETCH_SECONDS:
            raise _refuse(
                "tool-short-stretch",
                "Choose a later end.",
                f"A stretch has at least {MIN_STRETCH_SECONDS:g} s.",
                limit=f"{MIN_STRETCH_SECONDS:g}",
            )
        return start, end

    def number(self, name: str, limits: str = "") -> float | None:
        value = self.given.get(name)
        return None if value is None else _within(name, _as_number(name, value), NUMBERS[limits or name])

    def whole(self, name: str, limits: str = "") -> int | None:
        number = self.number(name, limits)
        return None if number is None else round(number)

    def flag(self, name: str) -> bool:
        return self.given.get(name) in (True, "true")

    def choice(self, name: str, usual: ChoiceT) -> ChoiceT:
        value = self.given.get(name)
        if value is None:
            return usual
        known = [member for member in type(usual) if member == value]
        if not known:
            shown = shorten_value(value)
            offered = ", ".join(type(usual))
            raise _refuse(
                "choice-error", f"Choose {offered}.", f"{shown} cannot be used for {name}.", value=shown, option=name
            )
        return known[0]


def _as_number(name: str, value: object) -> float:
    number = parse_number(value)
    if number is None:
        shown = shorten_value(value)
        raise _refuse("tool-no-number", "Write a number.", f"{shown} is no number for {name}.", value=shown)
    return number


def _within(name: str, number: float, limits: Limits) -> float:
    if limits.minimum <= number <= limits.maximum:
        return number
    least, most = f"{limits.minimum:g}", f"{limits.maximum:g}"
    raise _refuse(
        "tool-bad-number",
        f"Choose a number from {least} to {most}.",
        f"{number:g} cannot be used for {name}.",
        value=f"{number:g}",
        least=least,
        most=most,
    )


def _refuse(key: str, hint: str, message: str, **values: str) -> ValidationError:
    return ValidationError(message, hint=hint, text=TextReference(key=key, values=values))


_PARSERS: Final[Mapping[str, Callable[[_Options], ClipTool]]] = MappingProxyType(
    {
        "cut": _cut,
        "resize": _resize,
        "fps": _change_rate,
        "turn": _turn,
        "audio": _sound,
        "frame": _frame,
        "sheet": _sheet,
        "gif": _loop,
        "captions": _captions,
    }
)
TOOL_NAMES: Final = tuple(_PARSERS)
"""Tools in the order in which people are told of them."""
