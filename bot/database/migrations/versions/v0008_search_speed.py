"""New terms of the search go into its index at once: a list of waiting ones would be read by each search."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Change the index."""
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER INDEX search_lines_terms SET (fastupdate = off)")


def downgrade() -> None:
    """Change it back."""
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER INDEX search_lines_terms SET (fastupdate = on)")
