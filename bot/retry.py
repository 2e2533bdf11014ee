"""Time limits and retries for calls to Discord, the database and the queue."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import aiohttp
import discord
import stamina

from bot.exceptions import AckTimeoutError, DatabaseError, TransientError
from pipeline.errors import QueueError

T = TypeVar("T")
ACK_TIMEOUT_S: Final = 2.0
"""Discord waits three seconds for the first answer to an interaction."""


def is_transient(error: Exception) -> bool:
    """Tell whether the same call to Discord can work later: the network, a fault of Discord, or a rate limit."""
    if isinstance(error, discord.HTTPException):
        return error.status in (408, 429) or error.status >= 500
    return isinstance(error, aiohttp.ClientError | OSError)


_FEW_TIMES = stamina.AsyncRetryingCaller(
    attempts=4, timeout=None, wait_initial=1.0, wait_max=9.0, wait_jitter=0.0, wait_exp_base=3
).on(is_transient)
_UNTIL_DONE = stamina.AsyncRetryingCaller(
    attempts=None, timeout=None, wait_initial=1.0, wait_max=60.0, wait_jitter=0.0, wait_exp_base=2
).on((TransientError, QueueError, DatabaseError))


async def retry_transient(call: Callable[[], Awaitable[T]]) -> T:
    """Call Discord, up to four times within about 13 seconds; raise the last error."""
    return await _FEW_TIMES(call)


async def retry_until_done(call: Callable[[], Awaitable[T]]) -> T:
    """Call until neither Discord nor the queue nor the database fails, at most a minute apart."""
    return await _UNTIL_DONE(call)


@asynccontextmanager
async def ack_deadline(timeout_s: float = ACK_TIMEOUT_S) -> AsyncGenerator[None]:
    """Limit the time of what must be known before a person is answered. Raises `AckTimeoutError`."""
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError as error:
        raise AckTimeoutError("ack-timeout", "try-soon") from error
