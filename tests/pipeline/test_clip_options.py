"""Options of the tools for clips: what people and forged clients give becomes numbers and choices, or is refused."""

import math

import msgspec
import pytest

from pipeline.clip_options import TOOL_NAMES, format_time, parse_time, parse_tool, tool_request
from pipeline.errors import ValidationError, from_failure
from pipeline.types import ContactSheet, Cut, MakeLoop, Request, Resize, TakeFrame, Task, tool_name, worked_seconds

NEEDED = {"cut": {"to": "1"}, "resize": {"width": 100}, "fps": {"fps": 24}}


@pytest.mark.parametrize("name", TOOL_NAMES)
def test_a_tool_goes_over_the_queue(name: str) -> None:
    tool = parse_tool(name, NEEDED.get(name, {}))
    assert tool_name(tool) == name
    request = tool_request(tool, {})
    assert request.task is Task.CLIP
    assert msgspec.json.decode(msgspec.json.encode(request), type=Request) == request


def test_a_request_without_a_tool_is_written_as_before_there_were_any() -> None:
    assert b"tool" not in msgspec.json.encode(Request())


HOSTILE = (
    "nan",
    "-1",
    "1e9",
    "0x10",
    "1;2",
    "a,b",
    "",
    " ",
    "'",
    "9" * 400,
    math.nan,
    math.inf,
    -1,
    10**30,
    10**400,
    pytest.param(10**5000, id="5001 digits"),
    True,
    "1_0",
    "١٢",
    [],
    {},
)


@pytest.mark.parametrize("value", HOSTILE, ids=repr)
def test_nothing_hostile_becomes_an_option(value: object) -> None:
    names = {
        "cut": ("from", "to"),
        "resize": ("width", "height", "fit"),
        "fps": ("fps",),
        "turn": ("turn",),
        "audio": ("from", "to", "format"),
        "frame": ("at", "format"),
        "sheet": ("columns", "rows", "format"),
        "gif": ("from", "to", "width", "fps", "format"),
        "captions": ("place", "size"),
    }
    for tool, options in names.items():
        for option in options:
            with pytest.raises(ValidationError) as caught:
                parse_tool(tool, {**NEEDED.get(tool, {}), option: value})
            assert caught.value.text is not None
            assert len(str(caught.value)) < 300


@pytest.mark.parametrize(("value", "width"), [("320", 320), (" 320 ", 320), ("3.2e2", 320), (320.4, 320), (320, 320)])
def test_numbers_as_people_write_them(value: object, width: int) -> None:
    assert parse_tool("resize", {"width": value}) == Resize(width=width)


def test_an_error_keeps_its_text_over_the_queue() -> None:
    with pytest.raises(ValidationError) as caught:
        parse_tool("cut", {"from": "2", "to": "1"})
    again = from_failure(caught.value.to_failure())
    assert again.text == caught.value.text
    assert again.text is not None
    assert again.text.values == {"start": "0:02", "end": "0:01"}


@pytest.mark.parametrize("seconds", [0.0, 0.5, 12.34, 59.99, 60.0, 61.42, 3599.0, 3600.0, 3723.5, 86_400.0])
def test_a_time_is_written_as_it_is_read(seconds: float) -> None:
    assert parse_time(format_time(seconds)) == pytest.approx(seconds, abs=0.005)


def test_a_tool_costs_what_it_works_on() -> None:
    assert worked_seconds(Cut(start=10, end=25), 3600) == 15
    assert worked_seconds(Cut(start=10), 60) == 50
    assert worked_seconds(Cut(start=10, end=99), 60) == 50
    assert worked_seconds(TakeFrame(at=5), 3600) == 0
    assert worked_seconds(ContactSheet(), 3600) == 0
    assert worked_seconds(MakeLoop(start=2), 3600) == 6
    assert worked_seconds(MakeLoop(start=2, end=12), 3600) == 10
    assert worked_seconds(parse_tool("turn", {}), 3600) == 3600
