"""Artefacts by the sha256 of their bytes, in a folder, in memory or in any S3."""

import asyncio
import contextlib
import hashlib
import mimetypes
import os
import re
import shutil
import uuid
from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self, cast
from urllib.parse import urlsplit
from urllib.request import url2pathname

import obstore
from obstore.store import LocalStore, MemoryStore, ObjectStore, from_url

from pipeline.errors import StoreError
from pipeline.types import Artefact
from worker.store.errors import named_errors
from worker.store.garbage_collection import IsReferenced, release
from worker.store.references import References

CHUNK: Final = 8 * 1024 * 1024
PIECE: Final = 256 * 1024
"""Bytes of a stream that are held at once."""
REMOTE_LIMIT: Final = timedelta(minutes=5)
"""For one request, so for one part of a large file."""
TRANSFER_LIMIT: Final = 3600.0
"""Seconds for a whole file."""
SMALL_LIMIT: Final = 60.0
"""Seconds for anything that is not a whole file."""

MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".ass": "text/x-ssa",
        ".flac": "audio/flac",
        ".json": "application/json",
        ".m4a": "audio/mp4",
        ".md": "text/markdown",
        ".mkv": "video/x-matroska",
        ".mp4": "video/mp4",
        ".ogg": "audio/ogg",
        ".opus": "audio/ogg",
        ".png": "image/png",
        ".rttm": "text/plain",
        ".srt": "application/x-subrip",
        ".textgrid": "text/plain",
        ".txt": "text/plain",
        ".vtt": "text/vtt",
        ".wav": "audio/wav",
        ".webm": "video/webm",
    }
)


def media_type_of(name: str) -> str:
    """The media type that a file's name suggests; the same on every machine for the types we make."""
    known = MEDIA_TYPES.get(Path(name).suffix.lower())
    return known or mimetypes.guess_type(name)[0] or "application/octet-stream"


