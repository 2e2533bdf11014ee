"""Names of a server's members, for servers that let them be used."""

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

        """
        if guild_id not in self._kept:
            try:
                members: list[Mapping[str, Any]] = [*await retry_transient(lambda: self._read(guild_id))]
            except discord.Forbidden as error:
                raise RefusedError("members-refused", "members-refused-hint") from error
            self._kept[guild_id] = spoken_names(members)
        return self._kept[guild_id]

    async def _read(self, guild_id: str) -> list[Any]:
        return await self._http.get_members(int(guild_id), MAX_MEMBERS, None)
