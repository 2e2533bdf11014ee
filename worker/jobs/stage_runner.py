"""Performs the stages of one job: from the store, in this worker's engine, or by a worker of another environment."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import structlog

from pipeline.catalog import Environment
from pipeline.errors import (
    AudioProcessingError,
    Cancelled,
    EngineDiedError,
    EngineError,
    EngineTimeoutError,
    QueueError,
    from_failure,
)
from pipeline.graph.eta import Estimate
from pipeline.graph.registry import STAGES
from pipeline.graph.stage import Stage, StageOutput
from pipeline.types import Artefact, JsonValue, Progress
from worker.jobs.stage_cache import Workshop, memo_key
from worker.protocol import Failed, Performed, Progressed, StageJob, Stopped, holder_of
from worker.queue import Queue
from worker.queue.lease import Lease, LeaseLostError

TELL_EVERY: Final = 0.25
"""Seconds between two progress events of a job."""
NO_WORKER_LIMIT: Final = 120.0
"""Seconds for which a stage waits for a worker of its environment to appear."""
WAITING_LIMIT: Final = 6 * 3600.0
"""Seconds that a stage may wait behind others."""
CHECK_EVERY: Final = 3.0
"""Seconds between two looks for live workers."""

Tell: TypeAlias = Callable[[Progress], None]


@asynccontextmanager
async def telling(lease: Lease) -> AsyncGenerator[Tell]:
    """A function that notes progress; the newest of each stage is written a few times a second."""
    latest: dict[str, Progress] = {}
    estimates: defaultdict[str, Estimate] = defaultdict(Estimate)

    async def flush() -> None:
        for stage in list(latest):
            try:
                await lease.emit(Progressed(progress=latest.pop(stage)))
            except QueueError as error:
                structlog.get_logger().warning("progress not told", job=lease.job_id, error=error.message)
            except LeaseLostError:
                # The lease's keeper notices it too, and stops the work.
                return

    async def run() -> None:
        while True:
            await flush()
            await asyncio.sleep(TELL_EVERY)

    def tell(progress: Progress) -> None:
        remaining = estimates[progress.stage].judge(progress.fraction, time.monotonic())
        latest[progress.stage] = replace(progress, remaining=remaining)

    writing = asyncio.create_task(run())
    try:
        yield tell
    finally:
        writing.cancel()
        await asyncio.wait({writing})
        await flush()


@dataclass(slots=True, kw_only=True)
class StageRunner:
    """The `Perform` of one job."""

    workshop: Workshop
    queue: Queue
    tell: Tell
    cancelled: asyncio.Event
    job_id: str
    fresh: bool = False
    """Take nothing from the store but what this job itself put there in an earlier attempt."""
    environment: Environment = "media"
    stages: Mapping[str, Stage] | None = None
    no_worker_limit: float = NO_WORKER_LIMIT
    _clip: float = 0.0
    """Seconds of the clip, as soon as it was probed; the longer it is, the longer a stage may take."""

    async def __call__(
        self, stage: str, inputs: Mapping[str, Artefact], params: Mapping[str, JsonValue]
    ) -> StageOutput:
        """Give the output of a stage; raises what the stage raised, or `Cancelled`."""
        started = time.monotonic()
        found = (STAGES if self.stages is None else self.stages)[stage]
        try:
            performed, reused = await self._perform(found, inputs, params)
        except AudioProcessingError as error:
            error.stage = error.stage or stage
            raise
        self.tell(Progress(stage=stage, fraction=1.0, message="taken from the store" if reused else ""))
        if stage == "probe" and isinstance(duration := performed.facts.get("duration"), int | float):
            self._clip = float(duration)
        return StageOutput(
            facts=performed.facts,
            artefacts=performed.artefacts,
            engine_seconds=performed.engine_seconds,
            reused=reused,
            seconds=time.monotonic() - started,
        )

    async def _perform(
        self, stage: Stage, inputs: Mapping[str, Artefact], params: Mapping[str, JsonValue]
    ) -> tuple[Performed, bool]:
        self._check_cancelled()
        own = await self.workshop.own_weights(params)
        keys = (memo_key(stage, inputs, params, own_weights=own),)
        if self.fresh:
            keys = (memo_key(stage, inputs, params, own_weights=own, salt=self.job_id), *keys)
        # Before it is looked for, so that nobody deletes it in between.
        await self.workshop.store.claims.hold(holder_of(self.job_id), keys)
        remembered = await self.workshop.recall(keys[0])
        if remembered is not None:
            return remembered, True
        self.tell(Progress(stage=stage.name, fraction=0.0))
        limit = stage.limit + stage.limit_per_second * self._clip
        if stage.environment == self.environment:
            try:
                return await self._perform_here(stage, inputs, params, keys, limit)
            except EngineDiedError as error:
                # Once more in a new engine; what kills that one too is the stage's own fault.
                structlog.get_logger().warning("engine died", job=self.job_id, stage=stage.name, error=error.message)
                return await self._perform_here(stage, inputs, params, keys, limit)
        job = StageJob(
            id=f"stage-{keys[0]}", keys=keys, stage=stage.name, inputs=dict(inputs), params=dict(params), limit=limit
        )
        return await self._delegate(job), False

    async def _perform_here(
        self,
        stage: Stage,
        inputs: Mapping[str, Artefact],
        params: Mapping[str, JsonValue],
        keys: tuple[str, ...],
        limit: float,
    ) -> tuple[Performed, bool]:
        return await self.workshop.perform(
            stage,
            inputs,
            params,
            keys=keys,
            on_progress=lambda done, message: self.tell(Progress(stage=stage.name, fraction=done, message=message)),
            cancelled=self.cancelled,
            limit=limit,
        )

    def _check_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled("The job was cancelled.")

    async def _delegate(self, job: StageJob) -> Performed:
        """Have another worker do it; stops waiting on a cancel, without a worker, and in the end."""
        following = asyncio.create_task(self._follow(job))
        stopping = asyncio.create_task(self.cancelled.wait())
        missing = asyncio.create_task(self._no_worker())
        try:
            await asyncio.wait(
                {following, stopping, missing},
                timeout=WAITING_LIMIT + job.limit,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if following.done():
                return following.result()
            await self.queue.leave_stage(job.id, parent=self.job_id)
            self._check_cancelled()
            if missing.done():
                missing.result()
                raise EngineError(
                    f"No worker for the step {job.stage} is running.", hint="Start one with `stemcord worker asr`."
                )
            raise EngineTimeoutError(f"The step {job.stage} waited too long for a worker.")
        finally:
            for task in (following, stopping, missing):
                task.cancel()

    async def _follow(self, job: StageJob) -> Performed:
        while True:
            await self.queue.submit_stage(job, parent=self.job_id)
            async for event in self.queue.stage_events(job.id):
                match event:
                    case Progressed(progress=progress):
                        self.tell(progress)
                    case Performed():
                        return event
                    case Failed(failure=failure):
                        raise from_failure(failure)
                    case Stopped():
                        # Whoever waited before us gave up; it was not us.
                        break
                    case _:
                        continue
            await asyncio.sleep(TELL_EVERY)

    async def _no_worker(self) -> None:
        seen = time.monotonic()
        while time.monotonic() - seen < self.no_worker_limit:
            await asyncio.sleep(CHECK_EVERY)
            try:
                live = await self.queue.workers()
            except QueueError:
                # The follower decides how long a broker may be away.
                seen = time.monotonic()
                continue
            if any(worker.kind == "asr" for worker in live):
                seen = time.monotonic()
