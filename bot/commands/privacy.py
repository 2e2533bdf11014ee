"""`/privacy`: what is kept about a person, and how it is deleted."""

from typing import Any

import discord
from discord import app_commands

from bot.commands.localization import localized
from bot.components.delete_data import DELETE_DATA, button_view
from bot.database.repository import Repository
from bot.i18n.translator import translator_for
from bot.messages.embeds import COLOUR_WORKING


def add_privacy(tree: app_commands.CommandTree[Any], repository: Repository, usual_days: int) -> None:
    """Put the command into the tree; `usual_days` is how long a job is kept where the server says nothing."""

    @tree.command(name=localized("command-privacy"), description=localized("command-privacy-description"))
    async def privacy(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        translator = translator_for(interaction.locale.value)
        days = usual_days
        if interaction.guild_id is not None:
            days = (await repository.guild(str(interaction.guild_id))).retention_days or usual_days
        embed = discord.Embed(
            title=translator.format("privacy-title"),
            description=translator.format("privacy-text", days=days),
            colour=COLOUR_WORKING,
        )
        view = button_view(translator, "button-delete", DELETE_DATA)
        await interaction.edit_original_response(embed=embed, view=view)
