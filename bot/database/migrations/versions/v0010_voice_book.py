"""The voice-book of a server: who agreed to be found by their voice, and what was found."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "voice_books",
        sa.Column("guild_id", sa.String(20), primary_key=True),
        sa.Column("enabled", sa.Float, nullable=False),
    )
    op.create_table(
        "enrolled_voices",
        sa.Column("guild_id", sa.String(20), primary_key=True),
        sa.Column("user_id", sa.String(20), primary_key=True),
        sa.Column("model", sa.String(100), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("text_version", sa.Integer, nullable=False),
        sa.Column("consented", sa.Float, nullable=False),
        sa.Column("left_at", sa.Float),
        sa.Column("confirmed", sa.Integer, nullable=False),
        sa.Column("denied", sa.Integer, nullable=False),
    )
    op.create_table(
        "voice_matches",
        sa.Column("job_id", sa.String(64), primary_key=True),
        sa.Column("speaker_id", sa.String(64), primary_key=True),
        sa.Column("guild_id", sa.String(20), nullable=False),
        sa.Column("user_id", sa.String(20), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("probability", sa.Float, nullable=False),
        sa.Column("sure", sa.Boolean, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("voice_matches", "enrolled_voices", "voice_books"):
        op.drop_table(table)
