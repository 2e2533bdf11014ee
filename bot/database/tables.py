"""The tables of the newest schema."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
)
from sqlalchemy.dialects.postgresql import TSVECTOR

METADATA = MetaData()

GUILDS = Table(
    "guild_settings",
    METADATA,
    Column("guild_id", String(20), primary_key=True),
    Column("preset", String(20)),
    Column("language", String(10)),
    Column("max_duration", Float),
    Column("jobs_at_once", Integer),
    Column("minutes_per_day_person", Integer),
    Column("minutes_per_day_guild", Integer),
    Column("roles", JSON, nullable=False),
    Column("retention_days", Integer),
    Column("member_names", Boolean, nullable=False, server_default=false()),
    Column("changed", Float, nullable=False),
)
JOBS = Table(
    "jobs",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("guild_id", String(20), nullable=False),
    Column("channel_id", String(20), nullable=False),
    Column("message_id", String(20)),
    Column("user_id", String(20), nullable=False),
    Column("job", LargeBinary),
    Column("status", String(10), nullable=False),
    Column("created", Float, nullable=False),
    Column("ended", Float),
    Column("seconds", Float),
    Column("result", LargeBinary),
    Column("receipt", LargeBinary),
    Index("jobs_of_person", "user_id", "guild_id", "created"),
    Index("jobs_by_age", "created"),
)
FILES = Table(
    "job_files",
    METADATA,
    Column("job_id", String(64), primary_key=True),
    Column("digest", String(64), primary_key=True, index=True),
)
NAMES = Table(
    "speaker_names",
    METADATA,
    Column("job_id", String(64), primary_key=True),
    Column("speaker_id", String(64), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("changed_by", String(20), nullable=False),
    Column("user_id", String(20), nullable=False, server_default=""),
    Column("changed", Float, nullable=False, server_default="0"),
)
LINKS = Table(
    "page_links",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("job_id", String(64), nullable=False, index=True),
    Column("created_by", String(20), nullable=False),
    Column("expires", Float, nullable=False),
    Column("revoked", Boolean, nullable=False),
)
EDITS = Table(
    "transcript_edits",
    METADATA,
    Column("job_id", String(64), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("author", String(20), nullable=False),
    Column("created", Float, nullable=False),
    Column("edit", LargeBinary, nullable=False),
)
GLOSSARIES = Table(
    "glossaries",
    METADATA,
    Column("guild_id", String(20), primary_key=True),
    Column("terms", JSON, nullable=False),
    Column("changed", Float, nullable=False),
)
UPLOAD_LIMITS = Table(
    "upload_limits",
    METADATA,
    Column("guild_id", String(20), primary_key=True),
    Column("bytes", BigInteger, nullable=False),
    Column("learnt", Float, nullable=False),
)
USAGE = Table(
    "usage",
    METADATA,
    Column("day", Date, primary_key=True),
    Column("guild_id", String(20), primary_key=True),
    Column("user_id", String(20), primary_key=True),
    Column("seconds", Float, nullable=False),
    Column("jobs", Integer, nullable=False),
)
SEARCH_DOCUMENTS = Table(
    "search_documents",
    METADATA,
    Column("job_id", String(64), primary_key=True),
    Column("guild_id", String(20), nullable=False),
    Column("channel_id", String(20), nullable=False),
    Column("user_id", String(20), nullable=False),
    Column("language", String(20), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created", Float, nullable=False),
    Index("search_documents_of_guild", "guild_id", "channel_id"),
)
SEARCH_LINES = Table(
    "search_lines",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("job_id", String(64), nullable=False, index=True),
    Column("speaker", String(100), nullable=False),
    Column("speaker_key", String(200), nullable=False),
    Column("start", Float, nullable=False),
    Column("text", Text, nullable=False),
    Column("starts", LargeBinary, nullable=False),
    Column("terms", Text().with_variant(TSVECTOR(), "postgresql"), nullable=False),
    Column("user_id", String(20), nullable=False, server_default=""),
)
BOT_PROCESSES = Table(
    "bot_processes",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("place", String(200), nullable=False),
    Column("seen", Float, nullable=False),
    Column("state", String(10), nullable=False),
    Column("shares", Boolean, nullable=False),
)
EVENT_CLAIMS = Table(
    "event_claims",
    METADATA,
    Column("event_id", String(20), primary_key=True),
    Column("claimed", Float, nullable=False),
)
VOICE_BOOKS = Table(
    "voice_books",
    METADATA,
    Column("guild_id", String(20), primary_key=True),
    Column("enabled", Float, nullable=False),
)
ENROLLED_VOICES = Table(
    "enrolled_voices",
    METADATA,
    Column("guild_id", String(20), primary_key=True),
    Column("user_id", String(20), primary_key=True),
    Column("model", String(100), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("vector", LargeBinary, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("text_version", Integer, nullable=False),
    Column("consented", Float, nullable=False),
    Column("left_at", Float),
    Column("confirmed", Integer, nullable=False),
    Column("denied", Integer, nullable=False),
)
VOICE_MATCHES = Table(
    "voice_matches",
    METADATA,
    Column("job_id", String(64), primary_key=True),
    Column("speaker_id", String(64), primary_key=True),
    Column("guild_id", String(20), nullable=False),
    Column("user_id", String(20), nullable=False),
    Column("name", String(100), nullable=False),
    Column("probability", Float, nullable=False),
    Column("sure", Boolean, nullable=False),
)
