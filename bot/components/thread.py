"""A transcript as messages of a thread."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import discord

from bot import discord_limits
from bot.exceptions import RefusedError
from bot.i18n.translator import Translator
from bot.messages.embeds import transcript_lines
from bot.messages.formatting import shorten
from pipeline.types import Transcript

MAX_MESSAGES = 30
"""Our own: a thread of that many messages takes about half a minute; the rest is in the file."""


async def post_thread(
    interaction: discord.Interaction[Any], name: str, transcript: Transcript, translator: Translator
) -> discord.Thread:
    """Make the thread and fill it; raises `RefusedError` where the bot may not, and discord.py's own errors."""
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


async def _open(interaction: discord.Interaction[Any], channel: discord.TextChannel, name: str) -> discord.Thread:
    message = interaction.message
    if message is not None and message.thread is None:
        try:
            return await channel.get_partial_message(message.id).create_thread(name=name)
        except discord.HTTPException as error:
            # One that was archived is no longer known here.
            if error.code != discord_limits.THREAD_EXISTS_CODE:
                raise
    return await channel.create_thread(name=name, type=discord.ChannelType.public_thread)


def split_messages(lines: Sequence[str]) -> Iterator[str]:
    """The lines as messages, none longer than Discord takes; the last one that is allowed ends with an ellipsis."""
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
    """A line that is too long cut at spaces, and where there are none anywhere but behind a backslash."""
    limit = discord_limits.MAX_CONTENT_CHARS - 2
    rest = line
    while len(rest) > limit:
        space = rest.rfind(" ", 1, limit)
        end = space if space > 0 else len(rest[:limit].rstrip("\\")) or limit
        yield rest[:end]
        rest = rest[end:].lstrip()
    yield rest
