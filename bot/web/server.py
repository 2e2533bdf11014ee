"""Serves the pages inside the bot's process, with limits that keep strangers from using up its descriptors."""

import asyncio
import os
import resource
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import structlog
from aiohttp import web

from bot.exceptions import PortError
from bot.web.app import Site

SHUTDOWN_TIMEOUT_S: Final = 2.0
"""Time for open answers when the bot stops."""
IDLE_TIMEOUT_S: Final = 15.0
"""Time for the headers of a request, and between two requests on a connection."""
MAX_CONNECTIONS: Final = 512
DESCRIPTORS_PER_CONNECTION: Final = 4
"""One for itself, one for a file that it reads, and as many again that are left to the rest of the bot."""
MAX_ACCEPTED_AT_ONCE: Final = 16
"""Connections accepted before those that give way to them are closed; far fewer than there are descriptors."""
QUEUE_LENGTH: Final = 1024
"""Connections that wait in the system; one that finds no place there is tried again by the browser after seconds."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serve(site: Site, host: str, port: int, *, shared: bool = False) -> AsyncGenerator[None]:
    """Serve until the block ends; `shared`: another process of this bot has the port too. Raises `PortError`."""
    gate = ConnectionGate(max_connections())
    application = site.application()
    application.middlewares.insert(0, gate.mark_busy)
    # Addresses are secrets, so there is no access log.
    runner = web.AppRunner(
        application, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S, keepalive_timeout=IDLE_TIMEOUT_S
    )
    await runner.setup()
    assert runner.server is not None
    try:
        try:
            listening = await _listen(partial(gate.accept, runner.server), host, port, shared=shared)
        except OSError as error:
            raise PortError(
                f"The pages cannot be served on port {port} of {host}.", detail=error.strerror or repr(error)
            ) from error
        for listener in listening.sockets:
            # asyncio has one number for both.
            with socket.socket(fileno=os.dup(listener.fileno())) as same:
                same.listen(QUEUE_LENGTH)
        structlog.get_logger(__name__).info("pages_served", host=host, port=port)
        try:
            yield
        finally:
            listening.close()
    finally:
        await runner.cleanup()


async def _listen(accept: Callable[[], asyncio.BaseProtocol], host: str, port: int, *, shared: bool) -> asyncio.Server:
    """Listen so that a later process of this bot can listen beside this one. Raises `OSError`."""
    loop = asyncio.get_running_loop()
    if not shared:
        # Nobody else may have the port, which could not be told if this one were to share it.
        alone = await loop.create_server(accept, host, port, start_serving=False)
        alone.close()
        await alone.wait_closed()
    return await loop.create_server(accept, host, port, backlog=MAX_ACCEPTED_AT_ONCE, reuse_port=True)


def max_connections() -> int:
    """Return how many connections the pages may have with the descriptors that this process may have."""
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return min(MAX_CONNECTIONS, descriptors // DESCRIPTORS_PER_CONNECTION)


class ConnectionGate:
    """Lets no more than `limit` connections in; when all are taken, the one that has been idle longest gives way."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._busy: set[asyncio.BaseProtocol] = set()
        self._closing: set[asyncio.BaseProtocol] = set()

    def accept(self, server: web.Server) -> asyncio.BaseProtocol:
        """Return what handles a new connection."""
        connections = server.connections
        if len(connections) < self._limit:
            return server()
        # One that was told to close stays among the connections until the loop comes to it.
        self._closing &= set(connections)
        idle = next((one for one in connections if one not in self._busy and one not in self._closing), None)
        if idle is None:
            return _Refusal()
        self._closing.add(idle)
        idle.force_close()
        return server()

    @web.middleware
    async def mark_busy(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Note that a connection is in use while its request is answered."""
        self._busy.add(request.protocol)
        try:
            return await handler(request)
        finally:
            self._busy.discard(request.protocol)


class _Refusal(asyncio.Protocol):
    """Closes a connection at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