class Store:
    """Where all clips and results are. Every method raises `StoreError` when the store cannot do it."""

    def __init__(self, remote: ObjectStore, folder: Path | None) -> None:
        self._remote = remote
        self._folder = folder
        self.references = References(remote, folder)
        """Who still needs what is kept here."""

    @classmethod
    def open(cls, url: str) -> Self:
        """`file:///folder` (made when missing), `s3://bucket/prefix`, other clouds, or `memory://`."""
        with named_errors("opened"):
            parts = urlsplit(url)
            if parts.scheme == "file":
                folder = Path(url2pathname(parts.path))
                folder.mkdir(parents=True, exist_ok=True)
                return cls(LocalStore(folder), folder)
            if parts.scheme == "memory":
                return cls(MemoryStore(), None)
            # Options given here replace those that the library reads from the environment.
            plain = os.environ.get("AWS_ALLOW_HTTP", "").lower() in ("1", "true")
            options = {"timeout": REMOTE_LIMIT, "connect_timeout": timedelta(seconds=10), "allow_http": plain}
            return cls(from_url(url, client_options=cast("Any", options)), None)

    async def put(self, path: Path, *, name: str, media_type: str | None = None) -> Artefact:
        """Keep a file; one with the same bytes is kept once."""
        with named_errors(f"given {name}"):
            digest, size = await asyncio.to_thread(_measure, path)
            artefact = Artefact(name=name, digest=digest, size=size, media_type=media_type or media_type_of(name))
            if not await self.contains(artefact):
                async with asyncio.timeout(TRANSFER_LIMIT):
                    await obstore.put_async(self._remote, _blob(digest), path, chunk_size=CHUNK, max_concurrency=4)
            return artefact

    async def fetch(self, artefact: Artefact, target: Path) -> Path:
        """Bring a file to `target`, whole or not at all.

        From a folder it is linked when possible, so nobody may write into it; from elsewhere its digest is checked.
        """
        partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        with named_errors(f"asked for {artefact.name}"):
            try:
                if self._folder is not None:
                    await asyncio.to_thread(_link, self._folder / _blob(artefact.digest), partial)
                    size, digest = (await asyncio.to_thread(partial.stat)).st_size, artefact.digest
                else:
                    size, digest = await self._download(artefact, partial)
                if (size, digest) != (artefact.size, artefact.digest):
                    raise StoreError(f"{artefact.name} is damaged in the store.", hint="Send the clip again.")
                await asyncio.to_thread(partial.replace, target)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    partial.unlink()
        return target

    async def read(self, artefact: Artefact, *, limit: int) -> bytes:
        """The bytes of a small file of at most `limit` bytes."""
        if artefact.size > limit:
            raise StoreError(f"{artefact.name} is larger than the {limit} bytes that may be read at once.")
        with named_errors(f"asked for {artefact.name}"):
            data = await self._get(_blob(artefact.digest))
        if hashlib.sha256(data).hexdigest() != artefact.digest:
            raise StoreError(f"{artefact.name} is damaged in the store.", hint="Send the clip again.")
        return data

    async def stream(self, artefact: Artefact, start: int, end: int) -> AsyncGenerator[bytes]:
        """The bytes from `start` up to `end`, not included, in pieces; what is damaged cannot be told here."""
        with named_errors(f"asked for {artefact.name}"):
            if start >= end:
                return
            async with asyncio.timeout(SMALL_LIMIT):
                answer = await obstore.get_async(self._remote, _blob(artefact.digest), options={"range": (start, end)})
            pieces = aiter(answer.stream(min_chunk_size=PIECE))
            while True:
                async with asyncio.timeout(SMALL_LIMIT):
                    piece = await anext(pieces, None)
                if piece is None:
                    return
                yield bytes(piece)

    async def has_digest(self, digest: str) -> bool:
        """True when bytes of that digest are kept."""
        return await self._size(digest) is not None

    async def contains(self, artefact: Artefact) -> bool:
        """True when the file is kept whole."""
        return await self._size(artefact.digest) == artefact.size

    async def delete(self, digest: str) -> None:
        """Delete the bytes of that digest, where they are kept; a memo that names them holds no longer."""
        with named_errors("told to delete a file"), contextlib.suppress(FileNotFoundError):
            async with asyncio.timeout(SMALL_LIMIT):
                await obstore.delete_async(self._remote, _blob(digest))

    async def put_cache_entry(self, key: str, value: bytes) -> None:
        """Keep what a stage gave under its key."""
        with named_errors("given a memo"):
            async with asyncio.timeout(SMALL_LIMIT):
                await obstore.put_async(self._remote, _memo(key), value)

    async def get_cache_entry(self, key: str) -> bytes | None:
        """What was remembered under the key, None when nothing was."""
        with named_errors("asked for a memo"):
            try:
                return await self._get(_memo(key))
            except FileNotFoundError:
                return None

    async def delete_cache_entry(self, key: str) -> None:
        """Delete what was remembered under the key, where there is anything."""
        with named_errors("told to delete a memo"), contextlib.suppress(FileNotFoundError):
            async with asyncio.timeout(SMALL_LIMIT):
                await obstore.delete_async(self._remote, _memo(key))

    async def release_job(self, job_id: str, is_referenced: IsReferenced) -> None:
        """Delete what a job used and no other job does; `needed` tells what somebody else still refers to."""
        await release(self, job_id, is_referenced)

    async def _get(self, path: str) -> bytes:
        async with asyncio.timeout(SMALL_LIMIT):
            return bytes(await (await obstore.get_async(self._remote, path)).bytes_async())

    async def _size(self, digest: str) -> int | None:
        with named_errors("asked for a file"):
            try:
                async with asyncio.timeout(SMALL_LIMIT):
                    return (await obstore.head_async(self._remote, _blob(digest)))["size"]
            except FileNotFoundError:
                return None

    async def _download(self, artefact: Artefact, target: Path) -> tuple[int, str]:
        digest = hashlib.sha256()
        size = 0

        def write(chunk: bytes) -> None:
            digest.update(chunk)
            stream.write(chunk)

        async with asyncio.timeout(TRANSFER_LIMIT):
            answer = await obstore.get_async(self._remote, _blob(artefact.digest))
            with await asyncio.to_thread(target.open, "wb") as stream:
                async for chunk in answer.stream(min_chunk_size=CHUNK):
                    await asyncio.to_thread(write, bytes(chunk))
                    size += len(chunk)
        return size, digest.hexdigest()


def _blob(digest: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise StoreError("A file was asked for by something that is no sha256.", detail=repr(digest[:100]))
    return f"blobs/{digest[:2]}/{digest}"


def _memo(key: str) -> str:
    return f"stages/{key}.json"


def _measure(path: Path) -> tuple[str, int]:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return digest, stream.tell()


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        # Another file system, or one without links.
        shutil.copyfile(source, target)
