"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "guild_settings",
        sa.Column("guild_id", sa.String(20), primary_key=True),
        sa.Column("preset", sa.String(20)),
        sa.Column("language", sa.String(10)),
        sa.Column("max_duration", sa.Float),
        sa.Column("jobs_at_once", sa.Integer),
        sa.Column("minutes_per_day_person", sa.Integer),
        sa.Column("minutes_per_day_guild", sa.Integer),
        sa.Column("roles", sa.JSON, nullable=False),
        sa.Column("retention_days", sa.Integer),
        sa.Column("changed", sa.Float, nullable=False),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("guild_id", sa.String(20), nullable=False),
        sa.Column("channel_id", sa.String(20), nullable=False),
        sa.Column("message_id", sa.String(20)),
        sa.Column("user_id", sa.String(20), nullable=False),
        sa.Column("job", sa.LargeBinary),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("ended", sa.Float),
        sa.Column("seconds", sa.Float),
        sa.Column("result", sa.LargeBinary),
    )
    op.create_index("jobs_of_person", "jobs", ["user_id", "guild_id", "created"])
    op.create_index("jobs_by_age", "jobs", ["created"])
    op.create_table(
        "job_files",
        sa.Column("job_id", sa.String(64), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True, index=True),
    )
    op.create_table(
        "speaker_names",
        sa.Column("job_id", sa.String(64), primary_key=True),
        sa.Column("speaker_id", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("changed_by", sa.String(20), nullable=False),
    )
    op.create_table(
        "page_links",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("job_id", sa.String(64), nullable=False, index=True),
        sa.Column("created_by", sa.String(20), nullable=False),
        sa.Column("expires", sa.Float, nullable=False),
        sa.Column("revoked", sa.Boolean, nullable=False),
    )
    op.create_table(
        "usage",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("guild_id", sa.String(20), primary_key=True),
        sa.Column("user_id", sa.String(20), primary_key=True),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("jobs", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("usage", "page_links", "speaker_names", "job_files", "jobs", "guild_settings"):
        op.drop_table(table)
