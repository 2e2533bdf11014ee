"""Deletes uploads whose time is over, every hour, also when nobody sends anything."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog

from bot.uploads.folder import UploadFolder

INTERVAL_S: Final = 3600.0


@asynccontextmanager
async def expire_uploads(folder: UploadFolder, interval_s: float = INTERVAL_S) -> AsyncGenerator[None]:
    """Delete what is over now and then again and again until the block ends."""
    task = asyncio.create_task(_run(folder, interval_s), name="expire-uploads")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _run(folder: UploadFolder, interval_s: float) -> None:
    while True:
        try:
            await asyncio.to_thread(folder.remove_expired, time.time())
        except OSError as error:
            structlog.get_logger(__name__).warning("uploads_not_expired", error=type(error).__name__)
        await asyncio.sleep(interval_s)
