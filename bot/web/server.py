"""Serves the pages inside the bot's process."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from aiohttp import web

from bot.exceptions import PortError
from bot.web.app import Site

SHUTDOWN_TIMEOUT_S: Final = 2.0
"""Time for open answers when the bot stops."""


@asynccontextmanager
async def serve(site: Site, host: str, port: int) -> AsyncGenerator[None]:
    """Serve until the block ends. Raises `PortError`."""
    # Addresses are secrets, so there is no access log.
    runner = web.AppRunner(site.application(), access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise PortError(
                f"The pages cannot be served on port {port} of {host}.", detail=error.strerror or repr(error)
            ) from error
        structlog.get_logger(__name__).info("pages_served", host=host, port=port)
        yield
    finally:
        await runner.cleanup()
