"""The button and the form that mix a result again: a ready-made mix and a fader for each part."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, ClassVar, Final

import discord

from bot.components.custom_ids import Action, CustomId
from bot.components.modals import Modal, SubmittedModal
from bot.components.result_actions import ResultItem, find_result
from bot.exceptions import RefusedError
from bot.i18n.translator import Translator, translator_for
from bot.jobs.history import HistoryEntry
from bot.services import Interaction
from pipeline.catalog import MIXES
from pipeline.errors import ValidationError
from pipeline.options import parse_request
from pipeline.types import Request, Result, Task

STEM_FADERS: Final = ("voice", "music", "sfx", "ambient")
"""Faders of a result whose background was separated further."""
MAIN_FADERS: Final = ("voice", "background")
MAX_GAIN_CHARS: Final = 12
NO_MIX: Final = "none"


class RebalanceButton(ResultItem, action=Action.REBALANCE):
    """Opens the form."""

    async def act_on(self, interaction: Interaction, entry: HistoryEntry, result: Result) -> None:
        """Show the form."""
        translator = translator_for(interaction.locale.value)
        await interaction.response.send_modal(RebalanceModal(translator, entry.job.id, available_faders(result)))


def available_faders(result: Result) -> tuple[str, ...]:
    """Return the parts of a result that have a gain of their own."""
    stems = {PurePosixPath(artefact.name).stem for artefact in result.artefacts if artefact.name.startswith("stems/")}
    return STEM_FADERS if {"music", "sfx", "ambient"} & stems else MAIN_FADERS


class RebalanceModal(Modal):
    """Asks for a mix and gains."""

    action: ClassVar[Action] = Action.REBALANCE

    def __init__(self, translator: Translator, job_id: str, parts: tuple[str, ...]) -> None:
        super().__init__(translator.format("form-rebalance"), CustomId(self.action, job_id))
        none = discord.SelectOption(label=translator.format("form-rebalance-none"), value=NO_MIX, default=True)
        choices = [discord.SelectOption(label=translator.format(f"mix-{mix}"), value=mix.value) for mix in MIXES]
        mix = discord.ui.Select[Any](custom_id="mix", options=[none, *choices])
        self.add_field(mix, translator.format("form-rebalance-preset"))
        for part in parts:
            fader = discord.ui.TextInput[Any](custom_id=part, required=False, max_length=MAX_GAIN_CHARS)
            self.add_field(fader, translator.format(f"part-{part}"), translator.format("form-fader-hint"))

    @classmethod
    async def submitted(cls, interaction: Interaction, target: CustomId, fields: SubmittedModal) -> None:
        """Submit the clip of the result with the new mix."""
        entry, _ = await find_result(interaction, target.job_id)
        request = rebalance_request(entry.job.request, submitted_mix_options(fields))
        await interaction.client.services.submitter.resubmit(interaction, entry.job, request)


def submitted_mix_options(fields: SubmittedModal) -> dict[str, str]:
    """Return the filled-in options of a mix, without unknown fields."""
    known = {*STEM_FADERS, *MAIN_FADERS}
    given = {part: text.strip() for part, text in fields.texts.items() if part in known and text.strip()}
    mix = "".join(fields.choices.get("mix", ()))
    return given if mix in ("", NO_MIX) else {"mix": mix, **given}


def rebalance_request(request: Request, options: Mapping[str, str]) -> Request:
    """Return the request with another mix. Raises `RefusedError` for a value that is not a gain."""
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
