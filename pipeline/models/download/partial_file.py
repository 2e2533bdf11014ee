"""A partly downloaded file: its bytes, their digest and origin, locked by one process at a time."""

import hashlib
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from filelock import lock_descriptor

from pipeline.models.checkpoints import PARTIAL_SUFFIX, file_md5

BLOCK_BYTES: Final = 1024 * 1024
POLL_INTERVAL_S: Final = 0.2
"""Seconds between two looks at a file that another process fetches."""


class Origin(msgspec.Struct, frozen=True):
    """The address of the first bytes, and the validator of that version (a strong ETag or a date)."""

    address: str
    validator: str


class PartialFile:
    """The bytes of a file so far; made by `open_partial`."""

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        """Read the bytes of an earlier attempt."""
        self._stream = stream
        self._path = path
        self._digest = hashlib.sha256()
        self.size = 0
        stream.seek(0)
        while block := stream.read(BLOCK_BYTES):
            self._digest.update(block)
            self.size += len(block)

    @property
    def digest(self) -> str:
        """The sha256 of the bytes so far."""
        return self._digest.hexdigest()

    @property
    def md5(self) -> str:
        """The md5 of the bytes so far, read from the disk."""
        return file_md5(self._path)

    @property
    def origin(self) -> Origin | None:
        """The origin of the bytes, if it is recorded."""
        try:
            return msgspec.json.decode(self._note.read_bytes(), type=Origin)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def restart(self, origin: Origin | None = None) -> None:
        """Delete the bytes so far and record the new origin."""
        self._stream.seek(0)
        self._stream.truncate()
        self._digest = hashlib.sha256()
        self.size = 0
        if origin is None:
            self._note.unlink(missing_ok=True)
        else:
            self._note.write_bytes(msgspec.json.encode(origin))

    def append(self, block: bytes) -> None:
        """Append bytes.

        Raises:
            OSError: The disk is full.
        """
        self._stream.write(block)
        self._digest.update(block)
        self.size += len(block)

    def finish(self, place: Path) -> None:
        """Rename the complete file in one step, safe against a power loss."""
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._path.replace(place)
        self._note.unlink(missing_ok=True)
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def remove(self) -> None:
        """Delete the file and its record."""
        self._note.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)

    @property
    def _note(self) -> Path:
        return self._path.with_name(self._path.name + ".json")


@contextmanager
def open_partial(place: Path, on_wait: Callable[[], None]) -> Generator[PartialFile | None]:
    """Lock and give the partial file of a path; None once the complete file is there.

    Args:
        place: Path of the complete file.
        on_wait: Called repeatedly while another process holds the lock; an error that it raises ends the wait.
    """
    path = place.with_name(place.name + PARTIAL_SUFFIX)
    place.parent.mkdir(parents=True, exist_ok=True)
    while not place.is_file():
        # Not buffered, so that a full disk is noticed at the write and nothing is left to flush.
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b", buffering=0) as stream:
            if _lock(stream, path):
                yield PartialFile(stream, path)
                return
        on_wait()
        time.sleep(POLL_INTERVAL_S)
    yield None


def _lock(stream: BinaryIO, path: Path) -> bool:
    """Return whether this process now holds the file, and the file still is the one at the path."""
    try:
        return lock_descriptor(stream.fileno(), blocking=False) and os.path.samestat(
            os.fstat(stream.fileno()), path.stat()
        )
    except FileNotFoundError:
        return False
