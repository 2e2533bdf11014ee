"""Migrates a database to the newest schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

MIGRATIONS_FOLDER = Path(__file__).parent / "migrations"
MIGRATION_LOCK_ID = 0x57454D
"""Advisory lock of PostgreSQL, held by the process that migrates."""


def migrate(connection: Connection) -> None:
    """Run the missing migrations inside the transaction of `connection`; other processes wait."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK_ID})"))
    command.upgrade(migrations_of(connection), "head")


def migrations_of(connection: Connection) -> Config:
    """Return the migrations, to be run on a connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
