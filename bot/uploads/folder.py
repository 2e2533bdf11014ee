"""Unfinished uploads on disk: a file and what is known of it, in a folder of their own."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import contextmanager
from http import HTTPStatus
from io import BufferedWriter
from pathlib import Path
from typing import Any, Final

import msgspec

from bot.exceptions import PageError, RefusedError
from bot.uploads.process_locks import ProcessLocks
from bot.uploads.rate import MinimumRate
from bot.uploads.records import UploadInfo, used_link

MAX_UPLOADS: Final = 20
"""Unfinished uploads of all people together."""
MAX_UPLOADS_PERSON: Final = 2
"""Unfinished uploads of one person."""
IDLE_S: Final = 3600.0
"""After which an unfinished upload to which nothing was added is deleted."""
STALL_TIMEOUT_S: Final = 30.0
"""Between two pieces of a request; what came until then is kept, and the browser goes on from there."""
COPIES: Final = 2
"""Times the size of a clip that its upload needs of the disk: its file, and the copy that is taken over."""


class UploadFolder:
    """Keeps unfinished uploads, and which links are used.

    Args:
        root: Their folder.
        max_size: Bytes of one.
        rate: Makes what watches the rate of one connection.

    """

    def __init__(self, root: Path, *, max_size: int, rate: Callable[[], MinimumRate] = MinimumRate) -> None:
        self._root = root
        self.max_size = max_size
        self._rate = rate
        self._held: dict[str, str] = {}
        self._locks = ProcessLocks(root.with_name(f"{root.name}.lock"))
        self._creating = asyncio.Lock()

    @contextmanager
    def hold(self, upload_id: str, reason: str = "upload-busy") -> Generator[None]:
        """Let nothing else change an upload in the block, nor another process that takes over from this one.

        Raises:
            PageError: With the reason of who holds it.

        """
        if (taken := self._held.get(upload_id)) is not None:
            raise PageError(HTTPStatus.LOCKED, taken)
        number = int(upload_id, 16)
        if not self._locks.take(number):
            raise PageError(HTTPStatus.LOCKED, "upload-busy")
        self._held[upload_id] = reason
        try:
            yield
        finally:
            del self._held[upload_id]
            self._locks.give(number)

    async def create(self, upload_id: str, info: UploadInfo) -> None:
        """Begin an upload, or begin again.

        Raises:
            RefusedError: It is too large, or too many are under way.

        """
        async with self._creating:
            await asyncio.to_thread(self._create, upload_id, info)

    def _create(self, upload_id: str, info: UploadInfo) -> None:
        self.remove_expired(time.time())
        place = self._place(upload_id)
        others = {path: known for path, known in self._unfinished() if path != place}
        if len([known for known in others.values() if known.user_id == info.user_id]) >= MAX_UPLOADS_PERSON:
            raise RefusedError("uploads-own", "uploads-own-hint", count=MAX_UPLOADS_PERSON)
        if len(others) >= MAX_UPLOADS:
            raise RefusedError("uploads-many", "try-soon")
        # What others have announced and not sent yet is no longer free.
        announced = sum(COPIES * known.length - _size(path / "data") for path, known in others.items())
        if shutil.disk_usage(self._root).free < announced + COPIES * info.length:
            raise RefusedError("uploads-many", "try-later")
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(mode=0o700)
        (place / "data").touch(mode=0o600)
        _write_info(place, info)

    async def info(self, upload_id: str) -> UploadInfo | None:
        """Return what is known of an upload; None when there is none."""
        return await asyncio.to_thread(_read_info, self._place(upload_id))

    async def offset(self, upload_id: str) -> int:
        """Return how many bytes are here."""
        return await asyncio.to_thread(_size, self.path(upload_id))

    async def append(self, upload_id: str, info: UploadInfo, offset: int, chunks: AsyncIterator[bytes]) -> int:
        """Add bytes from where the upload is; return how many are here then, also when the connection ended.

        Raises:
            PageError: It is not so far, its bytes come too slowly, or it was deleted meanwhile.

        """
        if offset != await self.offset(upload_id):
            raise PageError(HTTPStatus.CONFLICT, "upload-offset")
        rate = self._rate()
        with await asyncio.to_thread(self.path(upload_id).open, "ab") as file:
            try:
                while offset < info.length:
                    async with asyncio.timeout(STALL_TIMEOUT_S):
                        chunk = await anext(chunks, b"")
                    if not chunk:
                        break
                    # More than was announced is not taken.
                    kept = chunk[: info.length - offset]
                    await asyncio.to_thread(_write, file, kept)
                    offset += len(kept)
                    rate.add(len(chunk))
            except TimeoutError as error:
                raise PageError(HTTPStatus.REQUEST_TIMEOUT, "upload-slow") from error
            except ConnectionError:
                pass
        return offset

    def path(self, upload_id: str) -> Path:
        """Return the file of an upload."""
        return self._place(upload_id) / "data"

    async def finish(self, upload_id: str, info: UploadInfo) -> None:
        """Delete the bytes of an upload and keep what became of it, so that its link is used."""
        await asyncio.to_thread(self._finish, upload_id, info)

    def _finish(self, upload_id: str, info: UploadInfo) -> None:
        place = self._place(upload_id)
        known = _read_info(place)
        (place / "data").unlink(missing_ok=True)
        # The person may have had everything deleted meanwhile.
        if known is not None and not known.done:
            _write_info(place, info)

    async def remove(self, upload_id: str) -> None:
        """Delete an unfinished upload; what is known of a finished one stays, since its link is used."""
        known = await self.info(upload_id)
        if known is None or not known.done:
            await asyncio.to_thread(shutil.rmtree, self._place(upload_id), ignore_errors=True)

    async def remove_person(self, user_id: str) -> int:
        """Delete the uploads of a person, those too to which bytes are coming; return how many were unfinished."""
        return await asyncio.to_thread(self._remove_person, user_id)

    def _remove_person(self, user_id: str) -> int:
        found = self._of_person(user_id)
        for place, known in found:
            (place / "data").unlink(missing_ok=True)
            _write_info(place, used_link(known))
        return len([known for _, known in found if not known.done])

    async def export_person(self, user_id: str) -> list[dict[str, Any]]:
        """Return what is known of the uploads of a person, as it can be written as JSON."""
        return await asyncio.to_thread(self._export_person, user_id)

    def _export_person(self, user_id: str) -> list[dict[str, Any]]:
        return [
            {"name": known.name, "bytes": known.length, "received": _size(place / "data"), "done": known.done}
            | {"refusal": known.refusal, "link_ends": known.expires}
            for place, known in self._of_person(user_id)
        ]

    def remove_expired(self, now: float) -> None:
        """Delete unfinished uploads to which nothing was added for long, and all whose link has ended."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for place in self._root.iterdir():
            if place.name not in self._held and _is_over(place, now):
                shutil.rmtree(place, ignore_errors=True)

    def _of_person(self, user_id: str) -> list[tuple[Path, UploadInfo]]:
        return [(path, known) for path, known in self._known() if known.user_id == user_id]

    def _unfinished(self) -> list[tuple[Path, UploadInfo]]:
        return [(path, known) for path, known in self._known() if not known.done]

    def _known(self) -> list[tuple[Path, UploadInfo]]:
        return [(path, known) for path in sorted(self._root.glob("*")) if (known := _read_info(path)) is not None]

    def _place(self, upload_id: str) -> Path:
        # Ids come from signed tickets and are hexadecimal.
        return self._root / f"{int(upload_id, 16):032x}"


def _is_over(place: Path, now: float) -> bool:
    known = _read_info(place)
    if known is not None and known.expires:
        if known.expires < now:
            return True
        if known.done:
            return False
    file = place / "data"
    try:
        return (file if file.exists() else place).stat().st_mtime < now - IDLE_S
    except OSError:
        return False


def _read_info(place: Path) -> UploadInfo | None:
    try:
        return msgspec.json.decode((place / "info.json").read_bytes(), type=UploadInfo)
    except (OSError, msgspec.MsgspecError):
        return None


def _write_info(place: Path, info: UploadInfo) -> None:
    # Whoever reads meanwhile sees the old or the new.
    draft = place / "info.new"
    draft.write_bytes(msgspec.json.encode(info))
    draft.replace(place / "info.json")


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _write(file: BufferedWriter, data: bytes) -> None:
    if os.fstat(file.fileno()).st_nlink == 0:
        raise PageError(HTTPStatus.GONE, "upload-removed")
    file.write(data)
