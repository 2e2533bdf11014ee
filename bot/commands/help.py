"""`/help`: lists the commands of the tree."""

from typing import Any

import discord
from discord import app_commands

from bot.commands.localization import HELP_ORDER, localized
from bot.i18n.translator import Translator, translator_for
from bot.messages.embeds import COLOUR_WORKING
from bot.messages.formatting import escape
from bot.services import Services

_LAST = 1000


def setup(tree: app_commands.CommandTree[Any], services: Services) -> None:
    """Add the command."""

    @tree.command(name=localized("command-help"), description=localized("command-help-description"))
    async def show_help(interaction: discord.Interaction[Any]) -> None:
        translator = translator_for(interaction.locale.value)
        pages = services.pages
        text = help_text(tree, translator, pages=pages is not None, sign_in=pages is not None and pages.sign_in)
        if (summarizer := services.summarizer) is not None:
            about = translator.format("help-summary", model=escape(summarizer.model), host=escape(summarizer.host))
            text = f"{text}\n{about}"
        embed = discord.Embed(title=translator.format("help-title"), description=text, colour=COLOUR_WORKING)
        await interaction.response.send_message(embed=embed, ephemeral=True)


def help_text(
    tree: app_commands.CommandTree[Any], translator: Translator, *, pages: bool, sign_in: bool = False
) -> str:
    """Describe every command of the tree; `pages`: the bot serves pages; `sign_in`: people sign in before one."""
    lines = [
        f"**/{translator.format(f'command-{name}')}** {translator.format(f'command-{name}-description')}"
        for name in command_names(tree)
    ]
    more = [translator.format("help-more")]
    if pages:
        more.append(translator.format("help-page-sign-in" if sign_in else "help-page"))
    return "\n".join([translator.format("help-text"), "", *lines, "", *more])


def command_names(tree: app_commands.CommandTree[Any]) -> list[str]:
    """Return the names of all slash commands but `/help`, by their place in it and then by name."""
    commands = tree.get_commands(type=discord.AppCommandType.chat_input)
    places = {command.name: command.extras.get(HELP_ORDER, _LAST) for command in commands if command.name != "help"}
    return sorted(places, key=lambda name: (places[name], name))
