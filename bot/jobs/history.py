"""Jobs that have ended, with their results, for as long as they are kept.

The queue keeps a job for a week; the bot's records keep it for as long as the server says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.database.models import OPEN_STATUSES, JobRecord, StoredStatus
from bot.database.repository import Repository
from pipeline.types import Result
from worker.protocol import Finished, Job, JobStatus
from worker.queue import Queue


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """A job, how it stands, and its result where there is one."""

    job: Job
    status: JobStatus
    position: int | None
    result: Result | None = None


class JobHistory:
    """Looks jobs up: in the records, where there are any, and in the queue."""

    def __init__(self, queue: Queue, repository: Repository) -> None:
        self._queue = queue
        self._repository = repository

    async def find(self, job_id: str) -> HistoryEntry | None:
        """The job with its result; None when it is no longer kept. Raises `QueueError`."""
        record = await self._repository.job(job_id)
        if record is not None and record.status not in OPEN_STATUSES:
            return _entry_from_record(record)
        state = await self._queue.state(job_id)
        if state is None:
            return None
        result = await self._result(job_id) if state.status == "finished" else None
        return HistoryEntry(job=state.job, status=state.status, position=state.position, result=result)

    async def list_for_person(self, user_id: str, guild_id: str | None, *, limit: int) -> list[HistoryEntry]:
        """A person's jobs in a server, or in private chats, the newest first, without results. Raises `QueueError`."""
        mine = {
            state.job.id: HistoryEntry(job=state.job, status=state.status, position=state.position)
            for state in await self._queue.jobs()
            if (reply := state.job.reply_to) is not None and (reply.user_id, reply.guild_id) == (user_id, guild_id)
        }
        older = await self._repository.jobs_of(user_id, guild_id or "", limit)
        for record in older:
            if record.status not in OPEN_STATUSES:
                mine.setdefault(record.id, _entry_from_record(record))
        return sorted(mine.values(), key=lambda entry: entry.job.submitted, reverse=True)[:limit]

    async def _result(self, job_id: str) -> Result | None:
        async for event in self._queue.events(job_id):
            if isinstance(event, Finished):
                return event.result
        return None


_STATUS: Mapping[StoredStatus, JobStatus] = MappingProxyType(
    {
        StoredStatus.QUEUED: "queued",
        StoredStatus.RUNNING: "running",
        StoredStatus.FINISHED: "finished",
        StoredStatus.FAILED: "failed",
        StoredStatus.STOPPED: "stopped",
    }
)


def _entry_from_record(record: JobRecord) -> HistoryEntry:
    return HistoryEntry(job=record.job, status=_STATUS[record.status], position=None, result=record.result)
