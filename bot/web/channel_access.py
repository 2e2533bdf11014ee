"""Who may see a channel of Discord, asked again while people look at pages."""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

import discord

from bot.database.models import JobRecord
from bot.error_handler import NETWORK_ERRORS
from bot.web.sources.stored import PageRights
from pipeline.errors import AudioProcessingError

ACCESS_TTL_S: Final = 60.0
"""Seconds that an answer of Discord holds."""
ASK_TIMEOUT_S: Final = 10.0
"""Seconds that Discord may take for one."""
MAX_CACHED: Final = 1000
"""Answers that are remembered."""
NO_RIGHTS: Final = PageRights(see=False, edit=False)


class DiscordAwayError(AudioProcessingError):
    """Discord cannot be asked at this moment."""


@dataclass(frozen=True, slots=True)
class _Answer:
    permissions: discord.Permissions | None
    """None: the person may not see the channel, or one of them is gone."""
    until: float


class DiscordChannelAccess:
    """Asks the bot's own cache for servers and channels, and Discord for the member."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._answers: OrderedDict[tuple[str, str], _Answer] = OrderedDict()

    async def rights(self, record: JobRecord, user_id: str) -> PageRights:
        """A private chat is its person's own; elsewhere Discord says. Raises `DiscordAwayError`."""
        asked = record.user_id == user_id
        if not record.guild_id:
            return PageRights(see=asked, edit=asked)
        permissions = await self._permissions(record, user_id)
        if permissions is None:
            return NO_RIGHTS
        return PageRights(see=True, edit=asked or permissions.manage_messages)

    async def _permissions(self, record: JobRecord, user_id: str) -> discord.Permissions | None:
        key = (record.channel_id, user_id)
        known = self._answers.pop(key, None)
        if known is None or known.until <= time.monotonic():
            try:
                async with asyncio.timeout(ASK_TIMEOUT_S):
                    known = _Answer(await self._ask(record, int(user_id)), time.monotonic() + ACCESS_TTL_S)
            except NETWORK_ERRORS as error:
                raise DiscordAwayError("Discord cannot be asked right now.", detail=type(error).__name__) from error
        self._answers[key] = known
        while len(self._answers) > MAX_CACHED:
            self._answers.popitem(last=False)
        return known.permissions

    async def _ask(self, record: JobRecord, user_id: int) -> discord.Permissions | None:
        guild = self._client.get_guild(int(record.guild_id))
        if guild is None and self._client.is_ready():
            return None
        if guild is None or guild.unavailable:
            raise DiscordAwayError("The bot is not connected to Discord yet.")
        try:
            channel_id = int(record.channel_id)
            channel = guild.get_channel_or_thread(channel_id) or await guild.fetch_channel(channel_id)
            member = await guild.fetch_member(user_id)
            permissions = channel.permissions_for(member)
            if isinstance(channel, discord.Thread) and channel.is_private() and not permissions.manage_threads:
                await channel.fetch_member(user_id)
        except (discord.NotFound, discord.Forbidden, discord.ClientException):
            return None
        return permissions if permissions.view_channel else None
