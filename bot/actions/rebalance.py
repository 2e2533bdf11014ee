"""The form that mixes a result again: a ready-made balance and a fader for each part that there is."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import discord

from bot.actions.forms import Form, Submit
from bot.language import Speech
from bot.refusals import RefusedError
from pipeline.catalog import MIXES
from pipeline.errors import ValidationError
from pipeline.options import parse_request
from pipeline.types import Request, Result, Task

PARTS = ("voice", "music", "sfx", "ambient")
"""Faders where the background came apart."""
TWO_PARTS = ("voice", "background")
LONGEST = 12
"""Characters of a loudness."""


def faders_of(result: Result) -> tuple[str, ...]:
    """The parts of a result that have a loudness of their own."""
    stems = {PurePosixPath(artefact.name).stem for artefact in result.artefacts if artefact.name.startswith("stems/")}
    return PARTS if {"music", "sfx", "ambient"} & stems else TWO_PARTS


class RebalanceForm(Form):
    """Asks for the balance."""

    def __init__(self, speech: Speech, parts: tuple[str, ...], submit: Submit) -> None:
        super().__init__(speech.say("form-rebalance"), submit)
        none = discord.SelectOption(label=speech.say("form-rebalance-none"), value="none", default=True)
        choices = [discord.SelectOption(label=speech.say(f"mix-{mix}"), value=mix.value) for mix in MIXES]
        self._mix = discord.ui.Select[Any](custom_id="mix", options=[none, *choices])
        self._faders = {
            part: discord.ui.TextInput[Any](custom_id=part, required=False, max_length=LONGEST) for part in parts
        }
        self.ask(self._mix, speech.say("form-rebalance-preset"))
        for part, fader in self._faders.items():
            self.ask(fader, speech.say(f"part-{part}"), speech.say("form-fader-hint"))

    def options(self) -> dict[str, str]:
        """What was filled in, by option."""
        given = {part: fader.value.strip() for part, fader in self._faders.items() if fader.value.strip()}
        mix = self._mix.values[0]
        return given if mix == "none" else {"mix": mix, **given}


def rebalanced(request: Request, options: Mapping[str, str]) -> Request:
    """The request with another balance; raises `RefusedError` for what is no loudness."""
    for name, value in options.items():
        try:
            parse_request({name: value})
        except ValidationError as error:
            raise RefusedError("bad-fader", "bad-fader-mend", value=value) from error
    mixed = parse_request(options)
    return replace(
        request,
        task=Task.ALL if request.task is Task.ALL else Task.REMIX,
        voice=mixed.voice,
        background=mixed.background,
        music=mixed.music,
        sfx=mixed.sfx,
        ambient=mixed.ambient,
        mix=mixed.mix,
        loudness=mixed.loudness,
        ducking=mixed.ducking,
    )
