"""`/privacy`: what is kept about a person, and how it is deleted."""

from typing import Any

import discord
from discord import app_commands

from bot.commands.localization import localised
from bot.components.delete_data import ASK, button_view
from bot.database.protocols import Keeper
from bot.i18n.translator import speech_for
from bot.messages.embeds import WORKING


def add_privacy(tree: app_commands.CommandTree[Any], keeper: Keeper, usual_days: int) -> None:
    """Put the command into the tree; `usual_days` is how long a job is kept where the server says nothing."""

    @tree.command(name=localised("command-privacy"), description=localised("command-privacy-description"))
    async def privacy(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        speech = speech_for(interaction.locale.value)
        days = usual_days
        if interaction.guild_id is not None:
            days = (await keeper.guild(str(interaction.guild_id))).retention_days or usual_days
        embed = discord.Embed(
            title=speech.say("privacy-title"), description=speech.say("privacy-text", days=days), colour=WORKING
        )
        view = button_view(speech, "button-delete", ASK)
        await interaction.edit_original_response(embed=embed, view=view)
