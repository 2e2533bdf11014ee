"""The index of what was said."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0006"
down_revision = "0005"

FTS5 = (
    "CREATE VIRTUAL TABLE search_terms USING fts5(terms, content='search_lines', content_rowid='id', tokenize='ascii')",
    "CREATE TRIGGER search_lines_added AFTER INSERT ON search_lines BEGIN"
    " INSERT INTO search_terms(rowid, terms) VALUES (new.id, new.terms); END",
    "CREATE TRIGGER search_lines_deleted AFTER DELETE ON search_lines BEGIN"
    " INSERT INTO search_terms(search_terms, rowid, terms) VALUES ('delete', old.id, old.terms); END",
)


def upgrade() -> None:
    """Make the tables, and what finds their lines by a term."""
    is_postgres = op.get_context().dialect.name == "postgresql"
    op.create_table(
        "search_documents",
        sa.Column("job_id", sa.String(64), primary_key=True),
        sa.Column("guild_id", sa.String(20), nullable=False),
        sa.Column("channel_id", sa.String(20), nullable=False),
        sa.Column("user_id", sa.String(20), nullable=False),
        sa.Column("language", sa.String(20), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
    )
    op.create_index("search_documents_of_guild", "search_documents", ["guild_id", "channel_id"])
    op.create_table(
        "search_lines",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("job_id", sa.String(64), nullable=False, index=True),
        sa.Column("speaker", sa.String(100), nullable=False),
        sa.Column("speaker_key", sa.String(200), nullable=False),
        sa.Column("start", sa.Float, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("starts", sa.LargeBinary, nullable=False),
        sa.Column("terms", TSVECTOR() if is_postgres else sa.Text(), nullable=False),
    )
    if is_postgres:
        op.create_index("search_lines_terms", "search_lines", ["terms"], postgresql_using="gin")
        return
    for statement in FTS5:
        op.execute(statement)


def downgrade() -> None:
    """Drop them."""
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TABLE search_terms")
    op.drop_table("search_lines")
    op.drop_table("search_documents")
