"""What must be known before a person is answered, for which Discord waits three seconds."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from bot.database.engine import DatabaseError

ACK_TIMEOUT_S: Final = 2.0
"""Seconds; the acknowledgement follows."""


@asynccontextmanager
async def ack_deadline(limit: float = ACK_TIMEOUT_S) -> AsyncGenerator[None]:
    """Give up in time to say so. Raises `DatabaseError`."""
    try:
        async with asyncio.timeout(limit):
            yield
    except TimeoutError as error:
        raise DatabaseError("What the bot remembers cannot be reached.", detail="slow") from error
