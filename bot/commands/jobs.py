"""`/jobs`: a person's clips, with buttons to cancel them or to run them again."""

from typing import Any

import discord
from discord import app_commands

from bot import discord_limits
from bot.commands.localization import localized
from bot.components.cancel import CANCEL
from bot.components.custom_ids import action_button
from bot.i18n.translator import Translator, translator_for
from bot.jobs.history import HistoryEntry, JobHistory
from bot.jobs.result_buttons import AGAIN
from bot.messages.embeds import COLOUR_WORKING
from bot.messages.formatting import escape, fit_lines, shorten

MAX_JOBS = 10
"""Jobs that are shown; each has one button, and a message has room for 25."""
MAX_NAME_CHARS = 40


def add_jobs(tree: app_commands.CommandTree[Any], history: JobHistory) -> None:
    """Put the command into the tree."""

    @tree.command(name=localized("command-jobs"), description=localized("command-jobs-description"))
    async def jobs(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        guild_id = None if interaction.guild_id is None else str(interaction.guild_id)
        translator = translator_for(interaction.locale.value)
        mine = await history.list_for_person(str(interaction.user.id), guild_id, limit=MAX_JOBS)
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


def _buttons(translator: Translator, jobs: list[HistoryEntry]) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for entry in jobs:
        under_way = entry.status in ("queued", "running")
        key = "button-cancel-clip" if under_way else "button-again-clip"
        label = shorten(translator.format(key, name=entry.job.source.name), discord_limits.MAX_BUTTON_LABEL_CHARS)
        view.add_item(action_button(CANCEL if under_way else AGAIN, entry.job.id, label))
    return view
