"""A proxy between a client and a server that cuts connections, or lets none through."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class CutProxy:
    """Passes bytes on, until a test tells it not to."""

    def __init__(self, port: int) -> None:
        self.target_port = port
        self.port = 0
        self.cuts = 0
        """How many of the next connections are cut."""
        self.cut_after_bytes = 0
        """Bytes in both directions after which they are."""
        self.down = False
        """Whether connections are closed at once, those that are open too."""
        self.connections = 0
        self._writers: set[asyncio.StreamWriter] = set()

    @classmethod
    @asynccontextmanager
    async def start(cls, port: int) -> AsyncIterator["CutProxy"]:
        """A listening proxy before a port of this machine."""
        proxy = cls(port)
        server = await asyncio.start_server(proxy._serve, "127.0.0.1", 0)
        proxy.port = server.sockets[0].getsockname()[1]
        try:
            yield proxy
        finally:
            server.close()
            proxy.cut_all()

    def cut_all(self) -> None:
        """Cut all open connections."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.down:
            writer.transport.abort()
            return
        left = [10**12]
        if self.cuts:
            self.cuts -= 1
            left[0] = self.cut_after_bytes
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        try:
            await asyncio.gather(self._pass(reader, back, left), self._pass(there, writer, left))
        finally:
            self._writers -= {writer, back}
            for end in (writer, back):
                end.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: list[int]) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                left[0] -= len(data)
                if left[0] < 0:
                    self.cut_both(writer)
                    return
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()

    @staticmethod
    def cut_both(writer: asyncio.StreamWriter) -> None:
        """End a connection as a lost network would."""
        writer.transport.abort()
        raise ConnectionResetError
