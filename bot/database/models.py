"""What the database stores, as frozen dataclasses. Discord's ids are text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from pipeline.edits.operations import Edit
from pipeline.types import Preset, Result
from worker.protocol import Job


class StoredStatus(StrEnum):
    """Status of a job in the database."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"


OPEN_STATUSES = (StoredStatus.QUEUED, StoredStatus.RUNNING)
"""Statuses of jobs that have not ended, which count against the limit of jobs at once."""


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
    member_names: bool = False
    """Whether transcripts may use the names of the server's members."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """A job with everything that its buttons need days later; `job` is as submitted, without the interaction token."""

    id: str
    guild_id: str
    """Empty outside of a server."""
    channel_id: str
    message_id: str | None
    user_id: str
    job: Job
    status: StoredStatus
    created: float
    """Unix time, like `ended`."""
    ended: float | None = None
    seconds: float | None = None
    """Duration of the clip; None until it is known."""
    result: Result | None = None

    @property
    def message(self) -> str:
        """Name the job's message, which jobs that replace one another share."""
        return f"{self.channel_id}/{self.message_id or self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptedJobs:
    """Jobs that an earlier process did not finish."""

    acknowledged: Sequence[Job] = ()
    """Jobs whose clip was not downloaded yet."""
    submitted: Sequence[Job] = ()
    """Jobs that the queue has or should have."""


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
    """A link and what it shows."""

    link: PageLink
    record: JobRecord | None = None
    """The newest finished job in the message of the link's job, or that job itself; None when it is not kept."""
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    """Later names of speakers, by id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEdit:
    """An edit of a transcript."""

    revision: int
    """How many edits the transcript has had with it."""
    author: str
    """Id of the person; empty for one whose data was deleted."""
    created: float
    """Unix time."""
    edit: Edit


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyUsage:
    """What a person used on one UTC day."""

    day: date
    seconds: float = 0.0
    jobs: int = 0
