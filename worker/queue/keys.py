"""Names of the Redis keys, all in one place."""

from dataclasses import dataclass
from typing import Final, Literal

from arq.constants import in_progress_key_prefix, job_key_prefix, retry_key_prefix

Kind = Literal["media", "asr"]
"""What a worker works on."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Names of everything that belongs to one kind of worker."""

    kind: Kind

    @property
    def queue(self) -> str:
        """The arq queue."""
        return f"stemcord:{self.kind}"

    @property
    def function(self) -> str:
        """The arq function that takes a job of this kind by its id."""
        return f"perform_{self.kind}"

    @property
    def index(self) -> str:
        """Sorted set of all known jobs by time of submission."""
        return f"stemcord:{self.kind}:jobs"

    @property
    def active(self) -> str:
        """Sorted set of jobs that have not ended."""
        return f"stemcord:{self.kind}:active"

    def record(self, job_id: str) -> str:
        """Hash of a job."""
        return f"stemcord:{self.kind}:job:{job_id}"

    def events(self, job_id: str) -> str:
        """Stream of a job's events."""
        return f"stemcord:{self.kind}:events:{job_id}"

    def lease(self, job_id: str) -> str:
        """Present while the worker of a running job is alive."""
        return f"stemcord:{self.kind}:lease:{job_id}"

    def followers(self, job_id: str) -> str:
        """Set of the jobs that wait for a stage."""
        return f"stemcord:{self.kind}:followers:{job_id}"

    def arq(self, job_id: str) -> list[str]:
        """What arq keeps of a job: in-progress mark, queue, job, number of tries."""
        return [in_progress_key_prefix + job_id, self.queue, job_key_prefix + job_id, retry_key_prefix + job_id]


UNDELIVERED: Final = "stemcord:undelivered"
WORKERS: Final = "stemcord:workers"
MEDIA: Final = Keys("media")
ASR: Final = Keys("asr")
