"""Keeps the records in step with the queue: a place before a job, its end, and what was missed meanwhile."""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog

from bot.ack_deadline import promptly
from bot.database.engine import RecordsError
from bot.database.models import JobEnd, LeftBehind
from bot.database.repository import Records
from pipeline.errors import QueueError
from pipeline.types import Result
from worker.protocol import PREFETCH_PREFIX, Event, Finished, Job, Stopped
from worker.queue import Queue

SETTLE_EVERY: Final = 600.0
"""Seconds between two looks for what was missed and for what has been kept long enough."""


class Bookkeeper:
    """One for the bot."""

    def __init__(self, records: Records, queue: Queue) -> None:
        self._records = records
        self._queue = queue

    @asynccontextmanager
    async def place(self, user_id: str, guild_id: str | None, channel_id: str) -> AsyncGenerator[str]:
        """The id of a job that counts from now on; when the body fails, it counts no longer.

        When the body is cancelled, since the bot stops, the place stays for the next start to tell its person.
        Raises `QuotaError` when a limit is reached, and `RecordsError`.
        """
        job_id = uuid.uuid4().hex
        try:
            await self._reserve(job_id, user_id, guild_id, channel_id)
            yield job_id
        except Exception:
            with suppress(RecordsError):
                await self._records.release(job_id)
            raise

    async def acknowledge(self, job: Job) -> None:
        """Its message is there, its clip is not yet. Raises `RecordsError`."""
        await self._records.acknowledge(job)

    async def _reserve(self, job_id: str, user_id: str, guild_id: str | None, channel_id: str) -> None:
        async with promptly():
            refused = await self._records.reserve(
                job_id, user_id=user_id, guild_id=guild_id, channel_id=channel_id, now=time.time()
            )
        if refused is not None:
            raise refused.error()

    async def enter(self, job: Job) -> None:
        """Before it is handed in. Raises `RecordsError`."""
        await self._records.add_job(job)

    async def begin(self, job_id: str) -> None:
        """A worker has taken it."""
        with suppress(RecordsError):
            await self._records.start_job(job_id)

    async def close(self, job_id: str, event: Event | None) -> None:
        """How a job ended, None when it was lost; what cannot be written now is made up for later."""
        status, result = _end_of(event)
        with suppress(RecordsError):
            await self._records.end_job(job_id, status, result)

    async def left_behind(self, before: float) -> LeftBehind:
        """What an earlier process acknowledged without handing it in, or handed in without the queue having it.

        Raises `RecordsError` and `QueueError`.
        """
        left = await self._records.left_behind(before)
        unknown = [job for job in left.handed_in if await self._queue.state(job.id) is None]
        return LeftBehind(acknowledged=left.acknowledged, handed_in=unknown)

    async def release(self, job_id: str) -> None:
        """Nothing is kept of a job that was not handed in. Raises `RecordsError`."""
        await self._records.release(job_id)

    async def keep_up(self) -> None:
        """Look again and again for what was missed, until cancelled."""
        while True:
            with suppress(RecordsError, QueueError):
                await self.settle(time.time())
            await asyncio.sleep(SETTLE_EVERY)

    async def settle(self, now: float) -> None:
        """Close jobs whose end was missed, forget those kept long enough. Raises `RecordsError` and `QueueError`."""
        for job_id in await self._records.open_jobs(now):
            state = await self._queue.state(job_id)
            if state is None or state.status not in ("queued", "running"):
                await self.close(job_id, None if state is None else await self._last_event(job_id))
        gone = await self._records.forget_expired(now)
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


def _end_of(event: Event | None) -> tuple[JobEnd, Result | None]:
    match event:
        case Finished(result=result):
            return JobEnd.FINISHED, result
        case Stopped():
            return JobEnd.STOPPED, None
        case _:
            return JobEnd.FAILED, None
