"""What must be known before a person is answered, for which Discord waits three seconds."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from bot.database.engine import RecordsError

LIMIT: Final = 2.0
"""Seconds; the acknowledgement follows."""


@asynccontextmanager
async def promptly(limit: float = LIMIT) -> AsyncGenerator[None]:
    """Give up in time to say so. Raises `RecordsError`."""
    try:
        async with asyncio.timeout(limit):
            yield
    except TimeoutError as error:
        raise RecordsError("What the bot remembers cannot be reached.", detail="slow") from error
