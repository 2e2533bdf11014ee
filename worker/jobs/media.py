"""The job of a media worker: the whole stage graph, under a lease, with events."""

import asyncio
import dataclasses
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol, cast

import structlog
from msgspec import UNSET

from pipeline.errors import AudioProcessingError, QueueError
from pipeline.graph.compact import add_compact
from pipeline.graph.context import Limits
from pipeline.graph.stage import AnyStage, StageExecutor
from pipeline.types import Artefact, Request, Result, Task
from worker.jobs.attempts import TRANSIENT_ERRORS, run_attempt
from worker.jobs.stage_cache import StageCache
from worker.jobs.stage_runner import StageRunner, progress_events
from worker.log import private_names
from worker.protocol import (
    DEFAULT_UPLOAD_LIMIT_BYTES,
    PREFETCH_PREFIX,
    PROTOCOL_VERSION,
    Finished,
    Job,
    Message,
    decode_stored_job,
    other_version_error,
    owner_of,
)
from worker.queue import Queue
from worker.queue.keys import MEDIA
from worker.queue.lease import MAX_ATTEMPTS, Lease


class RunGraph(Protocol):
    """The stage graph, `pipeline.graph.run.run`."""

    async def __call__(
        self,
        request: Request,
        source: Artefact,
        execute: StageExecutor,
        *,
        dub: Artefact | None = None,
        limits: Limits | None = None,
    ) -> Result:
        """Run a clip through the stages that its request asks for."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext:
    """What the arq functions of a worker share; arq passes it as `ctx["context"]`."""

    name: str
    queue: Queue
    stage_cache: StageCache
    run_graph: RunGraph
    limits: Limits
    stopping: asyncio.Event
    """Set when this worker was told to stop; unfinished attempts then do not count."""
    prefetch: bool = True
    stages: Mapping[str, AnyStage] | None = None
    """None: the stages of the pipeline."""


async def perform_media(ctx: dict[str, Any], job_id: str) -> None:
    """Run a job; the arq function of the media queue."""
    context = cast("WorkerContext", ctx["context"])
    data = await context.queue.read_job(MEDIA, job_id)
    if data is None:
        return
    job = decode_stored_job(job_id, data)

    async def work(lease: Lease) -> Message:
        if not job.is_supported:
            raise other_version_error(f"version {job.version}, expected {PROTOCOL_VERSION}")
        return await _run_job(context, job, lease)

    with private_names(*(file.name for file in job.files)):
        await run_attempt(
            context.queue,
            MEDIA,
            job_id,
            context.name,
            work,
            stopping=context.stopping,
            keep_dead=not job.prefetch,
            trace=job.trace,
            submitted=None if job.prefetch else job.submitted,
        )


async def _run_job(context: WorkerContext, job: Job, lease: Lease) -> Message:
    await context.stage_cache.store.references.add_for_job(owner_of(job.id), [file.digest for file in job.files])
    async with progress_events(lease) as publish, _cancel_prefetch_on_stop(context, job, lease):
        execute = StageRunner(
            stage_cache=context.stage_cache,
            queue=context.queue,
            publish=publish,
            cancelled=lease.cancelled,
            job_id=job.id,
            worker=context.name,
            fresh=job.fresh,
        )
        limits = _narrow_limits(context.limits, job)
        try:
            result = await context.run_graph(job.request, job.source, execute, dub=job.dub, limits=limits)
        except AudioProcessingError as error:
            # Also those of a branch that was stopped when another one failed; a further attempt waits for them, too.
            if lease.attempt >= MAX_ATTEMPTS or not isinstance(error, TRANSIENT_ERRORS):
                await execute.unfollow()
            raise
        if job.reply_to is not None:
            # A person's own limit may be larger than that of the bot, which answers later.
            result = await add_compact(
                result, job.source, min(job.reply_to.size_limit, DEFAULT_UPLOAD_LIMIT_BYTES), execute
            )
    await _submit_prefetch(context, job)
    return Finished(result=result)


def _narrow_limits(limits: Limits, job: Job) -> Limits:
    """Narrow the limits of the worker by those of the job."""
    if job.max_duration is None:
        return limits
    return dataclasses.replace(limits, max_duration=min(limits.max_duration, job.max_duration))


@asynccontextmanager
async def _cancel_prefetch_on_stop(context: WorkerContext, job: Job, lease: Lease) -> AsyncGenerator[None]:
    """Cancel a prefetch job as soon as the worker is told to stop; nobody waits for it."""

    async def watch() -> None:
        await context.stopping.wait()
        if job.prefetch:
            lease.cancelled.set()

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()


async def _submit_prefetch(context: WorkerContext, job: Job) -> None:
    """After a separation, in idle time, also transcribe: people often ask for it next."""
    if not context.prefetch or job.prefetch or job.request.task is not Task.SEPARATE:
        return
    try:
        if await context.queue.is_idle(besides=job.id):
            # As a person asks for a transcript: without tracks of speakers.
            request = dataclasses.replace(job.request, task=Task.TRANSCRIBE, speaker_stems=UNSET)
            prefetch = Job(
                id=f"{PREFETCH_PREFIX}{job.id}",
                request=request,
                source=job.source,
                submitted=time.time(),
                prefetch=True,
            )
            await context.queue.submit(prefetch)
    except QueueError as error:
        structlog.get_logger().warning("prefetch not submitted", job=job.id, error=error.message)
