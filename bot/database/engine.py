"""Connects to the database: SQLite in a file, or PostgreSQL."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog
from alembic.util import CommandError
from sqlalchemy import AsyncAdaptedQueuePool, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.database.sqlite.cipher_driver import cipher_driver, connect_in_thread
from bot.database.sqlite.file import BUSY_TIMEOUT_S, SqliteFile, errors_of_sqlite, open_file
from bot.database.upgrade import migrate
from bot.exceptions import DatabaseError
from worker.store import Keyring

TRANSACTION_TIMEOUT_S: Final = 15.0
MIGRATION_TIMEOUT_S: Final = 120.0
WRITE_LOCK_ID: Final = 0x57454E
"""Advisory lock of PostgreSQL."""


class Database:
    """Opens transactions. Each raises `DatabaseError` when the database is unavailable, full or too slow."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, keys: Keyring | None = None) -> AsyncGenerator["Database"]:
        """Open a database and bring it to the newest schema.

        Args:
            url: `sqlite:///path`, `sqlite://` for one in memory, or `postgresql://…`.
            keys: Encrypt a file of SQLite; a server of PostgreSQL encrypts its own disk. None: it is in the clear.

        Raises:
            DatabaseError: It cannot be opened.

        """
        engine = await _engine(url, keys)
        database = cls(engine)
        try:
            await database._migrate()
            yield database
        finally:
            await engine.dispose()

    async def _migrate(self) -> None:
        try:
            async with self.transaction(limit_s=MIGRATION_TIMEOUT_S) as connection:
                await connection.run_sync(migrate)
        except CommandError as error:
            raise DatabaseError(
                "The database was written by a newer version of Stemcord.", hint="Update Stemcord.", detail=str(error)
            ) from error

    @asynccontextmanager
    async def transaction(self, *, limit_s: float = TRANSACTION_TIMEOUT_S) -> AsyncGenerator[AsyncConnection]:
        """Open a transaction that can write; SQLite runs one at a time, also across processes."""
        try:
            async with asyncio.timeout(limit_s), self._engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise _unavailable(getattr(error, "orig", None) or error) from error


async def lock_writes(connection: AsyncConnection) -> None:
    """Let no other transaction that calls this write until the end of this one; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({WRITE_LOCK_ID})"))


def _unavailable(error: BaseException) -> DatabaseError:
    # The detail names no values: those are personal.
    detail = type(error).__name__
    structlog.get_logger(__name__).warning("database_unavailable", detail=detail)
    return DatabaseError("The database cannot be reached.", detail=detail)


async def _engine(url: str, keys: Keyring | None) -> AsyncEngine:
    try:
        parts = make_url(url)
    except SQLAlchemyError as error:
        raise DatabaseError("STEMCORD_DATABASE_URL is not the URL of a database.", hint="Correct it.") from error
    match parts.get_backend_name():
        case "sqlite":
            path = Path(parts.database or "")
            if not parts.database:
                return _sqlite_engine(parts, None)
            _make_folder(path.parent)
            try:
                return _sqlite_engine(parts, await asyncio.to_thread(open_file, path, keys))
            except (*errors_of_sqlite(), OSError) as error:
                raise _unavailable(error) from error
        case "postgresql" | "postgres":
            return create_async_engine(
                parts.set(drivername="postgresql+asyncpg"),
                connect_args={"timeout": TRANSACTION_TIMEOUT_S, "command_timeout": TRANSACTION_TIMEOUT_S},
                pool_pre_ping=True,
                hide_parameters=True,
            )
        case other:
            raise DatabaseError(f"Databases of the kind {other} are not supported.", hint="Use SQLite or PostgreSQL.")


def _sqlite_engine(url: URL, file: SqliteFile | None) -> AsyncEngine:
    """Make the engine of a file that is ready, or of a database in memory."""
    encrypted = file is not None and file.key is not None
    options: dict[str, Any] = (
        {"module": cipher_driver(), "async_creator": partial(connect_in_thread, file.connect)}
        if file is not None and encrypted
        else {"connect_args": {"timeout": BUSY_TIMEOUT_S}}
    )
    # One connection: waiting for it is fair, while SQLite's own waiting sleeps up to 0.1 s at a time.
    engine = create_async_engine(
        url.set(drivername="sqlite+aiosqlite"),
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=TRANSACTION_TIMEOUT_S,
        hide_parameters=True,
        **options,
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _make_folder(folder: Path) -> None:
    # Before the driver tries: a connection that it cannot open leaves a thread that outlives the event loop.
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(
            "The folder of the database cannot be created.",
            hint="Check STEMCORD_HOME and STEMCORD_DATABASE_URL.",
            detail=type(error).__name__,
        ) from error


def _prepare_sqlite(connection: Any, _: object) -> None:  # noqa: ANN401 - of the driver
    # The driver must not begin transactions on its own, or two that read first could not both write.
    connection.isolation_level = None
    try:
        cursor = connection.cursor()
        for pragma in ("synchronous=NORMAL", f"busy_timeout={int(BUSY_TIMEOUT_S * 1000)}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
    except errors_of_sqlite():
        # The pool leaves a connection open that fails here, and its thread with it.
        connection.close()
        raise


def _begin_sqlite(connection: Any) -> None:  # noqa: ANN401 - of the library
    connection.exec_driver_sql("BEGIN IMMEDIATE")
