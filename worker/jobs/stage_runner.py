"""Runs the stages of one job: from the cache, in this worker's engine, or on a worker of another environment."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import msgspec
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
from pipeline.graph.codec import decode_output, encode_params, files_of
from pipeline.graph.eta import Estimate
from pipeline.graph.stage import InputsT, ModelParams, OutputT, ParamsT, Stage, StageRun
from pipeline.media.contracts import ProbeOutput
from pipeline.types import Artefact, DraftLine, Progress
from worker.jobs.stage_cache import StageCache, StageCall, cache_key
from worker.protocol import CONTRACT_VERSION, Failed, Progressed, StageJob, StageResult, Stopped, owner_of
from worker.queue import Queue
from worker.queue.engine_occupancy import engine_occupancy
from worker.queue.fairness import estimate_weight
from worker.queue.lease import Lease, LeaseLostError
from worker.telemetry import current_metrics, current_trace, span

PUBLISH_INTERVAL_S: Final = 0.25
"""Time between two writes of progress events."""
NO_WORKER_TIMEOUT_S: Final = 120.0
"""How long a stage waits for a worker of its environment to appear."""
STAGE_QUEUE_TIMEOUT_S: Final = 6 * 3600.0
"""How long a stage may wait behind others."""
WORKER_CHECK_INTERVAL_S: Final = 3.0
"""Time between two checks for live workers."""

PublishProgress: TypeAlias = Callable[[Progress], None]


@asynccontextmanager
async def progress_events(lease: Lease) -> AsyncGenerator[PublishProgress]:
    """Give a function that publishes progress; the newest of each stage is written a few times a second."""
    latest: dict[str, Progress] = {}
    estimates: defaultdict[str, Estimate] = defaultdict(Estimate)

    async def flush() -> None:
        for stage in list(latest):
            try:
                await lease.emit(Progressed(progress=latest.pop(stage)))
            except QueueError as error:
                structlog.get_logger().warning("progress not published", job=lease.job_id, error=error.message)
            except LeaseLostError:
                # The heartbeat notices it too, and stops the work.
                return

    async def run() -> None:
        while True:
            await flush()
            await asyncio.sleep(PUBLISH_INTERVAL_S)

    def publish(progress: Progress) -> None:
        remaining = estimates[progress.stage].judge(progress.fraction, time.monotonic())
        unsent = latest.get(progress.stage, progress)
        draft, files = progress.draft or unsent.draft, progress.files or unsent.files
        latest[progress.stage] = replace(progress, remaining=remaining, draft=draft, files=files)

    writing = asyncio.create_task(run())
    try:
        yield publish
    finally:
        writing.cancel()
        await asyncio.wait({writing})
        await flush()


@dataclass(slots=True, kw_only=True)
class StageRunner:
    """The `StageExecutor` of one job."""

    stage_cache: StageCache
    queue: Queue
    publish: PublishProgress
    cancelled: asyncio.Event
    job_id: str
    worker: str
    """Name of the worker that runs the job."""
    fresh: bool = False
    """Use only results that this job itself cached in an earlier attempt."""
    environment: Environment = "media"
    no_worker_timeout_s: float = NO_WORKER_TIMEOUT_S
    _clip_seconds: float = 0.0
    """Length of the clip once it was probed; the longer it is, the longer a stage may take."""

    async def __call__(
        self, stage: Stage[InputsT, ParamsT, OutputT], inputs: InputsT, params: ParamsT
    ) -> StageRun[OutputT]:
        """Run a stage and return its output.

        Raises:
            Cancelled: The job was cancelled.
            AudioProcessingError: What the stage raised.
        """
        with span(f"stage {stage.name}") as running:
            done = await self._run_stage(stage, inputs, params)
            running.set("stemcord.reused", done.reused)
            running.set("stemcord.engine_seconds", done.engine_seconds)
            if isinstance(params, ModelParams):
                running.set("stemcord.engine", params.model)
        if done.reused and (metrics := current_metrics()) is not None:
            metrics.count_reused(stage.name)
        return done

    async def _run_stage(
        self, stage: Stage[InputsT, ParamsT, OutputT], inputs: InputsT, params: ParamsT
    ) -> StageRun[OutputT]:
        started = time.monotonic()
        call = StageCall(
            stage=stage,
            inputs=files_of(inputs, Artefact),
            params=encode_params(params),
            model=(params.model or None) if isinstance(params, ModelParams) else None,
        )
        try:
            result, reused = await self._run_or_reuse(call)
            output = _decode(result, stage)
        except AudioProcessingError as error:
            error.stage = error.stage or stage.name
            raise
        files = tuple(result.artefacts.values()) if stage.previewed else ()
        if reused:
            self.publish(Progress(stage=stage.name, fraction=1.0, message="taken from the store", files=files))
        else:
            self._publish_work(call, 1.0, files=files)
        if isinstance(output, ProbeOutput):
            self._clip_seconds = output.media.duration
        return StageRun(
            output=output,
            engine_seconds=result.engine_seconds,
            reused=reused,
            seconds=time.monotonic() - started,
        )

    async def _run_or_reuse(self, call: StageCall) -> tuple[StageResult, bool]:
        self._check_cancelled()
        own = await self.stage_cache.own_weights(call.model)
        keys = (cache_key(call, own_weights=own),)
        if self.fresh:
            keys = (cache_key(call, own_weights=own, salt=self.job_id), *keys)
        # Before the lookup, so that nobody deletes the entry in between.
        await self.stage_cache.store.references.add_for_job(owner_of(self.job_id), keys)
        cached = await self.stage_cache.get(keys[0], call.stage)
        if cached is not None:
            return cached, True
        stage = call.stage
        self.publish(Progress(stage=stage.name, fraction=0.0))
        limit = stage.limit + stage.limit_per_second * self._clip_seconds
        if stage.environment == self.environment:
            try:
                return await self._run_here(call, keys, limit)
            except EngineDiedError as error:
                # Once more in a new engine; what kills that one too is the stage's own fault.
                structlog.get_logger().warning("engine died", job=self.job_id, stage=stage.name, error=error.message)
                return await self._run_here(call, keys, limit)
        job = StageJob(
            id=f"stage-{keys[0]}",
            keys=keys,
            stage=stage.name,
            inputs=dict(call.inputs),
            params=dict(call.params),
            timeout_s=limit,
            contract=CONTRACT_VERSION,
            trace=current_trace(),
            clip_seconds=self._clip_seconds,
        )
        return await self._delegate(job, call), False

    async def _run_here(self, call: StageCall, keys: tuple[str, ...], limit: float) -> tuple[StageResult, bool]:
        async with engine_occupancy(self.queue, self.worker, self.job_id) as on_engine:
            return await self.stage_cache.get_or_run(
                call,
                keys=keys,
                on_progress=lambda fraction, message, draft=(): self._publish_work(call, fraction, message, draft),
                cancelled=self.cancelled,
                limit=limit,
                on_engine=on_engine,
                clip_seconds=self._clip_seconds or _estimate_seconds(call),
            )

    def _publish_work(
        self,
        call: StageCall,
        fraction: float,
        message: str = "",
        draft: tuple[DraftLine, ...] = (),
        files: tuple[Artefact, ...] = (),
    ) -> None:
        """Publish how far a stage is that is computed, with what that costs."""
        cost = fraction * self._clip_seconds if call.stage.costly else 0.0
        self.publish(
            Progress(stage=call.stage.name, fraction=fraction, message=message, cost=cost, draft=draft, files=files)
        )

    def _check_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled("The job was cancelled.")

    async def _delegate(self, job: StageJob, call: StageCall) -> StageResult:
        """Have another worker run a stage; give up on a cancel, without such a worker, or after a time limit."""
        following = asyncio.create_task(self._follow(job, call))
        stopping = asyncio.create_task(self.cancelled.wait())
        missing = asyncio.create_task(self._wait_without_worker())
        try:
            await asyncio.wait(
                {following, stopping, missing},
                timeout=STAGE_QUEUE_TIMEOUT_S + job.timeout_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if following.done():
                return following.result()
            await self.queue.unfollow_stage(job.id, parent=self.job_id)
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

    async def _follow(self, job: StageJob, call: StageCall) -> StageResult:
        while True:
            await self.queue.submit_stage(job, parent=self.job_id)
            async for event in self.queue.stage_events(job.id):
                match event:
                    case Progressed(progress=progress):
                        self._publish_work(call, progress.fraction, progress.message, progress.draft)
                    case StageResult():
                        return event
                    case Failed(failure=failure):
                        raise from_failure(failure)
                    case Stopped():
                        # Whoever waited before us gave up; it was not us.
                        break
                    case _:
                        continue
            await asyncio.sleep(PUBLISH_INTERVAL_S)

    async def _wait_without_worker(self) -> None:
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


def _estimate_seconds(call: StageCall) -> float:
    """Estimate the length of a clip that was not probed yet."""
    return max((estimate_weight(file.size, file.media_type) for file in call.inputs.values()), default=0.0)


def _decode(result: StageResult, stage: Stage[InputsT, ParamsT, OutputT]) -> OutputT:
    try:
        return decode_output(result.output, result.artefacts, stage.output)
    except (msgspec.ValidationError, KeyError) as error:
        raise EngineError(
            f"The result of the step {stage.name} cannot be read.",
            hint="Update all workers to the same version, then try again.",
            detail=repr(error),
        ) from error
