"""Deletes what is kept about a person, after having asked once more."""

from typing import Any, Final

import discord

from bot.components.custom_ids import action_button
from bot.database.repository import Repository
from bot.i18n.translator import Translator, translator_for
from bot.jobs.deletion import forget_person
from worker.queue import Queue

DELETE_DATA: Final = "forget"
CONFIRM_DELETE_DATA: Final = "forgetsurely"


class DeleteDataActions:
    """What the two buttons do; they are in a private answer, so whoever presses them speaks for themselves."""

    def __init__(self, repository: Repository, queue: Queue) -> None:
        self._repository = repository
        self._queue = queue

    async def ask(self, interaction: discord.Interaction[Any]) -> None:
        """Say what it means, with the button that does it."""
        translator = translator_for(interaction.locale.value)
        view = button_view(translator, "button-delete-sure", CONFIRM_DELETE_DATA)
        await interaction.response.edit_message(content=translator.format("privacy-sure"), embed=None, view=view)

    async def delete(self, interaction: discord.Interaction[Any]) -> None:
        """Delete it all; what runs is stopped first. Raises `DatabaseError`, `StoreError` and `QueueError`."""
        await interaction.response.defer()
        count = await forget_person(self._repository, self._queue, str(interaction.user.id))
        text = translator_for(interaction.locale.value).format("privacy-deleted", count=count)
        await interaction.edit_original_response(content=text, embed=None, view=None)


def button_view(translator: Translator, label: str, action: str) -> discord.ui.View:
    """One red button."""
    view = discord.ui.View(timeout=None)
    view.add_item(action_button(action, "", translator.format(label), style=discord.ButtonStyle.danger))
    return view
