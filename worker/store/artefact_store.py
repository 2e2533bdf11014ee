"""The artefact store: files by the sha256 of their bytes, in a folder, in memory or in an S3 bucket."""

import asyncio
import contextlib
import hashlib
import os
import re
import uuid
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, cast
from urllib.parse import urlsplit
from urllib.request import url2pathname

import obstore
from obstore.store import LocalStore, MemoryStore, ObjectStore, from_url

from pipeline.errors import DamagedFileError, StoreError
from pipeline.types import Artefact
from worker.store.blob_copy import TRANSFER_CHUNK_BYTES, copy_blob, download_blob, measure, protect
from worker.store.errors import store_errors
from worker.store.garbage_collection import IsReferenced, not_in_results, release_job, release_target, release_unclaimed
from worker.store.keys import VALUE_MAGIC, Keyring, encrypted_path, no_keys, require_keys
from worker.store.media_types import media_type_of
from worker.store.private_home import PRIVATE_MODE
from worker.store.references import References
from worker.telemetry.current import span

if TYPE_CHECKING:
    from worker.store.encrypted_files import EncryptedFiles

STREAM_CHUNK_BYTES: Final = 256 * 1024
"""Size of the pieces in which a stream is read."""
REQUEST_TIMEOUT: Final = timedelta(minutes=5)
"""For one request, and so for one part of a large file."""
TRANSFER_TIMEOUT_S: Final = 3600.0
"""For a whole file."""
SMALL_REQUEST_TIMEOUT_S: Final = 60.0
"""For anything smaller than a whole file."""


