"""Run by Alembic inside the connection that `bot.database.upgrade.migrate` opened."""

from alembic import context

from bot.database.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
