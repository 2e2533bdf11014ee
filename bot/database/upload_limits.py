"""How large a file each server takes, as its refusals taught.

Discord tells the limit with each interaction. Without one the bot tries what such a server usually takes, and remembers
what was refused; after some weeks it tries again, since servers are boosted and Discord raises its limits.
"""

import time
from contextlib import suppress
from typing import Final

import discord
from msgspec import structs
from sqlalchemy import delete, insert, select

from bot.database.engine import Database, lock_writes
from bot.database.tables import UPLOAD_LIMITS
from bot.discord_limits import DEFAULT_MAX_FILE_BYTES, UPLOAD_STEPS_BYTES
from bot.exceptions import DatabaseError
from worker.protocol import ReplyTo

REMEMBERED_S: Final = 30 * 86400.0


class UploadLimits:
    """Remembers limits. What the database does not tell or take is tried and learnt again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def learnt(self, guild_id: str | None) -> int | None:
        """Return the bytes of a file that a server takes, None for direct messages; None where nothing was refused."""
        with suppress(DatabaseError):
            known = select(UPLOAD_LIMITS.c.bytes).where(
                UPLOAD_LIMITS.c.guild_id == (guild_id or ""), UPLOAD_LIMITS.c.learnt > time.time() - REMEMBERED_S
            )
            async with self._database.transaction() as connection:
                return (await connection.execute(known)).scalar_one_or_none()
        return None

    async def learn(self, guild_id: str | None, size: int) -> None:
        """Remember that a server takes files of this size, and none of the next one."""
        with suppress(DatabaseError):
            async with self._database.transaction() as connection:
                await lock_writes(connection)
                await connection.execute(delete(UPLOAD_LIMITS).where(UPLOAD_LIMITS.c.guild_id == (guild_id or "")))
                values = {"guild_id": guild_id or "", "bytes": size, "learnt": time.time()}
                await connection.execute(insert(UPLOAD_LIMITS).values(values))

    async def narrow(self, reply: ReplyTo) -> ReplyTo:
        """Return a reply with the limit that is to be expected, so that copies are made of what is larger.

        A limit beyond the usual one is the person's own, and says nothing about the server.
        """
        if reply.interaction_token and reply.size_limit > DEFAULT_MAX_FILE_BYTES:
            return reply
        known = await self.learnt(reply.guild_id)
        return reply if known is None or known >= reply.size_limit else structs.replace(reply, size_limit=known)


def step_below(size: int) -> int | None:
    """Return the largest limit that Discord gives below a size that was refused; None below all of them."""
    return next((step for step in UPLOAD_STEPS_BYTES if step < size), None)


def usual_limit(guild: discord.Guild | None) -> int:
    """Return the bytes of a file that such a server usually takes; None: direct messages.

    discord.py counts 10 MiB for a server that nobody boosts.
    """
    return DEFAULT_MAX_FILE_BYTES if guild is None else max(guild.filesize_limit, DEFAULT_MAX_FILE_BYTES)
