"""`/share`: posts a result in another channel or thread."""

import re
from typing import Any

import discord
from discord import app_commands

from bot.commands.localization import help_order, localized, options
from bot.database.upload_limits import usual_limit
from bot.discord_limits import MAX_AUTOCOMPLETE_CHOICES
from bot.exceptions import RefusedError, TransientError, TranslatedError
from bot.i18n.translator import translator_for
from bot.jobs.history import HistoryEntry
from bot.jobs.result_files import fetch_result
from bot.messages.formatting import mention, shorten
from bot.services import Services
from pipeline.errors import StemcordError

Destination = discord.TextChannel | discord.Thread
JOB_ID_PATTERN = re.compile(r"[0-9a-f]{32}")
"""Value of an offered choice; people can type anything instead."""
MAX_CHOICE_NAME_CHARS = 90
"""Discord takes 100."""


def setup(tree: app_commands.CommandTree[Any], services: Services) -> None:
    """Add the command."""

    async def offer_results(interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        try:
            mine = await services.history.list_for_person(
                str(interaction.user.id), str(interaction.guild_id), limit=4 * MAX_AUTOCOMPLETE_CHOICES
            )
        except StemcordError:
            # Autocomplete cannot answer an error, and the library would log who asked.
            return []
        wanted = typed.strip().lower()
        return [
            app_commands.Choice(name=shorten(entry.job.source.name, MAX_CHOICE_NAME_CHARS), value=entry.job.id)
            for entry in mine
            if entry.status == "finished" and wanted in entry.job.source.name.lower()
        ][:MAX_AUTOCOMPLETE_CHOICES]

    @tree.command(
        name=localized("command-share"), description=localized("command-share-description"), extras=help_order(70)
    )
    @options(result="result", to="to")
    @app_commands.autocomplete(result=offer_results)
    @app_commands.guild_only()
    @app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
    @app_commands.allowed_installs(guilds=True, users=False)
    async def share(interaction: discord.Interaction[Any], result: str, to: Destination) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        entry = await services.history.find(result) if JOB_ID_PATTERN.fullmatch(result) else None
        if entry is None or entry.result is None or not _is_of(entry, interaction):
            raise RefusedError("result-gone", "result-gone-hint")
        usual = _check_destination(interaction, to)
        size_limit = await services.delivery.limits.learnt(str(to.guild.id)) or usual
        translator = translator_for(interaction.locale.value)
        user_id = str(interaction.user.id)
        async with fetch_result(
            entry.job, user_id, entry.result, services.store, size_limit, features=services.tracker.features
        ) as result_message:
            text = translator.format("shared-by", person=mention(user_id))
            try:
                shared = await services.delivery.share(result_message, str(to.id), text, size_limit)
            except TransientError as error:
                raise TranslatedError("not-shared", "try-later", detail=str(error), channel=to.mention) from error
            if not shared:
                raise RefusedError("not-shared", "post-hint", channel=to.mention)
        await interaction.edit_original_response(content=translator.format("shared", channel=to.mention))


def _is_of(entry: HistoryEntry, interaction: discord.Interaction[Any]) -> bool:
    reply = entry.job.reply_to
    return reply is not None and (reply.user_id, reply.guild_id) == (
        str(interaction.user.id),
        str(interaction.guild_id),
    )


def _check_destination(interaction: discord.Interaction[Any], to: Destination) -> int:
    """Return the bytes of a file there. Raises `RefusedError` where the person or the bot may not post."""
    guild, member = to.guild, interaction.user
    needed = "send_messages_in_threads" if isinstance(to, discord.Thread) else "send_messages"
    if not isinstance(member, discord.Member) or not _may(to.permissions_for(member), needed):
        raise RefusedError("may-not-post-you", "post-hint", channel=to.mention)
    if not _may(to.permissions_for(guild.me), needed):
        raise RefusedError("may-not-post-bot", "post-hint", channel=to.mention)
    return usual_limit(guild)


def _may(rights: discord.Permissions, needed: str) -> bool:
    return all(getattr(rights, name) for name in ("view_channel", "attach_files", needed))
