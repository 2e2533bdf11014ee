"""Keeps the records in step with the queue: a place before a job, its end, and what was missed meanwhile."""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog

from bot.ack_deadline import ack_deadline
from bot.database.engine import DatabaseError
from bot.database.models import InterruptedJobs, StoredStatus
from bot.database.repository import Repository
from pipeline.errors import QueueError
from pipeline.types import Result
from worker.protocol import PREFETCH_PREFIX, Event, Finished, Job, Stopped
from worker.queue import Queue

RECONCILE_INTERVAL_S: Final = 600.0
"""Seconds between two looks for what was missed and for what has been kept long enough."""


class JobSync:
    """One for the bot."""

    def __init__(self, repository: Repository, queue: Queue) -> None:
        self._repository = repository
        self._queue = queue

    @asynccontextmanager
    async def reserve(self, user_id: str, guild_id: str | None, channel_id: str) -> AsyncGenerator[str]:
        """The id of a job that counts from now on; when the body fails, it counts no longer.

        When the body is cancelled, since the bot stops, the place stays for the next start to tell its person.
        Raises `QuotaError` when a limit is reached, and `DatabaseError`.
        """
        job_id = uuid.uuid4().hex
        try:
            await self._take_slot(job_id, user_id, guild_id, channel_id)
            yield job_id
        except Exception:
            with suppress(DatabaseError):
                await self._repository.release(job_id)
            raise

    async def acknowledge(self, job: Job) -> None:
        """Its message is there, its clip is not yet. Raises `DatabaseError`."""
        await self._repository.acknowledge(job)

    async def _take_slot(self, job_id: str, user_id: str, guild_id: str | None, channel_id: str) -> None:
        async with ack_deadline():
            refused = await self._repository.reserve(
                job_id, user_id=user_id, guild_id=guild_id, channel_id=channel_id, now=time.time()
            )
        if refused is not None:
            raise refused.error()

    async def record(self, job: Job) -> None:
        """Before it is handed in. Raises `DatabaseError`."""
        await self._repository.add_job(job)

    async def record_start(self, job_id: str) -> None:
        """A worker has taken it."""
        with suppress(DatabaseError):
            await self._repository.start_job(job_id)

    async def record_end(self, job_id: str, event: Event | None) -> None:
        """How a job ended, None when it was lost; what cannot be written now is made up for later."""
        status, result = _outcome(event)
        with suppress(DatabaseError):
            await self._repository.end_job(job_id, status, result)

    async def interrupted_jobs(self, before: float) -> InterruptedJobs:
        """What an earlier process acknowledged without handing it in, or handed in without the queue having it.

        Raises `DatabaseError` and `QueueError`.
        """
        left = await self._repository.interrupted_jobs(before)
        unknown = [job for job in left.submitted if await self._queue.state(job.id) is None]
        return InterruptedJobs(acknowledged=left.acknowledged, submitted=unknown)

    async def release(self, job_id: str) -> None:
        """Nothing is kept of a job that was not handed in. Raises `DatabaseError`."""
        await self._repository.release(job_id)

    async def run(self) -> None:
        """Look again and again for what was missed, until cancelled."""
        while True:
            with suppress(DatabaseError, QueueError):
                await self.reconcile(time.time())
            await asyncio.sleep(RECONCILE_INTERVAL_S)

    async def reconcile(self, now: float) -> None:
        """Close jobs whose end was missed, forget those kept long enough. Raises `DatabaseError` and `QueueError`."""
        for job_id in await self._repository.open_jobs(now):
            state = await self._queue.state(job_id)
            if state is None or state.status not in ("queued", "running"):
                await self.record_end(job_id, None if state is None else await self._last_event(job_id))
        gone = await self._repository.forget_expired(now)
        for job_id in gone:
            await self._queue.discard(job_id)
            await self._queue.discard(f"{PREFETCH_PREFIX}{job_id}")
        if gone:
            structlog.get_logger(__name__).info("jobs_forgotten", count=len(gone))

    async def _last_event(self, job_id: str) -> Event | None:
        last: Event | None = None
        async for event in self._queue.events(job_id):
            last = event
        return last


def _outcome(event: Event | None) -> tuple[StoredStatus, Result | None]:
    match event:
        case Finished(result=result):
            return StoredStatus.FINISHED, result
        case Stopped():
            return StoredStatus.STOPPED, None
        case _:
            return StoredStatus.FAILED, None
