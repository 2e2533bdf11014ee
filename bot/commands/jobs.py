"""`/jobs`: a person's clips, with buttons to cancel them or to run them again."""

from typing import Any

import discord
from discord import app_commands

from bot import discord_limits as limits
from bot.commands.localization import localised
from bot.components.cancel import CANCEL
from bot.components.custom_ids import action_button
from bot.i18n.translator import Speech, speech_for
from bot.jobs.history import Archive, Kept
from bot.jobs.result_buttons import AGAIN
from bot.messages.embeds import WORKING
from bot.messages.formatting import escape, fit_lines, shorten

MOST = 10
"""Jobs that are shown; each has one button, and a message has room for 25."""
NAME_LENGTH = 40


def add_jobs(tree: app_commands.CommandTree[Any], archive: Archive) -> None:
    """Put the command into the tree."""

    @tree.command(name=localised("command-jobs"), description=localised("command-jobs-description"))
    async def jobs(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        guild_id = None if interaction.guild_id is None else str(interaction.guild_id)
        speech = speech_for(interaction.locale.value)
        mine = await archive.of_person(str(interaction.user.id), guild_id, limit=MOST)
        if not mine:
            await interaction.edit_original_response(content=speech.say("jobs-none"))
            return
        text = fit_lines([_line(speech, kept) for kept in mine], limits.EMBED_DESCRIPTION)
        embed = discord.Embed(title=speech.say("jobs-title"), description=text, colour=WORKING)
        await interaction.edit_original_response(embed=embed, view=_buttons(speech, mine))


def _line(speech: Speech, kept: Kept) -> str:
    name = f"**{escape(shorten(kept.job.source.name, NAME_LENGTH))}**"
    reply = kept.job.reply_to
    if reply is not None and reply.message_id is not None:
        place = f"{reply.guild_id or '@me'}/{reply.channel_id}/{reply.message_id}"
        name = f"[{name}](https://discord.com/channels/{place})"
    status = "failed" if kept.status == "dead" else kept.status
    if status == "queued":
        return f"{name}: {speech.say('status-queued', count=kept.position or 0)}"
    return f"{name}: {speech.say(f'status-{status}')} <t:{int(kept.job.submitted)}:R>"


def _buttons(speech: Speech, jobs: list[Kept]) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for kept in jobs:
        under_way = kept.status in ("queued", "running")
        key = "button-cancel-clip" if under_way else "button-again-clip"
        label = shorten(speech.say(key, name=kept.job.source.name), limits.BUTTON_LABEL)
        view.add_item(action_button(CANCEL if under_way else AGAIN, kept.job.id, label))
    return view
