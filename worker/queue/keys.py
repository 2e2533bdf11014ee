"""Names of all Redis keys."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from arq.constants import in_progress_key_prefix, job_key_prefix, retry_key_prefix

from worker.protocol import WorkerKind

QueueKind: TypeAlias = WorkerKind | Literal["part"]
"""What is in a queue: jobs, stages for asr workers, stages that any media worker may take."""

RECORD_TTL_S: Final = 7 * 24 * 3600
"""How long the record of an ended job is kept."""
STAGE_RECORD_TTL_S: Final = 120
"""The same of a stage, whose events have words of the clip: longer than whoever follows it may lack the broker."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that belong to one queue."""

    kind: QueueKind

    @property
    def queue(self) -> str:
        """Name of the arq queue."""
        return f"stemcord:{self.kind}"

    @property
    def function(self) -> str:
        """Name of the arq function that runs a job of this kind, given its id."""
        return f"perform_{self.kind}"

    @property
    def index(self) -> str:
        """Key of the sorted set of all known jobs, by time of submission."""
        return f"stemcord:{self.kind}:jobs"

    @property
    def active(self) -> str:
        """Key of the sorted set of jobs that have not ended."""
        return f"stemcord:{self.kind}:active"

    @property
    def record_prefix(self) -> str:
        """Start of the keys of all records."""
        return f"stemcord:{self.kind}:job:"

    @property
    def ended_ttl_s(self) -> int:
        """How long record and events are kept of what has ended, in seconds."""
        return RECORD_TTL_S if self.kind == "media" else STAGE_RECORD_TTL_S

    @property
    def keeps_dead(self) -> bool:
        """Whether people look after what was put aside; a stage is run again with its job."""
        return self.kind == "media"

    def record(self, job_id: str) -> str:
        """Key of the hash that holds a job's record."""
        return f"{self.record_prefix}{job_id}"

    def events(self, job_id: str) -> str:
        """Key of the stream of a job's events."""
        return f"stemcord:{self.kind}:events:{job_id}"

    def lease(self, job_id: str) -> str:
        """Key that exists while the worker of a running job is alive."""
        return f"stemcord:{self.kind}:lease:{job_id}"

    def followers(self, job_id: str) -> str:
        """Key of the set of jobs that wait for a stage."""
        return f"stemcord:{self.kind}:followers:{job_id}"

    def follower(self, job_id: str) -> str:
        """Key that exists while the command that follows a job gives signs of life."""
        return f"stemcord:{self.kind}:follower:{job_id}"

    def share(self, owner: str) -> str:
        """Key of the place up to which the jobs of a server or person reach."""
        return f"stemcord:{self.kind}:share:{owner}"

    @property
    def pace(self) -> str:
        """Key of the seconds that jobs run for each second of their weight."""
        return f"stemcord:{self.kind}:pace"

    def arq_keys(self, job_id: str) -> list[str]:
        """Keys in which arq keeps a job: in-progress mark, queue, job, number of tries."""
        return [in_progress_key_prefix + job_id, self.queue, job_key_prefix + job_id, retry_key_prefix + job_id]


UNDELIVERED: Final = "stemcord:undelivered"
"""Sorted set of jobs whose answer a person still waits for."""
ENGINE_PREFIX: Final = "stemcord:engines:"
"""Start of the key of the set of jobs in the engines of a worker; the name of the worker follows."""
WORKERS: Final = "stemcord:workers"
"""Sorted set of live workers, as `kind/name`, by their last heartbeat."""
MEDIA: Final = Keys("media")
ASR: Final = Keys("asr")
PART: Final = Keys("part")
