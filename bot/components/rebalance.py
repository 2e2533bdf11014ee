"""The form that mixes a result again: a ready-made balance and a fader for each part that there is."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import discord

from bot.components.custom_ids import id_of
from bot.components.modals import Filled, Form
from bot.exceptions import RefusedError
from bot.i18n.translator import Speech
from bot.jobs.result_buttons import REBALANCE
from pipeline.catalog import MIXES
from pipeline.errors import ValidationError
from pipeline.options import parse_request
from pipeline.types import Request, Result, Task

PARTS = ("voice", "music", "sfx", "ambient")
"""Faders where the background came apart."""
TWO_PARTS = ("voice", "background")
LONGEST = 12
"""Characters of a loudness."""
NO_MIX = "none"


def faders_of(result: Result) -> tuple[str, ...]:
    """The parts of a result that have a loudness of their own."""
    stems = {PurePosixPath(artefact.name).stem for artefact in result.artefacts if artefact.name.startswith("stems/")}
    return PARTS if {"music", "sfx", "ambient"} & stems else TWO_PARTS


class RebalanceForm(Form):
    """Asks for the balance."""

    def __init__(self, speech: Speech, job_id: str, parts: tuple[str, ...]) -> None:
        super().__init__(speech.say("form-rebalance"), id_of(REBALANCE, job_id))
        none = discord.SelectOption(label=speech.say("form-rebalance-none"), value=NO_MIX, default=True)
        choices = [discord.SelectOption(label=speech.say(f"mix-{mix}"), value=mix.value) for mix in MIXES]
        mix = discord.ui.Select[Any](custom_id="mix", options=[none, *choices])
        self.ask(mix, speech.say("form-rebalance-preset"))
        for part in parts:
            fader = discord.ui.TextInput[Any](custom_id=part, required=False, max_length=LONGEST)
            self.ask(fader, speech.say(f"part-{part}"), speech.say("form-fader-hint"))


def balance_of(filled: Filled) -> dict[str, str]:
    """What was filled in, by option; what is no option of a balance is left out."""
    known = {*PARTS, *TWO_PARTS}
    given = {part: text.strip() for part, text in filled.texts.items() if part in known and text.strip()}
    mix = "".join(filled.choices.get("mix", ()))
    return given if mix in ("", NO_MIX) else {"mix": mix, **given}


def rebalanced(request: Request, options: Mapping[str, str]) -> Request:
    """The request with another balance; raises `RefusedError` for what is no loudness."""
    for name, value in options.items():
        try:
            parse_request({name: value})
        except ValidationError as error:
            raise RefusedError("bad-fader", "bad-fader-hint", value=value) from error
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
