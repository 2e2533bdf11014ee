"""How large a file each server takes, as far as it was found out."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "upload_limits",
        sa.Column("guild_id", sa.String(20), primary_key=True),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("learnt", sa.Float, nullable=False),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("upload_limits")
