"""Notices when a bait is opened, or a connection is made to it."""

import asyncio
import ctypes
import os
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.fuzz.references import Bait

# inotify(7)
_ACCESS, _MODIFY, _ATTRIB, _OPEN = 0x1, 0x2, 0x4, 0x20
_MOVED, _CREATE, _DELETE = 0xC0, 0x100, 0x200
_FOLDER = 0x40000000
_NAMES = {_ACCESS: "read", _MODIFY: "written", _ATTRIB: "changed", _OPEN: "opened", _CREATE: "made", _DELETE: "deleted"}
_EVENT = struct.Struct("iIII")
READ_BYTES = 1 << 16
_libc = ctypes.CDLL(None, use_errno=True)


class FolderWatch:
    """Notices whatever happens to the files of some folders, by any process."""

    def __init__(self, *folders: Path) -> None:
        self._descriptor = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        mask = _ACCESS | _MODIFY | _ATTRIB | _OPEN | _MOVED | _CREATE | _DELETE
        for folder in folders:
            if _libc.inotify_add_watch(self._descriptor, os.fsencode(folder), mask) < 0:
                raise OSError(ctypes.get_errno(), "inotify_add_watch", str(folder))

    def take(self) -> list[str]:
        """Return what has happened since the last call."""
        found: list[str] = []
        while data := self._read():
            at = 0
            while at < len(data):
                _, mask, _, length = _EVENT.unpack_from(data, at)
                at += _EVENT.size + length
                name = data[at - length : at].rstrip(b"\0").decode(errors="replace")
                what = [word for bit, word in _NAMES.items() if mask & bit] or [hex(mask)]
                found.append(f"{name or 'the folder'} {' '.join(what)}{' (folder)' if mask & _FOLDER else ''}")
        return found

    def close(self) -> None:
        """End the watch."""
        os.close(self._descriptor)

    def _read(self) -> bytes:
        try:
            return os.read(self._descriptor, READ_BYTES)
        except BlockingIOError:
            return b""


class Watch:
    """The baits and what came to them."""

    def __init__(self, bait: Bait) -> None:
        self.bait = bait
        self._folders = FolderWatch(bait.outside.parent, bait.neighbour.parent)
        self._connections: list[str] = []

    async def take(self) -> list[str]:
        """Return what has come to the baits since the last call."""
        # A connection is only noticed by the loop.
        await asyncio.sleep(0)
        found, self._connections[:] = [*self._folders.take(), *self._connections], []
        return found

    def note_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take note of a connection and close it."""
        self._connections.append(f"a connection to {writer.get_extra_info('sockname')}")
        writer.close()

    def close(self) -> None:
        """End the watch."""
        self._folders.close()


@asynccontextmanager
async def watch(outside: Path, neighbour: Path, clip: bytes) -> AsyncGenerator[Watch]:
    """Lay out baits and watch them for the length of the block.

    Args:
        outside: An empty folder outside of the scratch folder.
        neighbour: One inside of it, as of somebody else's order.
        clip: What the files there hold.
    """
    for folder in (outside, neighbour):
        (folder / "clip.wav").write_bytes(clip)
    connections: list[Watch] = []

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections[0].note_connection(reader, writer)

    web = await asyncio.start_server(connected, "127.0.0.1", 0)
    # Not in a watched folder: what makes it there would be noticed.
    socket = outside.with_name("socket")
    local = await asyncio.start_unix_server(connected, socket)
    port = web.sockets[0].getsockname()[1]
    bait = Bait(outside=outside / "clip.wav", neighbour=neighbour / "clip.wav", port=port, socket=socket)
    watching = Watch(bait)
    connections.append(watching)
    try:
        yield watching
    finally:
        web.close()
        local.close()
        watching.close()
