"""Deletes what is kept about a person, after having asked once more."""

from typing import Any, Final

import discord

from bot.components.custom_ids import action_button
from bot.database.protocols import Keeper
from bot.i18n.translator import Speech, speech_for
from bot.jobs.deletion import forget_person
from worker.queue import Queue

ASK: Final = "forget"
SURE: Final = "forgetsurely"


class Forgetting:
    """What the two buttons do; they are in a private answer, so whoever presses them speaks for themselves."""

    def __init__(self, keeper: Keeper, queue: Queue) -> None:
        self._keeper = keeper
        self._queue = queue

    async def ask(self, interaction: discord.Interaction[Any]) -> None:
        """Say what it means, with the button that does it."""
        speech = speech_for(interaction.locale.value)
        view = button_view(speech, "button-delete-sure", SURE)
        await interaction.response.edit_message(content=speech.say("privacy-sure"), embed=None, view=view)

    async def forget(self, interaction: discord.Interaction[Any]) -> None:
        """Delete it all; what runs is stopped first. Raises `RecordsError`, `StoreError` and `QueueError`."""
        await interaction.response.defer()
        count = await forget_person(self._keeper, self._queue, str(interaction.user.id))
        text = speech_for(interaction.locale.value).say("privacy-deleted", count=count)
        await interaction.edit_original_response(content=text, embed=None, view=None)


def button_view(speech: Speech, label: str, action: str) -> discord.ui.View:
    """One red button."""
    view = discord.ui.View(timeout=None)
    view.add_item(action_button(action, "", speech.say(label), style=discord.ButtonStyle.danger))
    return view
