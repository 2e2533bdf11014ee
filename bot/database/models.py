"""What the records give and take: frozen, without any trace of the database. Ids of Discord are text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from pipeline.types import Result
from worker.protocol import Job


class JobEnd(StrEnum):
    """How a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"


OPEN = (JobEnd.QUEUED, JobEnd.RUNNING)
"""Those that count against the limit of jobs at once."""


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
    status: JobEnd
    created: float
    """Unix time, as are all below."""
    ended: float | None = None
    seconds: float | None = None
    """Length of the clip; None until it is known."""
    result: Result | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBehind:
    """What an earlier process had not brought to an end."""

    acknowledged: Sequence[Job] = ()
    """Their clips had not come in yet."""
    handed_in: Sequence[Job] = ()
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
class Usage:
    """What was used on a day, in UTC."""

    day: date
    seconds: float = 0.0
    jobs: int = 0
