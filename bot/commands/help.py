"""`/help`."""

from typing import Any

import discord
from discord import app_commands

from bot.commands.localization import localised
from bot.i18n.translator import speech_for
from bot.messages.embeds import WORKING

COMMANDS = ("process", "separate", "transcribe", "remix", "dub", "jobs", "share", "settings", "privacy")


def add_help(tree: app_commands.CommandTree[Any], *, pages: bool = False) -> None:
    """Put the command into the tree; `pages`: there are pages for results."""

    @tree.command(name=localised("command-help"), description=localised("command-help-description"))
    async def show_help(interaction: discord.Interaction[Any]) -> None:
        speech = speech_for(interaction.locale.value)
        lines = [
            f"**/{speech.say(f'command-{name}')}** {speech.say(f'command-{name}-description')}"
            for name in COMMANDS
            if tree.get_command(name) is not None
        ]
        more = [speech.say("help-more"), *([speech.say("help-page")] if pages else [])]
        text = "\n".join([speech.say("help-text"), "", *lines, "", *more])
        embed = discord.Embed(title=speech.say("help-title"), description=text, colour=WORKING)
        await interaction.response.send_message(embed=embed, ephemeral=True)
