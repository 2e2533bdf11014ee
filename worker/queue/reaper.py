"""Finds jobs whose worker is gone and enqueues them again; registers this worker as alive.

arq alone would leave such a job marked as in progress until its job timeout.
"""

import asyncio
import math
import time
from typing import Final

import structlog

from pipeline.errors import QueueError
from worker.protocol import WorkerKind
from worker.queue import lease
from worker.queue import lua_scripts as scripts
from worker.queue.follower import has_lost_follower
from worker.queue.job_queue import WORKER_TTL_S, Queue
from worker.queue.keys import ASR, ENGINE_PREFIX, MEDIA, WORKERS, Keys

SCAN_INTERVAL_S: Final = 2.0
"""Time between two scans of the active jobs."""
STUCK_GRACE_S: Final = 6.0
"""How long a job may be between arq's in-progress mark and its lease, or between two workers."""


class Reaper:
    """Reclaims abandoned jobs. One runs in every worker, and any of them may reclaim any job."""

    def __init__(self, queue: Queue, kind: WorkerKind, name: str) -> None:
        self._queue = queue
        self._member = f"{kind}/{name}"
        self._registered = True
        self._stuck_since: dict[str, float] = {}
        self._last_answer = -math.inf
        self._answering_since = -math.inf

    async def run(self) -> None:
        """Scan at regular intervals until cancelled, also while the broker is away for a time."""
        while True:
            try:
                await self.scan()
            except QueueError as error:
                structlog.get_logger().warning("the reaper cannot scan", error=error.message)
            await asyncio.sleep(SCAN_INTERVAL_S)

    async def scan(self) -> None:
        """Register this worker as alive and reclaim abandoned jobs.

        Raises:
            QueueError: The broker is away.
        """
        if self._registered:
            await self._queue.connection.run(scripts.REGISTER_WORKER, [WORKERS], [self._member, WORKER_TTL_S])
        self._note_answer()
        for keys in (MEDIA, ASR):
            for job_id in await self._queue.connection.members(keys.active):
                await self._inspect(keys, job_id)

    async def unregister(self) -> None:
        """Remove this worker from the list of live workers for good."""
        self._registered = False
        await self._queue.connection.run(scripts.UNREGISTER_WORKER, [WORKERS], [self._member])

    async def _inspect(self, keys: Keys, job_id: str) -> None:
        in_progress, queue, job, _ = keys.arq_keys(job_id)
        names = [keys.record(job_id), keys.lease(job_id), keys.active, in_progress, queue, job]
        status = str(await self._queue.connection.run(scripts.INSPECT, names, [job_id]))
        trusted = self._note_answer()
        if status not in ("ended", "unreadable") and await self._stop_forsaken(keys, job_id, trusted):
            return
        if status == "abandoned" and not trusted:
            return
        if status != "stuck":
            self._stuck_since.pop(job_id, None)
        elif time.monotonic() - self._stuck_since.setdefault(job_id, time.monotonic()) >= STUCK_GRACE_S:
            del self._stuck_since[job_id]
            status = "abandoned"
        if status == "abandoned":
            await self._reclaim(keys, job_id)

    async def _stop_forsaken(self, keys: Keys, job_id: str, trusted: bool) -> bool:
        """Cancel a job whose command is gone; nobody would have its result."""
        if keys != MEDIA or not await has_lost_follower(self._queue.connection, keys, job_id, trusted=trusted):
            return False
        structlog.get_logger().info("job stopped, its command is gone", job=job_id)
        return await self._queue.cancel(job_id)

    def _note_answer(self) -> bool:
        """Note an answer of the broker; False until it has answered without a gap for the time of a lease.

        After an outage of the broker, or a stop of this process, live workers must come to renew their leases first.
        """
        now = time.monotonic()
        if now - self._last_answer > lease.LEASE_TTL_S / 2:
            self._answering_since = now
            self._stuck_since.clear()
        self._last_answer = now
        return now - self._answering_since >= lease.LEASE_TTL_S

    async def _reclaim(self, keys: Keys, job_id: str) -> None:
        names = [keys.record(job_id), keys.lease(job_id), *keys.arq_keys(job_id)]
        if await self._queue.connection.run(scripts.RECLAIM, names, [job_id, ENGINE_PREFIX]):
            await self._queue.ensure_enqueued(keys, job_id)
            structlog.get_logger().warning("job reclaimed", job=job_id, queue=keys.queue)
