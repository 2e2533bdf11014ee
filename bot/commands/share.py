"""`/share`: a result in another channel or thread."""

import re
from typing import Any

import discord
from discord import app_commands

from bot.commands.localization import localised, options
from bot.discord_limits import CHOICES
from bot.exceptions import BotError, RefusedError
from bot.i18n.translator import speech_for
from bot.jobs.delivery import Delivery, PassingError
from bot.jobs.history import Archive, Kept
from bot.jobs.result_files import fetched
from bot.messages.embeds import person
from bot.messages.formatting import shorten
from pipeline.errors import AudioProcessingError
from worker.store import Store

Place = discord.TextChannel | discord.Thread
JOB_ID = re.compile(r"[0-9a-f]{32}")
"""What an offered choice stands for; people may type anything instead."""
CHOICE_NAME = 90
"""Characters of a choice's name, out of 100."""


def add_share(
    tree: app_commands.CommandTree[Any], archive: Archive, store: Store, delivery: Delivery, *, pages: bool
) -> None:
    """Put the command into the tree."""

    async def offer_results(interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        try:
            mine = await archive.of_person(str(interaction.user.id), str(interaction.guild_id), limit=4 * CHOICES)
        except AudioProcessingError:
            # Nobody can be told of it here, and the library would log who asked.
            return []
        wanted = typed.strip().lower()
        return [
            app_commands.Choice(name=shorten(kept.job.source.name, CHOICE_NAME), value=kept.job.id)
            for kept in mine
            if kept.status == "finished" and wanted in kept.job.source.name.lower()
        ][:CHOICES]

    @tree.command(name=localised("command-share"), description=localised("command-share-description"))
    @options(result="result", to="to")
    @app_commands.autocomplete(result=offer_results)
    @app_commands.guild_only()
    async def share(interaction: discord.Interaction[Any], result: str, to: Place) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        kept = await archive.find(result) if JOB_ID.fullmatch(result) else None
        if kept is None or kept.result is None or not _is_of(kept, interaction):
            raise RefusedError("result-gone", "result-gone-hint")
        size_limit = _check_place(interaction, to)
        speech = speech_for(interaction.locale.value)
        user_id = str(interaction.user.id)
        async with fetched(kept.job, user_id, kept.result, store, size_limit, pages=pages) as outcome:
            text = speech.say("shared-by", person=person(user_id))
            try:
                shared = await delivery.share(outcome, str(to.id), text, size_limit)
            except PassingError as error:
                raise BotError("not-shared", "try-later", detail=str(error), channel=to.mention) from error
            if not shared:
                raise RefusedError("not-shared", "post-hint", channel=to.mention)
        await interaction.edit_original_response(content=speech.say("shared", channel=to.mention))


def _is_of(kept: Kept, interaction: discord.Interaction[Any]) -> bool:
    reply = kept.job.reply_to
    return reply is not None and (reply.user_id, reply.guild_id) == (
        str(interaction.user.id),
        str(interaction.guild_id),
    )


def _check_place(interaction: discord.Interaction[Any], to: Place) -> int:
    """Bytes a file may have there; raises `RefusedError` where the person or the bot may not post."""
    guild, member = to.guild, interaction.user
    needed = "send_messages_in_threads" if isinstance(to, discord.Thread) else "send_messages"
    if not isinstance(member, discord.Member) or not _may(to.permissions_for(member), needed):
        raise RefusedError("may-not-post-you", "post-hint", channel=to.mention)
    if not _may(to.permissions_for(guild.me), needed):
        raise RefusedError("may-not-post-bot", "post-hint", channel=to.mention)
    return guild.filesize_limit


def _may(rights: discord.Permissions, needed: str) -> bool:
    return all(getattr(rights, name) for name in ("view_channel", "attach_files", needed))
