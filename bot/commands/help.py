"""`/help`."""

from typing import Any

import discord
from discord import app_commands

from bot.commands.localization import localized
from bot.i18n.translator import translator_for
from bot.messages.embeds import COLOUR_WORKING

COMMANDS = ("process", "separate", "transcribe", "remix", "dub", "jobs", "share", "settings", "privacy")


def add_help(tree: app_commands.CommandTree[Any], *, pages: bool = False) -> None:
    """Put the command into the tree; `pages`: there are pages for results."""

    @tree.command(name=localized("command-help"), description=localized("command-help-description"))
    async def show_help(interaction: discord.Interaction[Any]) -> None:
        translator = translator_for(interaction.locale.value)
        lines = [
            f"**/{translator.format(f'command-{name}')}** {translator.format(f'command-{name}-description')}"
            for name in COMMANDS
            if tree.get_command(name) is not None
        ]
        more = [translator.format("help-more"), *([translator.format("help-page")] if pages else [])]
        text = "\n".join([translator.format("help-text"), "", *lines, "", *more])
        embed = discord.Embed(title=translator.format("help-title"), description=text, colour=COLOUR_WORKING)
        await interaction.response.send_message(embed=embed, ephemeral=True)
