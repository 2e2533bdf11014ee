"""Finds jobs whose worker is gone and has them run again; tells that this worker is alive.

arq alone would leave such a job marked as in progress for its longest time-out.
"""

import asyncio
import time
from typing import Final

import structlog

from pipeline.errors import QueueError
from worker.queue import lua_scripts as scripts
from worker.queue.job_queue import WORKER_TTL, Queue
from worker.queue.keys import ASR, MEDIA, WORKERS, Keys, Kind

ROUND: Final = 2.0
"""Seconds between two looks at the jobs."""
GRACE: Final = 6.0
"""Seconds that a job may sit between arq's mark and its lease, or between two workers."""


class Reaper:
    """One runs in every worker; any of them may reclaim any job."""

    def __init__(self, queue: Queue, kind: Kind, name: str) -> None:
        self._queue = queue
        self._member = f"{kind}/{name}"
        self._stuck_since: dict[str, float] = {}

    async def run(self) -> None:
        """Look around until cancelled; a broker that is away is waited for."""
        while True:
            try:
                await self.look()
            except QueueError as error:
                structlog.get_logger().warning("the reaper cannot look", error=error.message)
            await asyncio.sleep(ROUND)

    async def look(self) -> None:
        """Say that this worker is alive and reclaim what others left."""
        await self._queue.connection.run(scripts.GREET, [WORKERS], [self._member, WORKER_TTL])
        for keys in (MEDIA, ASR):
            for job_id in await self._queue.connection.members(keys.active):
                await self._look_at(keys, job_id)

    async def leave(self) -> None:
        """Say that this worker is gone."""
        await self._queue.connection.run(scripts.PART, [WORKERS], [self._member])

    async def _look_at(self, keys: Keys, job_id: str) -> None:
        in_progress, queue, job, _ = keys.arq(job_id)
        names = [keys.record(job_id), keys.lease(job_id), keys.active, in_progress, queue, job]
        verdict = str(await self._queue.connection.run(scripts.INSPECT, names, [job_id]))
        if verdict != "stuck":
            self._stuck_since.pop(job_id, None)
        elif time.monotonic() - self._stuck_since.setdefault(job_id, time.monotonic()) >= GRACE:
            del self._stuck_since[job_id]
            verdict = "lost"
        if verdict == "lost":
            await self._reclaim(keys, job_id)

    async def _reclaim(self, keys: Keys, job_id: str) -> None:
        names = [keys.record(job_id), keys.lease(job_id), *keys.arq(job_id)]
        if await self._queue.connection.run(scripts.RECLAIM, names, [job_id]):
            await self._queue.ensure_enqueued(keys, job_id)
            structlog.get_logger().warning("job reclaimed", job=job_id, queue=keys.queue)
