"""Unfinished uploads on disk: a file and what is known of it, in a folder of their own."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from typing import Final

import msgspec

from bot.exceptions import PageError, RefusedError

MAX_UPLOADS: Final = 20
"""Unfinished uploads of all people together."""
IDLE_S: Final = 3600.0
"""After which an unfinished upload to which nothing was added is deleted."""
STALL_TIMEOUT_S: Final = 30.0
"""Between two pieces of a request; what came until then is kept, and the browser goes on from there."""


class UploadInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an upload."""

    name: str
    length: int
    """Bytes."""
    done: bool = False
    """Whether all of it came and was taken over; its bytes are no longer here then."""
    refusal: str = ""
    """Why nothing came of it, as the person is told."""


class UploadFolder:
    """Keeps unfinished uploads.

    Args:
        root: Their folder.
        max_size: Bytes of one.

    """

    def __init__(self, root: Path, *, max_size: int) -> None:
        self._root = root
        self.max_size = max_size
        self._writing: set[str] = set()

    async def create(self, upload_id: str, info: UploadInfo) -> None:
        """Begin an upload, or begin again.

        Raises:
            RefusedError: It is too large, or too many are under way.

        """
        await asyncio.to_thread(self._create, upload_id, info)

    def _create(self, upload_id: str, info: UploadInfo) -> None:
        self.remove_old()
        place = self._place(upload_id)
        others = [path for path in self._root.glob("*") if path != place and (path / "data").exists()]
        if len(others) >= MAX_UPLOADS:
            raise RefusedError("uploads-many", "try-soon")
        if shutil.disk_usage(self._root).free < 2 * info.length:
            raise RefusedError("uploads-many", "try-later")
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(mode=0o700)
        (place / "data").touch(mode=0o600)
        self._write_info(upload_id, info)

    async def info(self, upload_id: str) -> UploadInfo | None:
        """Return what is known of an upload; None when there is none."""
        try:
            return msgspec.json.decode(
                await asyncio.to_thread((self._place(upload_id) / "info.json").read_bytes), type=UploadInfo
            )
        except (OSError, msgspec.MsgspecError):
            return None

    async def offset(self, upload_id: str) -> int:
        """Return how many bytes are here."""
        try:
            return (await asyncio.to_thread((self._place(upload_id) / "data").stat)).st_size
        except OSError:
            return 0

    async def append(self, upload_id: str, info: UploadInfo, offset: int, chunks: AsyncIterator[bytes]) -> int:
        """Add bytes from where the upload is; return how many are here then, also when the connection ended.

        Raises:
            PageError: Something else writes to it, or it is not so far.

        """
        if upload_id in self._writing:
            raise PageError(HTTPStatus.LOCKED, "upload-busy")
        self._writing.add(upload_id)
        try:
            if offset != await self.offset(upload_id):
                raise PageError(HTTPStatus.CONFLICT, "upload-offset")
            return await self._write(upload_id, info, offset, chunks)
        finally:
            self._writing.discard(upload_id)

    async def _write(self, upload_id: str, info: UploadInfo, offset: int, chunks: AsyncIterator[bytes]) -> int:
        with await asyncio.to_thread((self._place(upload_id) / "data").open, "ab") as file:
            try:
                while offset < info.length:
                    async with asyncio.timeout(STALL_TIMEOUT_S):
                        chunk = await anext(chunks, b"")
                    if not chunk:
                        break
                    # More than was announced is not taken.
                    kept = chunk[: info.length - offset]
                    await asyncio.to_thread(file.write, kept)
                    offset += len(kept)
            except (TimeoutError, ConnectionError):
                pass
        return offset

    def path(self, upload_id: str) -> Path:
        """Return the file of an upload."""
        return self._place(upload_id) / "data"

    async def finish(self, upload_id: str, info: UploadInfo) -> None:
        """Delete the bytes of an upload and keep what became of it."""
        await asyncio.to_thread(self.path(upload_id).unlink, missing_ok=True)
        await asyncio.to_thread(self._write_info, upload_id, info)

    async def remove(self, upload_id: str) -> None:
        """Delete an upload."""
        await asyncio.to_thread(shutil.rmtree, self._place(upload_id), ignore_errors=True)

    def remove_old(self) -> None:
        """Delete uploads to which nothing was added for long."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for place in self._root.iterdir():
            file = place / "data"
            try:
                changed = (file if file.exists() else place).stat().st_mtime
            except OSError:
                continue
            if changed < time.time() - IDLE_S and place.name not in self._writing:
                shutil.rmtree(place, ignore_errors=True)

    def _place(self, upload_id: str) -> Path:
        # Ids come from signed tickets and are hexadecimal.
        return self._root / f"{int(upload_id, 16):032x}"

    def _write_info(self, upload_id: str, info: UploadInfo) -> None:
        (self._place(upload_id) / "info.json").write_bytes(msgspec.json.encode(info))
