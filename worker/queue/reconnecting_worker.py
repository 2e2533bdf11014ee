"""The loop of arq on a queue whose jobs are leased, by the clock of the broker, through outages of the broker."""

import asyncio
import time
from typing import Any, Final, cast

import structlog
from arq.constants import in_progress_key_prefix
from arq.worker import Worker
from redis.exceptions import RedisError

from pipeline.errors import QueueError
from worker.queue.fairness import SMALL_SLOTS, SMALL_WEIGHT_S
from worker.queue.job_queue import Queue
from worker.queue.keys import Keys
from worker.queue.scripts import job_scripts as scripts
from worker.queue.scripts import order_scripts

MAX_RETRY_DELAY_S: Final = 5.0
"""Longest delay between two tries while the broker is away."""
POLL_TIMEOUT_S: Final = 15.0
"""For one round of calls to Redis."""
START_TIMEOUT_S: Final = 15.0
"""For the calls to Redis between taking a job and its function; a job that hangs there would hold a slot for ever."""


class ReconnectingWorker(Worker):
    """An arq worker that survives the loss of its Redis connection: it reconnects, and running jobs go on.

    Args:
        queue: The queue.
        keys: The keys of its kind of job.
        small_slots: How many of the slots are for small jobs alone.
        options: As arq's `Worker` takes them.
    """

    def __init__(
        self,
        *,
        queue: Queue,
        keys: Keys,
        small_slots: int = SMALL_SLOTS,
        **options: Any,  # noqa: ANN401 - arq's own
    ) -> None:
        super().__init__(**options, on_job_start=self._lift_start_limit)
        self._queue = queue
        self._keys = keys
        self._small_slots = small_slots
        self._start_limits: dict[str, asyncio.Timeout] = {}
        self._retry_delay_s = 0.0

    async def _poll_iteration(self) -> None:
        try:
            async with asyncio.timeout(POLL_TIMEOUT_S):
                if self.allow_pick_jobs:
                    await self._start_next_jobs()
                self._collect_ended_tasks()
                await self.heart_beat()
            self._retry_delay_s = 0.0
        except (QueueError, RedisError, OSError, TimeoutError) as error:
            self._retry_delay_s = min(max(2 * self._retry_delay_s, 0.2), MAX_RETRY_DELAY_S)
            structlog.get_logger().warning("the queue is away", error=repr(error), again_in=self._retry_delay_s)
            await asyncio.sleep(self._retry_delay_s)

    async def _start_next_jobs(self) -> None:
        """Start as many jobs as there are free slots, the last of which are for small ones.

        The reaper finds those whose answer is lost on the way.
        """
        own = [job_id for job_id, task in self.tasks.items() if not task.done()]
        if len(own) >= self.max_jobs:
            return
        mark_ttl_ms = int(self.in_progress_timeout_s * 1000)
        slots = (self.max_jobs, self.max_jobs - self._small_slots, SMALL_WEIGHT_S)
        arguments = (in_progress_key_prefix, self._keys.record_prefix, mark_ttl_ms, *slots, *own)
        claimed = await self._queue.connection.run(order_scripts.CLAIM, [self._keys.queue], arguments)
        for job_id in cast("list[str]", claimed):
            self.tasks[job_id] = self.loop.create_task(self.run_job(job_id, int(time.time() * 1000)))

    async def run_job(self, job_id: str, score: int) -> None:
        """Run a job as arq does, with a limit on the calls to Redis before its function begins.

        Raises:
            TimeoutError: Redis did not answer; the reaper gives the job back to the queue.
        """
        try:
            async with asyncio.timeout(START_TIMEOUT_S) as limit:
                self._start_limits[job_id] = limit
                await super().run_job(job_id, score)
        finally:
            self._start_limits.pop(job_id, None)

    async def _lift_start_limit(self, ctx: dict[str, Any]) -> None:
        self._start_limits[ctx["job_id"]].reschedule(None)

    def _collect_ended_tasks(self) -> None:
        for job_id, task in list(self.tasks.items()):
            if task.done():
                del self.tasks[job_id]
                task.result()

    async def finish_job(
        self,
        job_id: str,
        finish: bool,
        result_data: bytes | None,
        result_timeout_s: float | None,
        keep_result_forever: bool,
        incr_score: int | None,
        keep_in_progress: float | None,
    ) -> None:
        """Leave a job as its record says; the reaper repairs what an outage of the broker leaves behind."""
        names = [self._keys.record(job_id), self._keys.lease(job_id), *self._keys.arq_keys(job_id)]
        await self._queue.connection.run(scripts.FINISH, names, [job_id])

    async def close(self) -> None:
        """Cancel the running jobs, so that other workers take them over, and disconnect from Redis."""
        running = list(self.tasks.values())
        for task in running:
            task.cancel()
        try:
            # The reaper finds jobs whose end could not be written to Redis.
            await asyncio.gather(*running, return_exceptions=True)
            await self.pool.delete(self.health_check_key)
        finally:
            await self.pool.aclose(close_connection_pool=True)
