"""Says to Discord what must not be lost, again when Discord is troubled for a moment."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import aiohttp
import discord

T = TypeVar("T")
PAUSES: Final = (1.0, 3.0, 9.0)
"""Seconds before each further try."""


def is_transient(error: Exception) -> bool:
    """True for trouble that ends: the way to Discord, its own faults, and asking too often."""
    if isinstance(error, discord.HTTPException):
        return error.status in (408, 429) or error.status >= 500
    return isinstance(error, aiohttp.ClientError | OSError)


async def retry_transient(act: Callable[[], Awaitable[T]]) -> T:
    """What `act` gives, tried a few times; raises what it raised last."""
    for pause in PAUSES:
        try:
            return await act()
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            if not is_transient(error):
                raise
        await asyncio.sleep(pause)
    return await act()
