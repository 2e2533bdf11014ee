"""Has another worker run a stage of a job, and waits for the result."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from pipeline.errors import Cancelled, EngineError, EngineTimeoutError, QueueError, from_failure
from worker.engine.progress import StageProgressCallback
from worker.protocol import Failed, Progressed, StageJob, StageResult, Stopped
from worker.queue import Queue
from worker.queue.keys import PART, Keys

NO_WORKER_TIMEOUT_S: Final = 120.0
"""How long a stage waits for a worker of its kind to appear."""
STAGE_QUEUE_TIMEOUT_S: Final = 6 * 3600.0
"""How long a stage may wait behind others."""
WORKER_CHECK_INTERVAL_S: Final = 3.0
"""Time between two checks for live workers."""
FOLLOW_AGAIN_S: Final = 0.25
"""Time before a stage is asked for again that somebody else had stopped."""


def stage_job_id(key: str) -> str:
    """Return the id of the job of a stage, by its first cache key."""
    return f"stage-{key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """A stage that another worker runs for a job."""

    queue: Queue
    keys: Keys
    """Of the queue that it goes into."""
    job: StageJob
    parent: str
    """The job that it is for."""
    cancelled: asyncio.Event
    on_progress: StageProgressCallback
    no_worker_timeout_s: float = NO_WORKER_TIMEOUT_S

    async def run(self) -> StageResult:
        """Wait for the result; give up on a cancel, without such a worker, or after a time limit.

        Raises:
            Cancelled: The job was cancelled.
            EngineError: There is no such worker.
            EngineTimeoutError: The stage waited too long.
            AudioProcessingError: What the stage raised.
        """
        following = asyncio.create_task(self._follow())
        stopping = asyncio.create_task(self.cancelled.wait())
        missing = asyncio.create_task(self._wait_without_worker())
        try:
            await asyncio.wait(
                {following, stopping, missing},
                timeout=STAGE_QUEUE_TIMEOUT_S + self.job.timeout_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if following.done():
                return following.result()
            await self.queue.unfollow_stage(self.keys, self.job.id, parent=self.parent)
            if self.cancelled.is_set():
                raise Cancelled("The job was cancelled.")
            if missing.done():
                missing.result()
                raise EngineError(
                    f"No worker for the step {self.job.stage} is running.",
                    hint="Start one with `stemcord worker asr`.",
                )
            raise EngineTimeoutError(f"The step {self.job.stage} waited too long for a worker.")
        finally:
            for task in (following, stopping, missing):
                task.cancel()

    async def _follow(self) -> StageResult:
        while True:
            await self.queue.submit_stage(self.keys, self.job, parent=self.parent)
            async for event in self.queue.stage_events(self.keys, self.job.id):
                match event:
                    case Progressed(progress=progress):
                        self.on_progress(progress.fraction, progress.message, progress.draft)
                    case StageResult():
                        return event
                    case Failed(failure=failure):
                        raise from_failure(failure)
                    case Stopped():
                        # Whoever waited before us gave up; it was not us.
                        break
                    case _:
                        continue
            await asyncio.sleep(FOLLOW_AGAIN_S)

    async def _wait_without_worker(self) -> None:
        if self.keys is PART:
            # The worker of the job itself takes it, which is not listed once it is told to stop.
            await asyncio.Event().wait()
        seen = time.monotonic()
        while time.monotonic() - seen < self.no_worker_timeout_s:
            await asyncio.sleep(WORKER_CHECK_INTERVAL_S)
            try:
                live = await self.queue.workers()
            except QueueError:
                # The follower decides how long a broker may be away.
                seen = time.monotonic()
                continue
            if any(worker.kind == "asr" for worker in live):
                seen = time.monotonic()
