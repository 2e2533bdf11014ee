"""`/help`: lists the commands of the tree."""

from typing import Any

import discord
from discord import app_commands

from bot.commands.localization import HELP_ORDER, localized
from bot.i18n.translator import Translator, translator_for
from bot.messages.embeds import COLOUR_WORKING
from bot.services import Services

_LAST = 1000


def setup(tree: app_commands.CommandTree[Any], services: Services) -> None:
    """Add the command."""

    @tree.command(name=localized("command-help"), description=localized("command-help-description"))
    async def show_help(interaction: discord.Interaction[Any]) -> None:
        translator = translator_for(interaction.locale.value)
        text = help_text(tree, translator, pages=services.pages is not None)
        embed = discord.Embed(title=translator.format("help-title"), description=text, colour=COLOUR_WORKING)
        await interaction.response.send_message(embed=embed, ephemeral=True)


def help_text(tree: app_commands.CommandTree[Any], translator: Translator, *, pages: bool) -> str:
    """Describe every command of the tree; `pages`: whether the bot serves pages."""
    lines = [
        f"**/{translator.format(f'command-{name}')}** {translator.format(f'command-{name}-description')}"
        for name in command_names(tree)
    ]
    more = [translator.format("help-more"), *([translator.format("help-page")] if pages else [])]
    return "\n".join([translator.format("help-text"), "", *lines, "", *more])


def command_names(tree: app_commands.CommandTree[Any]) -> list[str]:
    """Return the names of all slash commands but `/help`, by their place in it and then by name."""
    commands = tree.get_commands(type=discord.AppCommandType.chat_input)
    places = {command.name: command.extras.get(HELP_ORDER, _LAST) for command in commands if command.name != "help"}
    return sorted(places, key=lambda name: (places[name], name))
