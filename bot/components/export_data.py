"""Sends a person everything that is stored about them."""

import discord

from bot.components.custom_ids import Action
from bot.components.persistent_item import PersistentItem
from bot.i18n.translator import translator_for
from bot.services import Interaction


class ExportDataButton(PersistentItem, action=Action.EXPORT_DATA):
    """Sends the zip; the button is in a private message, so whoever presses it asks for themselves."""

    async def act(self, interaction: Interaction) -> None:
        """Make the zip and send it in private."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await send_export(interaction)


async def send_export(interaction: Interaction) -> None:
    """Send the zip as the private answer that the person waits for."""
    services = interaction.client.services
    export = await services.deletion.export_person(str(interaction.user.id))
    text = translator_for(interaction.locale.value).format("export-here")
    async with services.archives.make(export, interaction.filesize_limit) as path:
        file = discord.File(path, filename=path.name)
        await interaction.edit_original_response(content=text, attachments=[file])
