"""How far a job is, from its events."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pipeline.types import Artefact, DraftLine
from worker.protocol import Event, Progressed, Started


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProgress:
    """Progress of a job, from its events."""

    attempt: int = 0
    """0: no worker has taken it yet."""
    position: int | None = None
    wait_s: float | None = None
    """Seconds until a job that waits is begun; None: unknown."""
    fractions: Mapping[str, float] = field(default_factory=dict[str, float])
    """Done part by stage, in the order in which stages started."""
    remaining: Mapping[str, float | None] = field(default_factory=dict[str, float | None])
    """Remaining seconds by stage; None: unknown."""
    draft: tuple[DraftLine, ...] = ()
    """How the transcript begins, as first heard."""
    files: tuple[Artefact, ...] = ()
    """What can be heard already."""

    def apply(self, event: Event) -> "JobProgress":
        """Return the progress after an event."""
        match event:
            case Started(attempt=attempt):
                return replace(self, attempt=attempt, position=None)
            case Progressed(progress=progress):
                fractions = {**self.fractions, progress.stage: progress.fraction}
                remaining = {**self.remaining, progress.stage: progress.remaining}
                return replace(
                    self,
                    attempt=max(self.attempt, 1),
                    fractions=fractions,
                    remaining=remaining,
                    draft=progress.draft or self.draft,
                    files=tuple({file.name: file for file in (*self.files, *progress.files)}.values()),
                )
            case _:
                return self


class RunningJobs:
    """The progress of the jobs that the bot follows."""

    def __init__(self) -> None:
        self._progress: dict[str, JobProgress] = {}

    def get(self, job_id: str) -> JobProgress | None:
        """Return how far a job is; None for one that has ended or waits."""
        return self._progress.get(job_id)

    def apply(self, job_id: str, event: Event) -> None:
        """Take note of an event of a job."""
        self._progress[job_id] = self._progress.get(job_id, JobProgress()).apply(event)

    def end(self, job_id: str) -> None:
        """Forget a job that has ended."""
        self._progress.pop(job_id, None)
