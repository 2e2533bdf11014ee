"""Voice-books on SQLite and on a PostgreSQL of the test's own."""

from tests.bot.database.conftest import database_url, postgres

__all__ = ["database_url", "postgres"]
