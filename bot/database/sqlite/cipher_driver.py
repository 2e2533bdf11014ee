"""SQLAlchemy's driver for SQLite, with SQLCipher's library in the place of Python's own."""

import sqlite3
from collections.abc import Callable
from typing import Any, Final

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_dbapi

from bot.database.sqlite.file import cipher_library

CHUNK_ROWS: Final = 64
"""Rows that are fetched from the thread of a connection at once."""
ERRORS: Final = (
    "DatabaseError",
    "Error",
    "IntegrityError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
)


def cipher_driver() -> AsyncAdapt_aiosqlite_dbapi:
    """Build the driver: its errors are those of SQLCipher's library, which SQLAlchemy turns into its own."""
    library: Any = cipher_library()
    driver: Any = AsyncAdapt_aiosqlite_dbapi(aiosqlite, library)  # pyright: ignore[reportArgumentType]
    for name in (*ERRORS, "sqlite_version", "sqlite_version_info"):
        setattr(driver, name, getattr(library, name))
    return driver


def connect_in_thread(connect: Callable[[], sqlite3.Connection]) -> aiosqlite.Connection:
    """Return a connection to await; it lives in a thread that does not hold up the end of the process."""
    connection = aiosqlite.Connection(connect, CHUNK_ROWS)
    thread = getattr(connection, "_thread", None)
    if thread is not None:
        thread.daemon = True
    return connection
