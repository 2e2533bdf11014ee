"""Runs the stages of one job: from the cache, in this worker's engine, or on another worker."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Protocol

import structlog

from pipeline.catalog import Environment
from pipeline.errors import (
    AudioProcessingError,
    Cancelled,
    EngineDiedError,
    QueueError,
)
from pipeline.graph.eta import Estimate
from pipeline.graph.stage import InputsT, ModelParams, OutputT, ParamsT, Stage, StageRun
from pipeline.media.contracts import ProbeOutput
from pipeline.types import Artefact, DraftLine, Progress
from worker.engine.progress import StageProgressCallback
from worker.jobs.delegation import NO_WORKER_TIMEOUT_S, Delegation, stage_job_id
from worker.jobs.parted_run import PartedRun
from worker.jobs.stage_cache import StageCache, StageCall, cache_key, call_of, decode_result
from worker.protocol import CONTRACT_VERSION, Progressed, StageJob, StageResult, owner_of
from worker.queue import Queue
from worker.queue.engine_occupancy import engine_occupancy
from worker.queue.fairness import estimate_weight
from worker.queue.keys import ASR, PART, Keys
from worker.queue.lease import Lease, LeaseLostError
from worker.telemetry import current_metrics, current_trace, span

PUBLISH_INTERVAL_S: Final = 0.25
"""Time between two writes of progress events."""


class PublishProgress(Protocol):
    """Publishes progress; of its fraction, `given` was there and took no time."""

    def __call__(self, progress: Progress, /, given: float = 0.0) -> None:
        """Publish it soon."""
        ...


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

    def publish(progress: Progress, /, given: float = 0.0) -> None:
        remaining = estimates[progress.stage].judge(progress.fraction, time.monotonic(), given)
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
    _followed: dict[str, Keys] = field(default_factory=dict[str, Keys])
    """The queues of the stages that other workers were asked for, by the stages' first cache keys."""

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
        call = call_of(stage, inputs, params)
        try:
            result, reused = await self._run_or_reuse(call, inputs, params)
            output = decode_result(result, stage)
        except AudioProcessingError as error:
            error.stage = error.stage or stage.name
            raise
        files = tuple(result.artefacts.values()) if stage.previewed else ()
        if reused:
            self.publish(Progress(stage=stage.name, fraction=1.0, message="taken from the store", files=files))
        else:
            self.publish_work(call, 1.0, files=files)
        if isinstance(output, ProbeOutput):
            self._clip_seconds = output.media.duration
        return StageRun(
            output=output,
            engine_seconds=result.engine_seconds,
            reused=reused,
            seconds=time.monotonic() - started,
        )

    async def _run_or_reuse(self, call: StageCall, inputs: object, params: object) -> tuple[StageResult, bool]:
        keys = await self.keys_of(call)
        cached = await self.stage_cache.get(keys[0], call.stage)
        if cached is not None:
            return cached, True
        self.publish(Progress(stage=call.stage.name, fraction=0.0))
        if call.stage.parted and self._clip_seconds >= call.stage.min_parted_seconds and not await self._own(call):
            parted = PartedRun(runner=self, call=call)
            result = await parted.run(inputs, params, keys)
            if result is not None:
                return result, False
        return await self.run_call(call, keys, partial(self.publish_work, call))

    async def keys_of(self, call: StageCall) -> tuple[str, ...]:
        """Return the cache keys of a stage, to which the job refers from now on; it is looked up under the first."""
        self._check_cancelled()
        own = await self._own(call)
        keys = (cache_key(call, own_weights=own),)
        if self.fresh:
            keys = (cache_key(call, own_weights=own, salt=self.job_id), *keys)
        # Before the lookup, so that nobody deletes the entry in between.
        await self.stage_cache.store.references.add_for_job(owner_of(self.job_id), keys)
        return keys

    async def run_call(
        self, call: StageCall, keys: tuple[str, ...], on_progress: StageProgressCallback
    ) -> tuple[StageResult, bool]:
        """Run a stage here or on another worker; also tells whether equal work had just kept the result."""
        stage = call.stage
        limit = stage.limit + stage.limit_per_second * self._clip_seconds
        # What is shared may go to a worker that has not this one's own checkpoints.
        shared = stage.shared and not await self._own(call)
        if stage.environment == self.environment and not shared:
            try:
                return await self._run_here(call, keys, limit, on_progress)
            except EngineDiedError as error:
                # Once more in a new engine; what kills that one too is the stage's own fault.
                structlog.get_logger().warning("engine died", job=self.job_id, stage=stage.name, error=error.message)
                return await self._run_here(call, keys, limit, on_progress)
        job = StageJob(
            id=stage_job_id(keys[0]),
            keys=keys,
            stage=stage.name,
            inputs=dict(call.inputs),
            params=dict(call.params),
            timeout_s=limit,
            contract=CONTRACT_VERSION,
            trace=current_trace(),
            clip_seconds=self._clip_seconds,
        )
        self._followed[keys[0]] = queue_keys = PART if shared else ASR
        delegation = Delegation(
            queue=self.queue,
            keys=queue_keys,
            job=job,
            parent=self.job_id,
            cancelled=self.cancelled,
            on_progress=on_progress,
            no_worker_timeout_s=self.no_worker_timeout_s,
        )
        result = await delegation.run()
        self._followed.pop(keys[0], None)
        return result, False

    async def unfollow(self, keys: Iterable[str] | None = None) -> None:
        """Have stages stopped that other workers still run for this job alone.

        Args:
            keys: Their first cache keys; None: all of them.
        """
        for key in list(self._followed if keys is None else keys):
            queue_keys = self._followed.get(key)
            # One that never came to the queue is none to stop.
            with suppress(QueueError):
                if queue_keys is not None:
                    await self.queue.unfollow_stage(queue_keys, stage_job_id(key), parent=self.job_id)
            self._followed.pop(key, None)

    async def _own(self, call: StageCall) -> str:
        return await self.stage_cache.own_weights(call.model)

    async def _run_here(
        self, call: StageCall, keys: tuple[str, ...], limit: float, on_progress: StageProgressCallback
    ) -> tuple[StageResult, bool]:
        async with engine_occupancy(self.queue, self.worker, self.job_id) as on_engine:
            return await self.stage_cache.get_or_run(
                call,
                keys=keys,
                on_progress=on_progress,
                cancelled=self.cancelled,
                limit=limit,
                on_engine=on_engine,
                clip_seconds=self._clip_seconds or _estimate_seconds(call),
            )

    def publish_work(
        self,
        call: StageCall,
        fraction: float,
        message: str = "",
        draft: tuple[DraftLine, ...] = (),
        files: tuple[Artefact, ...] = (),
        *,
        computed: float | None = None,
    ) -> None:
        """Publish how far a stage is, with what that costs; `computed`: how much of it was not kept from before."""
        share = fraction if computed is None else computed
        cost = share * self._clip_seconds if call.stage.costly else 0.0
        self.publish(
            Progress(stage=call.stage.name, fraction=fraction, message=message, cost=cost, draft=draft, files=files),
            given=fraction - share,
        )

    def _check_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled("The job was cancelled.")


def _estimate_seconds(call: StageCall) -> float:
    """Estimate the length of a clip that was not probed yet."""
    return max((estimate_weight(file.size, file.media_type) for file in call.inputs.values()), default=0.0)
