"""Run by Alembic inside the connection that `bot.records.schema.migrate` opened."""

from alembic import context

from bot.records.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
