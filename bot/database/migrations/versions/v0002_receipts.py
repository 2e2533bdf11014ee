"""What was acknowledged before its clip came in."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column."""
    op.add_column("jobs", sa.Column("receipt", sa.LargeBinary))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("jobs", "receipt")
