"""What the records give and take: frozen, without any trace of the database. Ids of Discord are text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from pipeline.types import Preset, Result
from worker.protocol import Job


class StoredStatus(StrEnum):
    """How a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"


OPEN_STATUSES = (StoredStatus.QUEUED, StoredStatus.RUNNING)
"""Those that count against the limit of jobs at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuildSettings:
    """Settings of a server; None: the bot's own default."""

    guild_id: str
    preset: Preset | None = None
    language: str | None = None
    """Spoken language; None: detected."""
    max_duration: float | None = None
    """Longest clip, seconds."""
    jobs_at_once: int | None = None
    """For each person."""
    minutes_per_day_person: int | None = None
    minutes_per_day_guild: int | None = None
    roles: tuple[int, ...] = ()
    """Roles that may use the bot; empty: everybody."""
    retention_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """A job with all that its buttons need days later; `job` is as it was handed in, without its token."""

    id: str
    guild_id: str
    """Empty outside of a server."""
    channel_id: str
    message_id: str | None
    user_id: str
    job: Job
    status: StoredStatus
    created: float
    """Unix time, as are all below."""
    ended: float | None = None
    seconds: float | None = None
    """Length of the clip; None until it is known."""
    result: Result | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptedJobs:
    """What an earlier process had not brought to an end."""

    acknowledged: Sequence[Job] = ()
    """Their clips had not come in yet."""
    submitted: Sequence[Job] = ()
    """The queue has them, or was to have them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLink:
    """A link to the page of a result."""

    id: str
    job_id: str
    created_by: str
    expires: float
    """Unix time."""
    revoked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedResult:
    """A link and what is behind it."""

    link: PageLink
    record: JobRecord | None = None
    """The newest finished job in the message of the link's job; None when none is kept."""
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    """What speakers were called since, by id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyUsage:
    """What was used on a day, in UTC."""

    day: date
    seconds: float = 0.0
    jobs: int = 0
