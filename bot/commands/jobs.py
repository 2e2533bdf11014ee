"""`/jobs`: lists a person's clips, with buttons that cancel them or run them again."""

from typing import Any

import discord
from discord import app_commands

from bot import discord_limits
from bot.commands.localization import help_order, localized
from bot.components.custom_ids import Action, CustomId
from bot.components.views import ActionView
from bot.database.models import OPEN_STATUSES
from bot.i18n.translator import Translator, translator_for
from bot.jobs.history import HistoryEntry
from bot.messages.embeds import COLOUR_WORKING
from bot.messages.formatting import escape, fit_lines, shorten
from bot.services import Services

MAX_JOBS = 10
"""Each job has a button, and a message has room for 25."""
MAX_NAME_CHARS = 40


def setup(tree: app_commands.CommandTree[Any], services: Services) -> None:
    """Add the command."""

    @tree.command(
        name=localized("command-jobs"), description=localized("command-jobs-description"), extras=help_order(60)
    )
    async def jobs(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        guild_id = None if interaction.guild_id is None else str(interaction.guild_id)
        translator = translator_for(interaction.locale.value)
        mine = await services.history.list_for_person(str(interaction.user.id), guild_id, limit=MAX_JOBS)
        if not mine:
            await interaction.edit_original_response(content=translator.format("jobs-none"))
            return
        text = fit_lines([_line(translator, entry) for entry in mine], discord_limits.MAX_EMBED_DESCRIPTION_CHARS)
        embed = discord.Embed(title=translator.format("jobs-title"), description=text, colour=COLOUR_WORKING)
        await interaction.edit_original_response(embed=embed, view=_buttons(translator, mine))


def _line(translator: Translator, entry: HistoryEntry) -> str:
    name = f"**{escape(shorten(entry.job.source.name, MAX_NAME_CHARS))}**"
    reply = entry.job.reply_to
    if reply is not None and reply.message_id is not None:
        place = f"{reply.guild_id or '@me'}/{reply.channel_id}/{reply.message_id}"
        name = f"[{name}](https://discord.com/channels/{place})"
    status = "failed" if entry.status == "dead" else entry.status
    if status == "queued":
        return f"{name}: {translator.format('status-queued', count=entry.position or 0)}"
    return f"{name}: {translator.format(f'status-{status}')} <t:{int(entry.job.submitted)}:R>"


def _buttons(translator: Translator, jobs: list[HistoryEntry]) -> ActionView:
    view = ActionView()
    for entry in jobs:
        is_open = entry.status in OPEN_STATUSES
        key = "button-cancel-clip" if is_open else "button-again-clip"
        label = shorten(translator.format(key, name=entry.job.source.name), discord_limits.MAX_BUTTON_LABEL_CHARS)
        view.add_button(label, CustomId(Action.CANCEL if is_open else Action.AGAIN, entry.job.id))
    return view
