"""Jobs that have ended, with their results, for as long as they are kept.

The queue keeps a job for a week; the bot's records keep it for as long as the server says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from bot.database.models import OPEN, JobEnd, JobRecord
from pipeline.types import Result
from worker.protocol import Finished, Job, JobStatus
from worker.queue import Queue


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A job, how it stands, and its result where there is one."""

    job: Job
    status: JobStatus
    position: int | None
    result: Result | None = None


class Ledger(Protocol):
    """The bot's records, as far as they are read here."""

    async def job(self, job_id: str) -> JobRecord | None:
        """A job, None when it is unknown."""
        ...

    async def jobs_of(self, user_id: str, guild_id: str | None, limit: int) -> list[JobRecord]:
        """A person's jobs in a server, the newest first; empty: in private chats, None: everywhere."""
        ...


class Archive:
    """Looks jobs up: in the records, where there are any, and in the queue."""

    def __init__(self, queue: Queue, ledger: Ledger | None = None) -> None:
        self._queue = queue
        self._ledger = ledger

    async def find(self, job_id: str) -> Kept | None:
        """The job with its result; None when it is no longer kept. Raises `QueueError`."""
        record = None if self._ledger is None else await self._ledger.job(job_id)
        if record is not None and record.status not in OPEN:
            return _kept(record)
        state = await self._queue.state(job_id)
        if state is None:
            return None
        result = await self._result(job_id) if state.status == "finished" else None
        return Kept(job=state.job, status=state.status, position=state.position, result=result)

    async def of_person(self, user_id: str, guild_id: str | None, *, limit: int) -> list[Kept]:
        """A person's jobs in a server, or in private chats, the newest first, without results. Raises `QueueError`."""
        mine = {
            state.job.id: Kept(job=state.job, status=state.status, position=state.position)
            for state in await self._queue.jobs()
            if (reply := state.job.reply_to) is not None and (reply.user_id, reply.guild_id) == (user_id, guild_id)
        }
        older = [] if self._ledger is None else await self._ledger.jobs_of(user_id, guild_id or "", limit)
        for record in older:
            if record.status not in OPEN:
                mine.setdefault(record.id, _kept(record))
        return sorted(mine.values(), key=lambda kept: kept.job.submitted, reverse=True)[:limit]

    async def _result(self, job_id: str) -> Result | None:
        async for event in self._queue.events(job_id):
            if isinstance(event, Finished):
                return event.result
        return None


_STATUS: Mapping[JobEnd, JobStatus] = MappingProxyType(
    {
        JobEnd.QUEUED: "queued",
        JobEnd.RUNNING: "running",
        JobEnd.FINISHED: "finished",
        JobEnd.FAILED: "failed",
        JobEnd.STOPPED: "stopped",
    }
)


def _kept(record: JobRecord) -> Kept:
    return Kept(job=record.job, status=_STATUS[record.status], position=None, result=record.result)
