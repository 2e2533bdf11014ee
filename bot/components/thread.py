"""The button that posts the transcript in a thread."""

import asyncio
from collections.abc import Iterator, Sequence

import discord

from bot import discord_limits
from bot.components.custom_ids import Action
from bot.components.result_actions import ResultItem, require_transcript
from bot.exceptions import RefusedError
from bot.i18n.translator import Translator, translator_for
from bot.jobs.history import HistoryEntry
from bot.messages.embeds import transcript_lines
from bot.messages.formatting import shorten
from bot.services import Interaction
from pipeline.types import Result, Transcript

MAX_MESSAGES = 30
"""Our own: posting that many takes about half a minute; the rest is in the file."""


class ThreadButton(ResultItem, action=Action.THREAD):
    """Posts the transcript in a thread."""

    async def act_on(self, interaction: Interaction, entry: HistoryEntry, result: Result) -> None:
        """Create the thread and fill it."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        translator = translator_for(interaction.locale.value)
        transcript = await require_transcript(result, interaction.client.services.store)
        thread = await post_thread(interaction, entry.job.source.name, transcript, translator)
        await interaction.edit_original_response(content=translator.format("thread-made", thread=thread.mention))


async def post_thread(
    interaction: Interaction, name: str, transcript: Transcript, translator: Translator
) -> discord.Thread:
    """Create a thread with the transcript, or post in the current thread.

    Raises:
        RefusedError: The bot may not create threads here.
        discord.HTTPException: Discord refused or failed.

    """
    channel = interaction.channel
    if isinstance(channel, discord.Thread):
        place = channel
    elif isinstance(channel, discord.TextChannel):
        rights = interaction.app_permissions
        if not (rights.create_public_threads and rights.send_messages_in_threads):
            raise RefusedError("may-not-thread", "post-hint")
        place = await _open(
            interaction,
            channel,
            shorten(translator.format("thread-name", name=name), discord_limits.MAX_THREAD_NAME_CHARS),
        )
    else:
        raise RefusedError("may-not-thread")
    try:
        for text in split_messages(transcript_lines(transcript)):
            async with asyncio.timeout(discord_limits.REQUEST_TIMEOUT_S):
                await place.send(text, allowed_mentions=discord.AllowedMentions.none(), suppress_embeds=True)
    except discord.Forbidden as error:
        raise RefusedError("may-not-thread", "post-hint") from error
    return place


async def _open(interaction: Interaction, channel: discord.TextChannel, name: str) -> discord.Thread:
    message = interaction.message
    if message is not None and message.thread is None:
        try:
            return await channel.get_partial_message(message.id).create_thread(name=name)
        except discord.HTTPException as error:
            # An archived thread is not known here.
            if error.code != discord_limits.THREAD_EXISTS_CODE:
                raise
    return await channel.create_thread(name=name, type=discord.ChannelType.public_thread)


def split_messages(lines: Sequence[str]) -> Iterator[str]:
    """Join lines to messages of the length that Discord takes; the last of `MAX_MESSAGES` ends with an ellipsis."""
    page = ""
    count = 0
    for line in (piece for whole in lines for piece in _pieces(whole)):
        if page and len(page) + 1 + len(line) > discord_limits.MAX_CONTENT_CHARS - 2:
            count += 1
            if count == MAX_MESSAGES:
                yield f"{page}\n…"
                return
            yield page
            page = ""
        page = f"{page}\n{line}" if page else line
    if page:
        yield page


def _pieces(line: str) -> Iterator[str]:
    """Cut a line that is too long at spaces, or else anywhere but after a backslash."""
    limit = discord_limits.MAX_CONTENT_CHARS - 2
    rest = line
    while len(rest) > limit:
        space = rest.rfind(" ", 1, limit)
        end = space if space > 0 else len(rest[:limit].rstrip("\\")) or limit
        yield rest[:end]
        rest = rest[end:].lstrip()
    yield rest
