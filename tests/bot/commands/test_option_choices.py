"""What Discord's commands offer is what the table of request options allows."""

from bot.commands import option_choices
from pipeline.catalog import MAX_GAIN, MAX_SPEAKERS
from pipeline.options import REQUEST_OPTIONS, Limits


def test_choices_are_those_of_the_table() -> None:
    offered = {
        "route": option_choices.ROUTES,
        "preset": option_choices.PRESETS,
        "mix": option_choices.MIX_PRESETS,
        "loudness": option_choices.LOUDNESS,
    }
    for name, choices in offered.items():
        assert tuple(choice.value for choice in choices) == REQUEST_OPTIONS[name].choices
        assert 0 < len(choices) <= 25


def test_limits_are_those_of_the_table() -> None:
    assert REQUEST_OPTIONS["speakers"].limits == Limits(1, MAX_SPEAKERS)
    for name in ("voice", "background", "music", "sfx", "ambient"):
        assert REQUEST_OPTIONS[name].limits == Limits(0.0, MAX_GAIN)
