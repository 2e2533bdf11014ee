"""Whom of the server a speaker is, beside the name; the index of what was said knows it, too."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("speaker_names", sa.Column("user_id", sa.String(20), nullable=False, server_default=""))
    op.add_column("speaker_names", sa.Column("changed", sa.Float, nullable=False, server_default="0"))
    op.add_column("search_lines", sa.Column("user_id", sa.String(20), nullable=False, server_default=""))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("search_lines", "user_id")
    op.drop_column("speaker_names", "changed")
    op.drop_column("speaker_names", "user_id")
