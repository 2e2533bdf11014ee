"""Asks Discord who may see a channel, again and again while people look at pages."""

import asyncio
from contextlib import suppress
from typing import Final

import discord
from cachetools import TTLCache

from bot.database.models import JobRecord
from bot.error_handler import NETWORK_ERRORS
from bot.exceptions import DiscordUnavailableError
from bot.web.sources.stored import PageRights

ACCESS_TTL_S: Final = 60.0
"""How long an answer of Discord is used."""
ASK_TIMEOUT_S: Final = 10.0
MAX_CACHED: Final = 1000


class DiscordChannelAccess:
    """Looks up servers and channels in the client's cache, and asks Discord for the member."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._cache = TTLCache[tuple[str, str], discord.Permissions | None, float](maxsize=MAX_CACHED, ttl=ACCESS_TTL_S)

    async def rights(self, record: JobRecord, user_id: str) -> PageRights:
        """Return what a person may do with a result; in a private chat it is the person's own.

        Raises:
            DiscordUnavailableError: Discord did not answer.

        """
        is_own = record.user_id == user_id
        if not record.guild_id:
            return PageRights(see=is_own, edit=is_own)
        permissions = await self._permissions(record, user_id)
        if permissions is None:
            return PageRights(see=False, edit=False)
        return PageRights(see=True, edit=is_own or permissions.manage_messages)

    async def name(self, record: JobRecord, user_id: str) -> str:
        """Return what a person is called where the result was posted; empty when Discord does not say."""
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                guild = self._client.get_guild(int(record.guild_id)) if record.guild_id else None
                if guild is not None:
                    with suppress(discord.NotFound):
                        return (await guild.fetch_member(int(user_id))).display_name
                return (await self._client.fetch_user(int(user_id))).display_name
        except NETWORK_ERRORS:
            return ""

    async def _permissions(self, record: JobRecord, user_id: str) -> discord.Permissions | None:
        """Return a person's permissions in the channel; None when the person cannot see it."""
        key = (record.channel_id, user_id)
        with suppress(KeyError):
            return self._cache[key]
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                permissions = await self._ask(record, int(user_id))
        except NETWORK_ERRORS as error:
            raise DiscordUnavailableError(
                "Discord cannot be reached right now.", detail=type(error).__name__
            ) from error
        self._cache[key] = permissions
        return permissions

    async def _ask(self, record: JobRecord, user_id: int) -> discord.Permissions | None:
        guild = self._client.get_guild(int(record.guild_id))
        if guild is None and self._client.is_ready():
            return None
        if guild is None or guild.unavailable:
            raise DiscordUnavailableError("The bot is not connected to Discord yet.")
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
