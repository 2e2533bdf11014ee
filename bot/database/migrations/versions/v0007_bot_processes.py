"""Which processes of the bot run, and which events one of them has taken while there are several."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "bot_processes",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("seen", sa.Float, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("shares", sa.Boolean, nullable=False),
    )
    op.create_table(
        "event_claims",
        sa.Column("event_id", sa.String(20), primary_key=True),
        sa.Column("claimed", sa.Float, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("event_claims")
    op.drop_table("bot_processes")
