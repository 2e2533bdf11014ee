"""Copies files out of the store, so that what is done with the copy does nothing to the store."""

import asyncio
import fcntl
import hashlib
from pathlib import Path
from typing import Final

import obstore
from obstore.store import ObjectStore

TRANSFER_CHUNK_BYTES: Final = 8 * 1024 * 1024
COPY_CHUNK_BYTES: Final = 1 << 20
FICLONE: Final = 0x40049409
"""linux/fs.h: let two files share their blocks until one of them is written, where the file system can (reflink)."""
READ_ONLY: Final = 0o444


def copy_blob(source: Path, target: Path) -> tuple[int, str]:
    """Copy a file.

    Returns:
        The size of the copy, and the sha256 of its bytes in hexadecimal.
    """
    with source.open("rb") as original, target.open("w+b") as copy:
        if _share_blocks(original.fileno(), copy.fileno()):
            digest = hashlib.file_digest(copy, "sha256")
        else:
            digest = hashlib.sha256()
            while chunk := original.read(COPY_CHUNK_BYTES):
                digest.update(chunk)
                copy.write(chunk)
        return copy.seek(0, 2), digest.hexdigest()


async def download_blob(remote: ObjectStore, path: str, target: Path) -> tuple[int, str]:
    """Copy a file that is not on this machine; return what `copy_blob` does."""
    digest = hashlib.sha256()
    size = 0

    def write(chunk: bytes) -> None:
        digest.update(chunk)
        stream.write(chunk)

    answer = await obstore.get_async(remote, path)
    with await asyncio.to_thread(target.open, "wb") as stream:
        async for chunk in answer.stream(min_chunk_size=TRANSFER_CHUNK_BYTES):
            await asyncio.to_thread(write, bytes(chunk))
            size += len(chunk)
    return size, digest.hexdigest()


def measure(path: Path) -> tuple[str, int]:
    """Return the sha256 of a file in hexadecimal, and its size."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return digest, stream.tell()


def protect(blob: Path) -> None:
    """Keep programs from changing a file of the store by mistake."""
    blob.chmod(READ_ONLY)


def _share_blocks(original: int, copy: int) -> bool:
    try:
        fcntl.ioctl(copy, FICLONE, original)
    except OSError:
        return False
    return True
