"""`/privacy`: says what is stored about a person, with buttons that delete it and send a copy."""

from typing import Any

import discord
from discord import app_commands

from bot.commands.localization import help_order, localized, options
from bot.components.custom_ids import Action, CustomId
from bot.components.delete_data import deletion_view
from bot.components.export_data import send_export
from bot.i18n.translator import translator_for
from bot.messages.embeds import COLOUR_WORKING
from bot.messages.formatting import escape
from bot.services import Services


def setup(tree: app_commands.CommandTree[Any], services: Services) -> None:
    """Add the command."""

    @tree.command(
        name=localized("command-privacy"), description=localized("command-privacy-description"), extras=help_order(90)
    )
    @options(export="export")
    async def privacy(interaction: discord.Interaction[Any], export: bool = False) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        if export:
            await send_export(interaction)
            return
        translator = translator_for(interaction.locale.value)
        days = services.settings.retention_days
        if interaction.guild_id is not None:
            days = (await services.repository.guild(str(interaction.guild_id))).retention_days or days
        text = translator.format("privacy-text", days=days)
        if services.summarizer is not None:
            text = f"{text}\n{translator.format('privacy-summary', host=escape(services.summarizer.host))}"
        embed = discord.Embed(
            title=translator.format("privacy-title"),
            description=text,
            colour=COLOUR_WORKING,
        )
        view = deletion_view(translator, "button-delete", Action.DELETE_DATA)
        view.add_button(translator.format("button-export"), CustomId(Action.EXPORT_DATA))
        await interaction.edit_original_response(embed=embed, view=view)
