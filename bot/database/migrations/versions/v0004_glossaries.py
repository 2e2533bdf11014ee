"""Glossaries of servers."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "glossaries",
        sa.Column("guild_id", sa.String(20), primary_key=True),
        sa.Column("terms", sa.JSON, nullable=False),
        sa.Column("changed", sa.Float, nullable=False),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("glossaries")
