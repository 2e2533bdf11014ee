"""The summary of a job on the terminal."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from deploy.cli.output import show_result
from pipeline.types import Speaker, SpeakerStem
from tests.bot.world import make_result


@pytest.mark.parametrize("name", ["[/bold]", "[red]Ann", "Ann [link=https://evil.example]", "a\x1b[2Jb"])
def test_names_are_shown_as_they_are_and_steer_no_terminal(name: str) -> None:
    stems = (SpeakerStem(speaker="A", file="stems/speaker-1.flac"),)
    result = replace(make_result(), speakers=(Speaker(id="A", name=name),), speaker_stems=stems)
    shown = io.StringIO()
    show_result(result, Path("out"), 1.0, Console(file=shown, width=200, force_terminal=True, color_system=None))
    text = shown.getvalue()
    visible = name.replace("\x1b", r"\x1b")
    assert f"1 ({visible}), language en" in text
    assert f"speaker-1.flac ({visible})" in text
    assert "\x1b[2J" not in text
