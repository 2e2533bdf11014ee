"""Finds jobs whose worker is gone and enqueues them again; registers this worker as alive.

arq alone would leave such a job marked as in progress until its job timeout.
"""

import asyncio
import math
import time
from collections.abc import Callable, Coroutine
from typing import Final, cast

import structlog

from pipeline.errors import QueueError
from worker.protocol import WorkerKind
from worker.queue import lease
from worker.queue.follower import has_lost_follower
from worker.queue.job_queue import Queue
from worker.queue.keys import ASR, ENGINE_PREFIX, MEDIA, PART, WORKERS, Keys
from worker.queue.scripts import job_scripts as scripts
from worker.queue.scripts import worker_scripts
from worker.queue.scripts.worker_scripts import WORKER_TTL_S

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
        """Register and scan at regular intervals until cancelled, also while the broker is away for a time."""
        async with asyncio.TaskGroup() as group:
            # A long list of jobs, or one answer that is late, must not make this worker look dead.
            group.create_task(self._repeat(self.register, "the worker cannot be registered"))
            group.create_task(self._repeat(self.scan, "the reaper cannot scan"))

    async def _repeat(self, step: Callable[[], Coroutine[None, None, None]], failure: str) -> None:
        while True:
            try:
                await step()
            except QueueError as error:
                structlog.get_logger().warning(failure, error=error.message)
            await asyncio.sleep(SCAN_INTERVAL_S)

    async def register(self) -> None:
        """Give a sign of life of this worker, unless it has left.

        Raises:
            QueueError: The broker is away.
        """
        if self._registered:
            await self._queue.connection.run(worker_scripts.REGISTER_WORKER, [WORKERS], [self._member, WORKER_TTL_S])
        self._note_answer()

    async def scan(self) -> None:
        """Reclaim abandoned jobs.

        Raises:
            QueueError: The broker is away.
        """
        for keys in (MEDIA, ASR, PART):
            for job_id in await self._queue.connection.members(keys.active):
                await self._inspect(keys, job_id)

    async def unregister(self) -> None:
        """Remove this worker from the list of live workers for good."""
        self._registered = False
        await self._queue.connection.run(worker_scripts.UNREGISTER_WORKER, [WORKERS], [self._member])

    async def _inspect(self, keys: Keys, job_id: str) -> None:
        in_progress, queue, job, _ = keys.arq_keys(job_id)
        names = [keys.record(job_id), keys.lease(job_id), keys.active, in_progress, queue, job, keys.follower(job_id)]
        answer = cast("list[str]", await self._queue.connection.run(scripts.INSPECT, names, [job_id]))
        status, follower, gave_sign = answer[0], answer[1], bool(int(answer[2]))
        trusted = self._note_answer()
        # Nobody would have the result of a job whose command is gone.
        if has_lost_follower(follower, gave_sign=gave_sign, trusted=trusted):
            structlog.get_logger().info("job stopped, its command is gone", job=job_id)
            if await self._queue.cancel(job_id):
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
