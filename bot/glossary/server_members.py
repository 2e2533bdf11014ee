"""Names of a server's members, for servers that let them be used."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

import discord
from cachetools import TTLCache
from discord.http import HTTPClient

from bot.exceptions import RefusedError
from bot.glossary.spoken_names import spoken_names
from bot.retry import retry_transient

MAX_MEMBERS: Final = 300
"""More would sound like too much else."""
READ_TIMEOUT_S: Final = 10.0
"""A clip waits so long for the names."""
KEPT_S: Final = 600.0
MAX_SERVERS: Final = 1000


class ServerMembers:
    """Reads who is on a server, and keeps their names for ten minutes.

    Args:
        http: The bot's access to Discord.

    """

    def __init__(self, http: HTTPClient) -> None:
        self._http = http
        self._kept: TTLCache[str, tuple[str, ...], float] = TTLCache(MAX_SERVERS, KEPT_S, timer=time.monotonic)

    async def names(self, guild_id: str) -> tuple[str, ...]:
        """Return what people of a server may be called; of a large server, those whose accounts are oldest.

        Raises:
            RefusedError: Discord does not tell this bot who is on a server.
            HTTPException: Discord does not answer.
            TimeoutError: Discord does not answer in time.

        """
        names = self._kept.get(guild_id)
        if names is None:
            names = self._kept[guild_id] = spoken_names(await self._read(guild_id))
        return names

    async def _read(self, guild_id: str) -> list[Mapping[str, Any]]:
        try:
            # The library waits by itself for as long as Discord limits the rate.
            async with asyncio.timeout(READ_TIMEOUT_S):
                return [*await retry_transient(lambda: self._http.get_members(int(guild_id), MAX_MEMBERS, None))]
        except discord.Forbidden as error:
            raise RefusedError("members-refused", "members-refused-hint") from error