class Store:
    """Keeps all clips and results. Every method raises `StoreError` when the store cannot do what was asked."""

    def __init__(self, remote: ObjectStore, folder: Path | None, keys: Keyring | None = None) -> None:
        self._remote = remote
        self._folder = folder
        self._keys = keys
        self._encrypted = None if keys is None else _encrypted_files(remote, keys)
        self.references = References(remote, folder)
        """Which jobs and cache entries still need a file or cache entry."""

    @classmethod
    def open(cls, url: str, keys: Keyring | None = None) -> Self:
        """Open a store.

        Args:
            url: `file:///folder` (created when missing), `s3://bucket/prefix`, the address of another cloud that
                obstore knows, or `memory://`.
            keys: Encrypt what is put into it, and decrypt what was; None: nothing is encrypted.
        """
        with store_errors("opened"):
            parts = urlsplit(url)
            if parts.scheme == "file":
                folder = Path(url2pathname(parts.path))
                folder.mkdir(mode=PRIVATE_MODE, parents=True, exist_ok=True)
                return cls(LocalStore(folder), folder, keys)
            if parts.scheme == "memory":
                return cls(MemoryStore(), None, keys)
            # Options given here replace those that the library reads from the environment.
            plain = os.environ.get("AWS_ALLOW_HTTP", "").lower() in ("1", "true")
            options = {"timeout": REQUEST_TIMEOUT, "connect_timeout": timedelta(seconds=10), "allow_http": plain}
            checked = {"checksum_algorithm": "SHA256"} if parts.scheme == "s3" and not _names_checksum() else {}
            return cls(from_url(url, client_options=cast("Any", options), **cast("Any", checked)), None, keys)

    async def put(self, path: Path, *, name: str, media_type: str | None = None) -> Artefact:
        """Store a file; equal bytes are stored once.

        Args:
            path: The file.
            name: The name that people will see.
            media_type: Guessed from the name by default.
        """
        with span("store put") as running, store_errors(f"given {name}"):
            digest, size = await asyncio.to_thread(measure, path)
            artefact = Artefact(name=name, digest=digest, size=size, media_type=media_type or media_type_of(name))
            running.set("stemcord.bytes", size)
            if await self._is_whole(artefact):
                return artefact
            if self._encrypted is not None:
                await self._encrypted.put(path, digest)
            else:
                async with asyncio.timeout(TRANSFER_TIMEOUT_S):
                    await obstore.put_async(
                        self._remote, _blob(digest), path, chunk_size=TRANSFER_CHUNK_BYTES, max_concurrency=4
                    )
                if self._folder is not None:
                    await asyncio.to_thread(protect, self._folder / _blob(digest))
            return artefact

    async def fetch(self, artefact: Artefact, target: Path) -> Path:
        """Copy a file to `target`, whole or not at all.

        The copy is checked against its digest; a file of the store that fails that is removed from it.

        Raises:
            DamagedFileError: The file is not what it was.
        """
        partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        attributes = {"stemcord.bytes": artefact.size}
        with span("store fetch", attributes=attributes), store_errors(f"asked for {artefact.name}"):
            try:
                if await self._copy(artefact, partial) != (artefact.size, artefact.digest):
                    raise await self._drop_damaged(artefact)
                await asyncio.to_thread(partial.replace, target)
            except FileNotFoundError:
                await require_keys(self._remote, artefact.digest, self._keys)
                raise
            finally:
                with contextlib.suppress(FileNotFoundError):
                    partial.unlink()
        return target

    async def read(self, artefact: Artefact, *, max_bytes: int) -> bytes:
        """Read a small file of at most `max_bytes` bytes."""
        if artefact.size > max_bytes:
            raise StoreError(f"{artefact.name} is larger than the {max_bytes} bytes that may be read at once.")
        if self._encrypted is not None and await self._encrypted_size(artefact.digest) is not None:
            try:
                return b"".join([piece async for piece in self.stream(artefact, 0, artefact.size)])
            except DamagedFileError as error:
                raise await self._drop_damaged(artefact) from error
        with store_errors(f"asked for {artefact.name}"):
            try:
                data = await self._get(_blob(artefact.digest))
            except FileNotFoundError:
                await require_keys(self._remote, artefact.digest, self._keys)
                raise
        if hashlib.sha256(data).hexdigest() != artefact.digest:
            raise await self._drop_damaged(artefact)
        return data

    async def stream(self, artefact: Artefact, start: int, end: int) -> AsyncGenerator[bytes]:
        """Yield the bytes from `start` up to but without `end`. Damage is not detected."""
        with store_errors(f"asked for {artefact.name}"):
            if start >= end:
                return
            if self._encrypted is not None and (found := await self._encrypted.size(artefact.digest)) is not None:
                if found != artefact.size:
                    raise DamagedFileError(f"{artefact.name} was cut off in the store.", detail=artefact.digest)
                async for piece in self._encrypted.stream(artefact.digest, artefact.size, start, end):
                    # A reader who takes no more than a player needs has a time limit for each.
                    for at in range(0, len(piece), STREAM_CHUNK_BYTES):
                        yield piece[at : at + STREAM_CHUNK_BYTES]
                return
            try:
                async with asyncio.timeout(SMALL_REQUEST_TIMEOUT_S):
                    wanted = _blob(artefact.digest)
                    answer = await obstore.get_async(self._remote, wanted, options={"range": (start, end)})
            except FileNotFoundError:
                await require_keys(self._remote, artefact.digest, self._keys)
                raise
            pieces = aiter(answer.stream(min_chunk_size=STREAM_CHUNK_BYTES))
            while True:
                async with asyncio.timeout(SMALL_REQUEST_TIMEOUT_S):
                    piece = await anext(pieces, None)
                if piece is None:
                    return
                yield bytes(piece)

    async def has_digest(self, digest: str) -> bool:
        """Tell whether a file with this digest is stored."""
        return await self._size(digest) is not None

    async def contains(self, artefact: Artefact) -> bool:
        """Tell whether a file is stored with all its bytes."""
        return await self._size(artefact.digest) == artefact.size

    async def delete(self, digest: str) -> None:
        """Delete the file with this digest, if it is stored; cache entries that name it become invalid."""
        # Also where nothing is encrypted any more, or by others: what a person wants deleted goes.
        for path in (_blob(digest), encrypted_path(digest)):
            with store_errors("told to delete a file"), contextlib.suppress(FileNotFoundError):
                async with asyncio.timeout(SMALL_REQUEST_TIMEOUT_S):
                    await obstore.delete_async(self._remote, path)

    async def put_cache_entry(self, key: str, value: bytes) -> None:
        """Store the encoded result of a stage under its cache key."""
        with store_errors("given a cache entry"):
            if self._keys is not None:
                value = self._keys.encrypt_value(value, key.encode())
            async with asyncio.timeout(SMALL_REQUEST_TIMEOUT_S):
                await obstore.put_async(self._remote, _cache_entry(key), value)

    async def get_cache_entry(self, key: str) -> bytes | None:
        """Read what is stored under a cache key; None when there is nothing."""
        with store_errors("asked for a cache entry"):
            try:
                value = await self._get(_cache_entry(key))
            except FileNotFoundError:
                return None
            if not value.startswith(VALUE_MAGIC):
                return value
            if self._keys is None:
                raise no_keys()
            return self._keys.decrypt_value(value, key.encode())

    async def delete_cache_entry(self, key: str) -> None:
        """Delete what is stored under a cache key, if anything."""
        with store_errors("told to delete a cache entry"), contextlib.suppress(FileNotFoundError):
            async with asyncio.timeout(SMALL_REQUEST_TIMEOUT_S):
                await obstore.delete_async(self._remote, _cache_entry(key))

    async def release_job(self, job_id: str, is_referenced: IsReferenced) -> None:
        """Delete everything that a job used and nothing else needs.

        Args:
            job_id: The job.
            is_referenced: Tells whether something outside of the store still refers to the file with a digest.
        """
        await release_job(self, job_id, is_referenced)

    async def release_cache_entry(self, job_id: str, key: str) -> None:
        """Delete a cache entry with its files, none of which is in any result, unless another job needs it."""
        await release_target(self, job_id, key, not_in_results)

    async def release_unclaimed(self, key: str) -> None:
        """Delete a cache entry with its files if all jobs that it was made for are deleted by now."""
        await release_unclaimed(self, key, not_in_results)

    async def _drop_damaged(self, artefact: Artefact) -> DamagedFileError:
        """Remove a damaged file, so that whoever needs it makes it again; return the error for whoever asked."""
        await self.delete(artefact.digest)
        return DamagedFileError(f"{artefact.name} is damaged in the store.", detail=artefact.digest)

    async def _is_whole(self, artefact: Artefact) -> bool:
        """Tell whether a file is stored and can be decrypted and, where that is near, whether its bytes are right."""
        if self._encrypted is not None:
            return await self._encrypted.can_read(artefact.digest, artefact.size, whole=self._folder is not None)
        if self._folder is None:
            return await self.contains(artefact)
        try:
            measured = await asyncio.to_thread(measure, self._folder / _blob(artefact.digest))
        except FileNotFoundError:
            return False
        return measured == (artefact.digest, artefact.size)

    async def _get(self, path: str) -> bytes:
        async with asyncio.timeout(SMALL_REQUEST_TIMEOUT_S):
            return bytes(await (await obstore.get_async(self._remote, path)).bytes_async())

    async def _encrypted_size(self, digest: str) -> int | None:
        with store_errors("asked for a file"):
            return None if self._encrypted is None else await self._encrypted.size(digest)

    async def _size(self, digest: str) -> int | None:
        encrypted = await self._encrypted_size(digest)
        if encrypted is not None:
            return encrypted
        with store_errors("asked for a file"):
            try:
                async with asyncio.timeout(SMALL_REQUEST_TIMEOUT_S):
                    return (await obstore.head_async(self._remote, _blob(digest)))["size"]
            except FileNotFoundError:
                return None

    async def _copy(self, artefact: Artefact, target: Path) -> tuple[int, str]:
        """Copy a file as it is; return size and sha256 of the copy."""
        if self._encrypted is not None and await self._encrypted.size(artefact.digest) is not None:
            try:
                return await self._encrypted.copy(artefact.digest, target)
            except DamagedFileError as error:
                raise await self._drop_damaged(artefact) from error
        if self._folder is not None:
            return await asyncio.to_thread(copy_blob, self._folder / _blob(artefact.digest), target)
        async with asyncio.timeout(TRANSFER_TIMEOUT_S):
            return await download_blob(self._remote, _blob(artefact.digest), target)


def _blob(digest: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise StoreError("A file was asked for by something that is no sha256.", detail=repr(digest[:100]))
    return f"blobs/{digest[:2]}/{digest}"


def _encrypted_files(remote: ObjectStore, keys: Keyring) -> "EncryptedFiles":
    # The library is loaded where something is encrypted and nowhere else.
    from worker.store.encrypted_files import EncryptedFiles

    return EncryptedFiles(remote, keys)


def _names_checksum() -> bool:
    return "AWS_CHECKSUM_ALGORITHM" in os.environ


def _cache_entry(key: str) -> str:
    return f"stages/{key}.json"
