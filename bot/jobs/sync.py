"""Keeps the database in step with the queue: reserved slots, starts and ends of jobs, and what was missed."""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog

from bot.database.deletion import DataDeletion
from bot.database.models import OPEN_STATUSES, InterruptedJobs, StoredStatus
from bot.database.repository import Repository
from bot.exceptions import DatabaseError
from bot.jobs.quotas import Cost
from bot.retry import ack_deadline
from pipeline.errors import QueueError
from pipeline.types import Result
from worker.protocol import PREFETCH_PREFIX, Event, Finished, Job, Stopped
from worker.queue import Queue

RECONCILE_INTERVAL_S: Final = 600.0
"""Time between two searches for missed ends and expired jobs."""


class JobSync:
    """Records in the database what happens to jobs.

    Args:
        repository: Where jobs are recorded.
        queue: Where they run.
        deletion: Deletes expired ones.
        finished: Called with the id of each job whose result was recorded.

    """

    def __init__(
        self,
        repository: Repository,
        queue: Queue,
        deletion: DataDeletion,
        finished: Callable[[str], None] | None = None,
    ) -> None:
        self._finished = finished
        self._deletion = deletion
        self._repository = repository
        self._queue = queue
        self._own: set[str] = set()
        """Jobs that this process submits at the moment, or has submitted and not seen the end of."""

    @asynccontextmanager
    async def reserve(
        self, user_id: str, guild_id: str | None, channel_id: str, job_id: str = ""
    ) -> AsyncGenerator[str]:
        """Reserve a slot for a new job, and yield the job's id; the slot is released when the block fails.

        When the block is cancelled because the bot stops, the slot stays, and the next start answers its person.

        Raises:
            QuotaError: A limit is reached.
            AckTimeoutError: The database was too slow.
            DatabaseError: The database is unavailable.

        """
        job_id = job_id or uuid.uuid4().hex
        self._own.add(job_id)
        try:
            await self._take_slot(job_id, user_id, guild_id, channel_id)
            yield job_id
        except Exception:
            with suppress(DatabaseError):
                await self._repository.release(job_id)
            self._own.discard(job_id)
            raise

    async def acknowledge(self, job: Job) -> None:
        """Record that a job has a message, but no clip yet. Raises `DatabaseError`."""
        await self._repository.acknowledge(job)

    async def _take_slot(self, job_id: str, user_id: str, guild_id: str | None, channel_id: str) -> None:
        async with ack_deadline():
            refused = await self._repository.reserve(
                job_id, user_id=user_id, guild_id=guild_id, channel_id=channel_id, now=time.time()
            )
        if refused is not None:
            raise refused.error()

    async def record(self, job: Job) -> None:
        """Record a job that is about to be submitted. Raises `DatabaseError`."""
        self._own.add(job.id)
        await self._repository.add_job(job)

    async def cancel_withdrawn(self, job_id: str) -> None:
        """Cancel the job of a recording whose yes was taken back while it was fetched.

        Raises `DatabaseError` and `QueueError`.
        """
        if await self._repository.is_withdrawn(job_id):
            await self._queue.cancel(job_id)

    async def record_start(self, job_id: str) -> None:
        """Record that a worker has taken a job; `reconcile` makes up for a failure."""
        with suppress(DatabaseError):
            await self._repository.start_job(job_id)

    async def record_end(self, job_id: str, event: Event | None, used_s: float = 0.0) -> None:
        """Record how a job ended, None when it was lost; `reconcile` makes up for a failure.

        Args:
            job_id: The job.
            event: Its last event.
            used_s: Seconds of its clip that costly stages worked on, charged to one that was cancelled.

        """
        status, result = _outcome(event)
        self._own.discard(job_id)
        with suppress(DatabaseError):
            await self._repository.end_job(
                job_id, status, result, used_s=used_s if status is StoredStatus.STOPPED else 0.0
            )
            if result is not None and self._finished is not None:
                self._finished(job_id)

    async def is_replaced(self, job: Job) -> bool:
        """Tell whether a job that was submitted later has a result in the same message; False when nobody knows."""
        with suppress(DatabaseError):
            newest = await self._repository.newest_of_message(job.id)
            return newest is not None and newest.job.submitted > job.submitted
        return False

    async def interrupted_jobs(self, before: float) -> InterruptedJobs:
        """Return jobs that other processes only acknowledged, and submitted ones that the queue does not have.

        Raises `DatabaseError` and `QueueError`.
        """
        left = await self._repository.interrupted_jobs(before, but_not=self._own)
        unknown = [job for job in left.submitted if await self._queue.state(job.id) is None]
        return InterruptedJobs(acknowledged=left.acknowledged, submitted=unknown)

    async def release(self, job_id: str) -> None:
        """Delete the slot of a job that was not submitted. Raises `DatabaseError`."""
        self._own.discard(job_id)
        await self._repository.release(job_id)

    async def run(self) -> None:
        """Reconcile again and again, until cancelled."""
        while True:
            with suppress(DatabaseError, QueueError):
                await self.reconcile(time.time())
            await asyncio.sleep(RECONCILE_INTERVAL_S)

    async def reconcile(self, now: float) -> None:
        """Record missed ends and delete expired jobs. Raises `DatabaseError` and `QueueError`."""
        for job_id in await self._repository.open_jobs(now):
            state = await self._queue.state(job_id)
            if state is None or state.status not in OPEN_STATUSES:
                last, cost = (None, Cost()) if state is None else await self._last_event(job_id)
                await self.record_end(job_id, last, cost.seconds)
        deleted = await self._deletion.delete_expired(now)
        for job_id in deleted:
            await self._queue.discard(job_id)
            await self._queue.discard(f"{PREFETCH_PREFIX}{job_id}")
        if deleted:
            structlog.get_logger(__name__).info("jobs_expired", count=len(deleted))

    async def _last_event(self, job_id: str) -> tuple[Event | None, Cost]:
        last: Event | None = None
        cost = Cost()
        async for event in self._queue.events(job_id):
            last = event
            cost.add(event)
        return last, cost


def _outcome(event: Event | None) -> tuple[StoredStatus, Result | None]:
    match event:
        case Finished(result=result):
            return StoredStatus.FINISHED, result
        case Stopped():
            return StoredStatus.STOPPED, None
        case _:
            return StoredStatus.FAILED, None
