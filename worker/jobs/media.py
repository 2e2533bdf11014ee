"""What a media worker does with a job: the whole stage graph, under a lease, with events."""

import asyncio
import dataclasses
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol, cast

import msgspec
import structlog
from arq.worker import Retry

from pipeline.errors import QueueError, ValidationError
from pipeline.graph.compact import add_compact
from pipeline.graph.context import Limits
from pipeline.graph.stage import AnyStage, StageExecutor
from pipeline.types import Artefact, Request, Result, Task
from worker.jobs.attempts import HELD_DELAY, make_attempt
from worker.jobs.stage_cache import StageCache
from worker.jobs.stage_runner import StageRunner, progress_events
from worker.protocol import (
    DEFAULT_UPLOAD_LIMIT_BYTES,
    PREFETCH_PREFIX,
    PROTOCOL_VERSION,
    Finished,
    Job,
    Message,
    decode_job,
    owner_of,
)
from worker.queue import Queue
from worker.queue.keys import MEDIA, Keys
from worker.queue.lease import Lease


class RunGraph(Protocol):
    """The stage graph, `pipeline.graph.run.run`."""

    async def __call__(
        self,
        request: Request,
        source: Artefact,
        perform: StageExecutor,
        *,
        dub: Artefact | None = None,
        limits: Limits | None = None,
    ) -> Result:
        """Take a clip through the stages that its request asks for."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext:
    """What a worker's arq functions share; arq passes it as `ctx["context"]`."""

    name: str
    queue: Queue
    stage_cache: StageCache
    run_graph: RunGraph
    limits: Limits
    stopping: asyncio.Event
    """Set when this worker was told to end: unfinished attempts then do not count."""
    prefetch: bool = True
    stages: Mapping[str, AnyStage] | None = None
    """None: the stages of the pipeline."""


async def perform_media(ctx: dict[str, Any], job_id: str) -> None:
    """The arq function of the media queue."""
    context = cast("WorkerContext", ctx["context"])
    data = await read_record(context.queue, MEDIA, job_id)
    if data is None:
        return
    job = _decode(data)

    async def work(lease: Lease) -> Message:
        if job is None:
            raise ValidationError("The job was made by another version of Stemcord.", hint="Send the clip again.")
        return await _perform_job(context, job, lease)

    prefetch = job is not None and job.prefetch
    await make_attempt(
        context.queue, MEDIA, job_id, context.name, work, stopping=context.stopping, keep_dead=not prefetch
    )


async def read_record(queue: Queue, keys: Keys, job_id: str) -> bytes | None:
    """The job as it was submitted, None when it is unknown; raises arq's `Retry` when the broker is away."""
    try:
        return await queue.read_job(keys, job_id)
    except QueueError as error:
        raise Retry(HELD_DELAY) from error


def _decode(data: bytes) -> Job | None:
    try:
        job = decode_job(data)
    except msgspec.MsgspecError as error:
        structlog.get_logger().warning("a job cannot be read", error=str(error))
        return None
    return job if job.version == PROTOCOL_VERSION else None


async def _perform_job(context: WorkerContext, job: Job, lease: Lease) -> Message:
    clips = [job.source.digest] if job.dub is None else [job.source.digest, job.dub.digest]
    await context.stage_cache.store.references.add_for_job(owner_of(job.id), clips)
    async with progress_events(lease) as publish, _cancel_prefetch_on_stop(context, job, lease):
        perform = StageRunner(
            stage_cache=context.stage_cache,
            queue=context.queue,
            publish=publish,
            cancelled=lease.cancelled,
            job_id=job.id,
            fresh=job.fresh,
        )
        result = await context.run_graph(
            job.request, job.source, perform, dub=job.dub, limits=_limits(context.limits, job)
        )
        if job.reply_to is not None:
            # By whichever way the answer then goes, a copy of that size may go with it.
            result = await add_compact(
                result, job.source, min(job.reply_to.size_limit, DEFAULT_UPLOAD_LIMIT_BYTES), perform
            )
    await _submit_prefetch(context, job)
    return Finished(result=result)


def _limits(usual: Limits, job: Job) -> Limits:
    """The worker's limits, narrowed by those of the job."""
    if job.max_duration is None:
        return usual
    return dataclasses.replace(usual, max_duration=min(usual.max_duration, job.max_duration))


@asynccontextmanager
async def _cancel_prefetch_on_stop(context: WorkerContext, job: Job, lease: Lease) -> AsyncGenerator[None]:
    """Work ahead ends at once when the worker is to stop; nobody waits for it."""

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
    """After a separation with nothing else to do, transcribe too: people often ask for it next."""
    if not context.prefetch or job.prefetch or job.request.task is not Task.SEPARATE:
        return
    try:
        if await context.queue.is_idle(besides=job.id):
            request = dataclasses.replace(job.request, task=Task.TRANSCRIBE)
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
