"""The form that mixes a result again: a ready-made balance and a fader for each part that there is."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import discord

from bot.components.custom_ids import custom_id
from bot.components.modals import Modal, SubmittedModal
from bot.exceptions import RefusedError
from bot.i18n.translator import Translator
from bot.jobs.result_buttons import REBALANCE
from pipeline.catalog import MIXES
from pipeline.errors import ValidationError
from pipeline.options import parse_request
from pipeline.types import Request, Result, Task

STEM_FADERS = ("voice", "music", "sfx", "ambient")
"""Faders where the background came apart."""
MAIN_FADERS = ("voice", "background")
MAX_GAIN_CHARS = 12
"""Characters of a loudness."""
NO_MIX = "none"


def available_faders(result: Result) -> tuple[str, ...]:
    """The parts of a result that have a loudness of their own."""
    stems = {PurePosixPath(artefact.name).stem for artefact in result.artefacts if artefact.name.startswith("stems/")}
    return STEM_FADERS if {"music", "sfx", "ambient"} & stems else MAIN_FADERS


class RebalanceModal(Modal):
    """Asks for the balance."""

    def __init__(self, translator: Translator, job_id: str, parts: tuple[str, ...]) -> None:
        super().__init__(translator.format("form-rebalance"), custom_id(REBALANCE, job_id))
        none = discord.SelectOption(label=translator.format("form-rebalance-none"), value=NO_MIX, default=True)
        choices = [discord.SelectOption(label=translator.format(f"mix-{mix}"), value=mix.value) for mix in MIXES]
        mix = discord.ui.Select[Any](custom_id="mix", options=[none, *choices])
        self.add_field(mix, translator.format("form-rebalance-preset"))
        for part in parts:
            fader = discord.ui.TextInput[Any](custom_id=part, required=False, max_length=MAX_GAIN_CHARS)
            self.add_field(fader, translator.format(f"part-{part}"), translator.format("form-fader-hint"))


def submitted_mix_options(submitted: SubmittedModal) -> dict[str, str]:
    """What was filled in, by option; what is no option of a balance is left out."""
    known = {*STEM_FADERS, *MAIN_FADERS}
    given = {part: text.strip() for part, text in submitted.texts.items() if part in known and text.strip()}
    mix = "".join(submitted.choices.get("mix", ()))
    return given if mix in ("", NO_MIX) else {"mix": mix, **given}


def rebalance_request(request: Request, options: Mapping[str, str]) -> Request:
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
