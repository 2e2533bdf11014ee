"""Files of the store, encrypted with AES-256-GCM in chunks, so that they stream and any range of them can be read.

    encrypted/<2>/<sha256>    header of 64 bytes, then for each 64 KiB of the file these bytes and a tag of 16

Each file has a key of its own, made by HKDF-SHA256 from the key of the setting, a random salt and the file's digest. A
chunk's nonce is its number, and whether it is the last one is authenticated: none can be exchanged, moved or cut off.
The header tells, by further bytes from HKDF, whether a key is the right one: what that does not decrypt is damaged.
"""

import asyncio
import hashlib
import hmac
import os
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import obstore
from cachetools import LRUCache
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from obstore.store import ObjectStore

from pipeline.errors import DamagedFileError, EncryptionKeyError
from worker.store.keys import (
    KEY_BYTES,
    MAX_ID_CHARS,
    NONCE_BYTES,
    REQUEST_TIMEOUT_S,
    Keyring,
    encrypted_path,
    wrong_key,
)

CHUNK_BYTES: Final = 64 * 1024
TAG_BYTES: Final = 16
STORED_CHUNK_BYTES: Final = CHUNK_BYTES + TAG_BYTES
MAGIC: Final = b"SCF1"
SALT_BYTES: Final = 16
CHECK_BYTES: Final = 8
HEADER_BYTES: Final = 64
TRANSFER_CHUNKS: Final = 128
"""Chunks of a whole file that are encrypted or decrypted in one go: 8 MiB, as large as the parts of a transfer."""
STREAM_CHUNKS: Final = 16
"""The same for a reader who may be slow and one of hundreds: 1 MiB."""
TRANSFER_TIMEOUT_S: Final = 3600.0
MAX_HEADERS: Final = 1000
"""Headers that are remembered, so that a range takes one request."""


@dataclass(frozen=True, slots=True)
class _FileCipher:
    """Encrypts and decrypts the chunks of one file."""

    key: AESGCM
    check: bytes
    """Tells the right key from a wrong one."""

    def encrypt(self, number: int, chunk: bytes, *, last: bool) -> bytes:
        return self.key.encrypt(number.to_bytes(NONCE_BYTES, "big"), chunk, bytes([last]))

    def decrypt(self, number: int, chunk: bytes, *, last: bool) -> bytes:
        try:
            return self.key.decrypt(number.to_bytes(NONCE_BYTES, "big"), chunk, bytes([last]))
        except InvalidTag as error:
            raise DamagedFileError("A file of the store is damaged.") from error

    def decrypt_all(self, first: int, stored: bytes, chunk_count: int) -> bytes:
        """Decrypt chunks that lie behind one another; `chunk_count`: of the whole file."""
        last = chunk_count - 1
        return b"".join(
            self.decrypt(number, stored[start : start + STORED_CHUNK_BYTES], last=number == last)
            for number, start in enumerate(range(0, len(stored), STORED_CHUNK_BYTES), first)
        )


