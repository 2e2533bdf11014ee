import pytest

from pipeline.errors import ValidationError
from pipeline.options import parse_request
from pipeline.types import Budget, Preset, Request, RouteName, Task


def test_defaults_are_the_seeds() -> None:
    request = parse_request({})
    assert request == Request()
    assert (request.voice, request.background) == (1.0, 0.7)


def test_text_from_a_command_line_is_understood() -> None:
    options = {"task": "remix", "route": "auto", "preset": "studio", "budget": "low", "language": "zh", "speakers": "3"}
    assert parse_request({**options, "voice": "0.5"}) == Request(
        task=Task.REMIX, preset=Preset.STUDIO, budget=Budget.LOW, language="zh", speakers=3, voice=0.5
    )
    assert parse_request({"route": "cinematic"}).route is RouteName.CINEMATIC


def test_auto_leaves_the_choice_open() -> None:
    assert parse_request({"route": "auto", "language": "auto", "speakers": "auto"}) == Request()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("task", "everything"),
        ("route", "film"),
        ("language", "klingon"),
        ("speakers", 0),
        ("speakers", 99),
        ("voice", -1),
        ("voice", "nan"),
        ("background", 1000),
        ("colour", "red"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_in_one_sentence(option: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_request({option: value})
    assert option in caught.value.message
    assert caught.value.message.endswith(".")
    assert "\n" not in str(caught.value)
