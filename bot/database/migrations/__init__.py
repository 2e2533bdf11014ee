"""Alembic's environment and the versions of the schema; run by `bot.database.upgrade.migrate`."""
