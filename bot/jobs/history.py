"""Finds jobs and their results.

The queue keeps a job for a week; the database keeps it as long as the server's settings say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.database.models import OPEN_STATUSES, JobRecord, StoredStatus
from bot.database.repository import Repository
from bot.voices.consent import is_recording
from pipeline.types import Result
from worker.protocol import Finished, Job, JobState, JobStatus
from worker.queue import Queue


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """A job, its status, and its result when it has one."""

    job: Job
    status: JobStatus
    position: int | None
    result: Result | None = None


class JobHistory:
    """Looks jobs up in the database and in the queue."""

    def __init__(self, queue: Queue, repository: Repository) -> None:
        self._queue = queue
        self._repository = repository

    async def find(self, job_id: str) -> HistoryEntry | None:
        """Find a job with its result; None when it is no longer stored. Raises `DatabaseError` and `QueueError`.

        For a finished one that was written again, that is the newest in its message: an older one, which a shared copy
        of the message still names, has words and names that people took back. Recordings by which people have their
        voice kept are not found.
        """
        record = await self._repository.job(job_id)
        if record is not None and is_recording(record.job):
            return None
        if record is not None and record.status is StoredStatus.FINISHED:
            record = await self._repository.newest_of_message(job_id) or record
        if record is not None and record.status not in OPEN_STATUSES:
            return _entry_from_record(record)
        state = await self._queue.state(job_id)
        if state is None or is_recording(state.job):
            return None
        result = await self._result(job_id) if state.status == "finished" else None
        return HistoryEntry(job=state.job, status=_shown_status(state), position=state.position, result=result)

    async def list_for_person(self, user_id: str, guild_id: str | None, *, limit: int) -> list[HistoryEntry]:
        """List a person's jobs in a server, or in private chats, newest first.

        Raises `DatabaseError` and `QueueError`.
        """
        mine = {
            state.job.id: HistoryEntry(job=state.job, status=_shown_status(state), position=state.position)
            for state in await self._queue.jobs()
            if (reply := state.job.reply_to) is not None
            and (reply.user_id, reply.guild_id) == (user_id, guild_id)
            and not is_recording(state.job)
        }
        older = await self._repository.jobs_of(user_id, guild_id or "", limit)
        for record in older:
            if record.status not in OPEN_STATUSES and not is_recording(record.job):
                mine.setdefault(record.id, _entry_from_record(record))
        return sorted(mine.values(), key=lambda entry: entry.job.submitted, reverse=True)[:limit]

    async def _result(self, job_id: str) -> Result | None:
        async for event in self._queue.events(job_id):
            if isinstance(event, Finished):
                return event.result
        return None


def _shown_status(state: JobState) -> JobStatus:
    return "failed" if state.status == "unreadable" else state.status


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