class EncryptedFiles:
    """The encrypted files of a store.

    Args:
        remote: The store.
        keys: The keys.

    """

    def __init__(self, remote: ObjectStore, keys: Keyring) -> None:
        self._remote = remote
        self._keys = keys
        self._ciphers: LRUCache[str, _FileCipher] = LRUCache(MAX_HEADERS)

    async def put(self, path: Path, digest: str) -> None:
        """Encrypt a file into the store."""
        salt = os.urandom(SALT_BYTES)
        cipher = self._cipher(self._keys.current, salt, digest)
        header = _header(self._keys.current, salt, cipher.check)
        with await asyncio.to_thread(path.open, "rb") as source:
            size = await asyncio.to_thread(source.seek, 0, 2)
            await asyncio.to_thread(source.seek, 0)
            count, number = chunk_count(size), 0

            def encrypt_next() -> bytes:
                nonlocal number
                done: list[bytes] = []
                while number < count and len(done) < TRANSFER_CHUNKS:
                    done.append(cipher.encrypt(number, source.read(CHUNK_BYTES), last=number == count - 1))
                    number += 1
                return b"".join(done)

            async def pieces() -> AsyncGenerator[bytes]:
                yield header
                while piece := await asyncio.to_thread(encrypt_next):
                    yield piece

            async with asyncio.timeout(TRANSFER_TIMEOUT_S):
                await obstore.put_async(self._remote, encrypted_path(digest), pieces(), max_concurrency=4)
        self._ciphers.pop(digest, None)

    async def size(self, digest: str) -> int | None:
        """Return how many bytes a file has when it is decrypted; None when it is not here."""
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                return plain_size((await obstore.head_async(self._remote, encrypted_path(digest)))["size"])
        except FileNotFoundError:
            return None

    async def can_read(self, digest: str, size: int, *, whole: bool) -> bool:
        """Tell whether a file is here with so many bytes and its key; `whole`: and every byte can be decrypted."""
        if await self.size(digest) != size:
            return False
        self._ciphers.pop(digest, None)
        try:
            await self._open(digest)
            async for _ in self.stream(digest, size, 0, size if whole else 0, chunks=TRANSFER_CHUNKS):
                pass
        except (DamagedFileError, EncryptionKeyError):
            return False
        return True

    async def copy(self, digest: str, target: Path) -> tuple[int, str]:
        """Decrypt a file to a place on this machine; return its size and the sha256 of its bytes."""
        size = await self.size(digest)
        if size is None:
            raise FileNotFoundError(digest)
        measured = hashlib.sha256()

        def write(piece: bytes) -> None:
            measured.update(piece)
            stream.write(piece)

        with await asyncio.to_thread(target.open, "wb") as stream:
            async for piece in self.stream(digest, size, 0, size, chunks=TRANSFER_CHUNKS):
                await asyncio.to_thread(write, piece)
        return size, measured.hexdigest()

    async def stream(
        self, digest: str, size: int, start: int, end: int, *, chunks: int = STREAM_CHUNKS
    ) -> AsyncGenerator[bytes]:
        """Yield the bytes from `start` up to but without `end`, of `size`, `chunks` at a time.

        Raises:
            DamagedFileError: The file is not what it was.
            EncryptionKeyError: Its key is not here, or another one of that id.

        """
        count = chunk_count(size)
        for first, behind in _steps(start // CHUNK_BYTES, -(-end // CHUNK_BYTES), chunks):
            place = HEADER_BYTES + first * STORED_CHUNK_BYTES
            until = min(HEADER_BYTES + behind * STORED_CHUNK_BYTES, stored_size(size))
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                stored = await obstore.get_range_async(self._remote, encrypted_path(digest), start=place, end=until)
            plain = await self._decrypt(digest, first, bytes(stored), count)
            offset = first * CHUNK_BYTES
            yield plain[max(start - offset, 0) : end - offset]

    async def _decrypt(self, digest: str, first: int, stored: bytes, count: int) -> bytes:
        known = digest in self._ciphers
        try:
            return await asyncio.to_thread((await self._open(digest)).decrypt_all, first, stored, count)
        except (DamagedFileError, EncryptionKeyError):
            if not known:
                raise
            # Another process may have deleted the file and put it again, with another header.
            self._ciphers.pop(digest, None)
            return await asyncio.to_thread((await self._open(digest)).decrypt_all, first, stored, count)

    async def _open(self, digest: str) -> _FileCipher:
        known = self._ciphers.get(digest)
        if known is None:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                header = bytes(
                    await obstore.get_range_async(self._remote, encrypted_path(digest), start=0, end=HEADER_BYTES)
                )
            key_id, salt, check = _read_header(header)
            known = self._cipher(key_id, salt, digest)
            if not hmac.compare_digest(known.check, check):
                raise wrong_key(key_id)
            self._ciphers[digest] = known
        return known

    def _cipher(self, key_id: str, salt: bytes, digest: str) -> _FileCipher:
        info = b"stemcord file " + digest.encode()
        hkdf = HKDF(algorithm=SHA256(), length=KEY_BYTES + CHECK_BYTES, salt=salt, info=info)
        derived = hkdf.derive(self._keys.key(key_id))
        return _FileCipher(AESGCM(derived[:KEY_BYTES]), derived[KEY_BYTES:])


def chunk_count(size: int) -> int:
    """Return how many chunks a file has; an empty one has an empty chunk."""
    return max(1, -(-size // CHUNK_BYTES))


def stored_size(size: int) -> int:
    """Return how many bytes a file takes when it is encrypted."""
    return HEADER_BYTES + size + chunk_count(size) * TAG_BYTES


def plain_size(stored: int) -> int:
    """Return how many bytes an encrypted file has when it is decrypted."""
    body = stored - HEADER_BYTES
    return body - max(1, -(-body // STORED_CHUNK_BYTES)) * TAG_BYTES


def _header(key_id: str, salt: bytes, check: bytes) -> bytes:
    name = key_id.encode()
    return (MAGIC + bytes([len(name)]) + name.ljust(MAX_ID_CHARS, b"\0") + salt + check).ljust(HEADER_BYTES, b"\0")


def _read_header(header: bytes) -> tuple[str, bytes, bytes]:
    """Return the key's id, the salt and what tells the right key."""
    name = header[len(MAGIC) + 1 :][:MAX_ID_CHARS]
    salt = header[len(MAGIC) + 1 + MAX_ID_CHARS :][:SALT_BYTES]
    check = header[len(MAGIC) + 1 + MAX_ID_CHARS + SALT_BYTES :][:CHECK_BYTES]
    if not header.startswith(MAGIC) or len(check) < CHECK_BYTES:
        raise DamagedFileError("A file of the store is no encrypted file.")
    return name[: header[len(MAGIC)]].decode("ascii", "replace"), salt, check


def _steps(first: int, behind: int, chunks: int) -> Generator[tuple[int, int]]:
    for start in range(first, behind, chunks):
        yield start, min(start + chunks, behind)
