"""A database in a file of SQLite, in the clear or encrypted by SQLCipher.

An encrypted file is SQLCipher's own format (AES-256-CBC with HMAC-SHA512 for each page, https://www.zetetic.net/sqlcipher/design/),
with a key derived from one of `STEMCORD_ENCRYPTION_KEYS`; the first key encrypts, the others still open.
"""

import os
import sqlite3
import sys
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from stat import S_IMODE
from types import ModuleType
from typing import Any, Final, cast

import stamina
import structlog
from filelock import FileLock, Timeout

from bot.exceptions import DatabaseError
from worker.store import Keyring

BUSY_TIMEOUT_S: Final = 10.0
"""Time that SQLite waits for another writer."""
ALONE_TIMEOUT_MS: Final = 1000
"""Time that it waits for other processes to close the file; those that run keep it open."""
OPENING_TIMEOUT_S: Final = 600.0
"""Time that another process may take to open the file, which it may encrypt then."""
PLAIN_HEADER: Final = b"SQLite format 3\0"
UNWRITABLE: Final = ("database or disk is full", "disk I/O error", "unable to open database")
"""What SQLite says of a disk that is full or cannot be written to; `sqlcipher_export` passes on no code but that."""
KEY_PURPOSE: Final = b"stemcord database"
"""Sets the key of the database apart from the keys of the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteFile:
    """A file, and the key that opens it."""

    path: Path
    key: bytes | None = field(default=None, repr=False)
    """None: it is in the clear."""

    def connect(self) -> sqlite3.Connection:
        """Connect; a wrong key shows with the first query."""
        if self.key is None:
            return sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_S)
        connection = connect_cipher(self.path)
        connection.execute(f"PRAGMA key = {_literal(self.key)}")
        return connection


def open_file(path: Path, keys: Keyring | None) -> SqliteFile:
    """Make a file ready for connections, encrypted with the first key where there are keys.

    A file in the clear is encrypted, and one of an older key is encrypted anew, unless another process has it open.

    Args:
        path: The file; it need not exist.
        keys: None: the database is in the clear.

    Returns:
        The file with the key that opens it.

    Raises:
        DatabaseError: No key opens it, or it is not encrypted yet and another process has it open.
        sqlite3.Error: The file cannot be read, or is no database.
    """
    # A link stays one: in its place, an encrypted file would leave the one in the clear where it is.
    path = path.resolve()
    try:
        with FileLock(f"{path}.lock", timeout=OPENING_TIMEOUT_S):
            file = SqliteFile(path=path) if keys is None else _open_encrypted(path, keys)
            if keys is None and _is_encrypted(path):
                raise DatabaseError(
                    "The database is encrypted, and this process has no key.",
                    hint="Set STEMCORD_ENCRYPTION_KEYS as in the process that wrote it.",
                )
            _enable_wal(file)
            return file
    except Timeout as error:
        raise DatabaseError("Another process has been opening the database for minutes.") from error


def connect_cipher(path: Path) -> sqlite3.Connection:
    """Connect by SQLCipher, whose connections are like those of `sqlite3`."""
    return cast("sqlite3.Connection", cipher_library().connect(path, timeout=BUSY_TIMEOUT_S))


def cipher_library() -> ModuleType:
    """Load SQLCipher: a database in the clear does without."""
    from sqlcipher3 import dbapi2  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

    return cast("ModuleType", dbapi2)


def errors_of_sqlite() -> tuple[type[Exception], ...]:
    """Return the roots of the errors of both libraries, as far as they are loaded."""
    cipher: Any = sys.modules.get("sqlcipher3.dbapi2")
    return (sqlite3.Error,) if cipher is None else (sqlite3.Error, cipher.Error)


def database_key(key: bytes) -> bytes:
    """Derive the key of a database from one of the settings' (HKDF-SHA256, RFC 5869).

    Args:
        key: 32 bytes.

    Returns:
        32 other bytes.
    """
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=len(key), salt=None, info=KEY_PURPOSE).derive(key)


def _open_encrypted(path: Path, keys: Keyring) -> SqliteFile:
    current = database_key(keys.key(keys.current))
    file = SqliteFile(path=path, key=current)
    if not path.exists() or not path.stat().st_size:
        return file
    if not _is_encrypted(path):
        _encrypt(path, current)
        return file
    others = (database_key(key) for key_id, key in keys.keys.items() if key_id != keys.current)
    found = _find_key(file, (current, *others))
    return file if found.key == current or _change_key(found, current) else found


def _find_key(file: SqliteFile, keys: Iterable[bytes]) -> SqliteFile:
    """Return the file with the first key that opens it."""
    for key in keys:
        tried = replace(file, key=key)
        try:
            with closing(tried.connect()) as connection:
                # The library would write a wrong key to standard error as a damaged file.
                connection.execute("PRAGMA cipher_log_level = NONE")
                connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
        except errors_of_sqlite() as error:
            if _code(error) != sqlite3.SQLITE_NOTADB:
                raise
        else:
            return tried
    raise DatabaseError(
        "The database is encrypted with a key that is not here, or its file is no database.",
        hint="Add the key that it was encrypted with to STEMCORD_ENCRYPTION_KEYS, after the first one.",
    )


def _encrypt(path: Path, key: bytes) -> None:
    """Encrypt a database in the clear; the file that is there changes at the end, at once."""
    partial = path.with_name(f"{path.name}.encrypting")
    partial.unlink(missing_ok=True)
    try:
        _write_encrypted(path, partial, key)
    except (*errors_of_sqlite(), OSError) as error:
        partial.unlink(missing_ok=True)
        if not isinstance(error, OSError) and not any(words in str(error) for words in UNWRITABLE):
            raise
        raise DatabaseError(
            "The database is to be encrypted, and there is no room for that beside it.",
            hint="Make room for as much again in its folder, which has to be one that can be written to.",
            detail=type(error).__name__,
        ) from error
    structlog.get_logger(__name__).info("database_encrypted")


def _write_encrypted(path: Path, partial: Path, key: bytes) -> None:
    with closing(connect_cipher(path)) as connection:
        if not _take_alone(connection):
            raise DatabaseError(
                "The database is to be encrypted, and another process has it open.",
                hint="Stop the other bot, start this one, then start the other one with the same keys.",
            )
        connection.execute(f"ATTACH DATABASE ? AS encrypted KEY {_literal(key)}", (str(partial),))
        connection.execute("SELECT sqlcipher_export('encrypted')")
        connection.execute("DETACH DATABASE encrypted")
        partial.chmod(S_IMODE(path.stat().st_mode))
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(path)


def _change_key(file: SqliteFile, key: bytes) -> bool:
    """Encrypt a database with another key; False where another process has it open."""
    with closing(file.connect()) as connection:
        if not _take_alone(connection):
            structlog.get_logger(__name__).warning("database_has_an_older_key", hint="restart without another bot")
            return False
        connection.execute(f"PRAGMA rekey = {_literal(key)}")
    structlog.get_logger(__name__).info("database_key_changed")
    return True


def _take_alone(connection: sqlite3.Connection) -> bool:
    """Keep all other connections out until this one closes; False where there is one."""
    connection.isolation_level = None
    try:
        connection.execute(f"PRAGMA busy_timeout = {ALONE_TIMEOUT_MS}")
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        # The first transaction takes the lock, and the mode keeps it.
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")
    except errors_of_sqlite() as error:
        if _is_busy(error):
            return False
        raise
    return bool(mode == "delete")


def _is_encrypted(path: Path) -> bool:
    """Tell whether a file has something in it that is no database in the clear."""
    if not path.exists():
        return False
    with path.open("rb") as file:
        head = file.read(len(PLAIN_HEADER))
    return bool(head) and head != PLAIN_HEADER


def _is_busy(error: Exception) -> bool:
    return isinstance(error, errors_of_sqlite()) and _code(error) & 0xFF == sqlite3.SQLITE_BUSY


def _code(error: Exception) -> int:
    return int(getattr(error, "sqlite_errorcode", 0) or 0)


@stamina.retry(on=_is_busy, attempts=None, timeout=BUSY_TIMEOUT_S, wait_initial=0.02, wait_max=0.2)
def _enable_wal(file: SqliteFile) -> None:
    """Let readers work beside a writer; SQLite does not wait for another process that does the same."""
    with closing(file.connect()) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def _literal(key: bytes) -> str:
    """Return a key as SQLCipher reads one that is no passphrase: hexadecimal digits and nothing else."""
    return f"\"x'{key.hex()}'\""
