"""Buttons that delete what is stored about a person, after asking once more.

They are in a private message, so whoever presses them acts for themselves.
"""

import discord

from bot.components.custom_ids import Action, CustomId
from bot.components.persistent_item import PersistentItem
from bot.components.views import ActionView
from bot.database.deletion import delete_person_data
from bot.i18n.translator import Translator, translator_for
from bot.services import Interaction


class DeleteDataButton(PersistentItem, action=Action.DELETE_DATA):
    """Asks whether to delete everything."""

    async def act(self, interaction: Interaction) -> None:
        """Say what deleting means, with the button that does it."""
        translator = translator_for(interaction.locale.value)
        view = deletion_view(translator, "button-delete-sure", Action.CONFIRM_DELETE_DATA)
        await interaction.response.edit_message(content=translator.format("privacy-sure"), embed=None, view=view)


class ConfirmDeleteDataButton(PersistentItem, action=Action.CONFIRM_DELETE_DATA):
    """Deletes everything."""

    async def act(self, interaction: Interaction) -> None:
        """Stop the person's jobs and delete all data of the person."""
        await interaction.response.defer()
        services = interaction.client.services
        person = str(interaction.user.id)
        await interaction.client.voices.forget_everywhere(person)
        named = await services.repository.speaker_names.of_person(person)
        count = await delete_person_data(services.deletion, services.queue, person)
        if services.summarizer is not None:
            services.summarizer.forget()
        await services.naming.write_all(named)
        text = translator_for(interaction.locale.value).format("privacy-deleted", count=count)
        await interaction.edit_original_response(content=text, embed=None, view=None)


def deletion_view(translator: Translator, label: str, action: Action) -> ActionView:
    """Build one red button; `label` is the key of its text."""
    view = ActionView()
    view.add_button(translator.format(label), CustomId(action), discord.ButtonStyle.danger)
    return view
