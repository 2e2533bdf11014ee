"""Single stages, each under a lease, for jobs that run elsewhere: the stages of asr workers, and parts of long work."""

from typing import Any, cast

import msgspec
from msgspec import UNSET, UnsetType

from pipeline.errors import Cancelled, DamagedFileError
from pipeline.graph.registry import STAGES
from pipeline.types import Progress
from worker.jobs.attempts import run_attempt
from worker.jobs.media import WorkerContext
from worker.jobs.stage_cache import StageCall
from worker.jobs.stage_runner import progress_events
from worker.protocol import CONTRACT_VERSION, Failed, Message, StageJob, decode_stage_job, other_version_error
from worker.queue.engine_occupancy import engine_occupancy
from worker.queue.keys import ASR, MEDIA, PART, Keys
from worker.queue.lease import Lease
from worker.queue.scripts.job_scripts import IS_FOLLOWED


async def perform_asr(ctx: dict[str, Any], job_id: str) -> None:
    """Run a stage job; the arq function of the asr queue."""
    await _perform(cast("WorkerContext", ctx["context"]), ASR, job_id)


async def perform_part(ctx: dict[str, Any], job_id: str) -> None:
    """Run a stage that any media worker may take; the arq function of the queue of parts."""
    await _perform(cast("WorkerContext", ctx["context"]), PART, job_id)


async def _perform(context: WorkerContext, keys: Keys, job_id: str) -> None:
    data = await context.queue.read_job(keys, job_id)
    if data is None:
        return

    job, unreadable = None, ""
    try:
        job = decode_stage_job(data)
    except msgspec.DecodeError as error:
        unreadable = str(error)

    async def work(lease: Lease) -> Message:
        if job is None:
            raise other_version_error(unreadable)
        try:
            return await _run_stage(context, job, lease)
        except DamagedFileError as error:
            # Whoever sent it can have the file made again; trying it again here cannot.
            return Failed(failure=error.to_failure())

    trace = UNSET if job is None else job.trace
    await run_attempt(context.queue, keys, job_id, context.name, work, stopping=context.stopping, trace=trace)


async def _run_stage(context: WorkerContext, job: StageJob, lease: Lease) -> Message:
    stages = STAGES if context.stages is None else context.stages
    stage = stages.get(job.stage)
    if stage is None or job.contract != CONTRACT_VERSION:
        raise other_version_error(f"stage {job.stage}, contract {job.contract}, expected {CONTRACT_VERSION}")
    if not await context.queue.connection.run(IS_FOLLOWED, [lease.keys.followers(job.id)], [MEDIA.record_prefix]):
        # As when a job is cancelled between two of its attempts.
        raise Cancelled("The jobs that this step was for have ended.")
    occupied = engine_occupancy(context.queue, context.name, job.id)
    async with progress_events(lease) as publish, occupied as on_engine:
        result, _ = await context.stage_cache.get_or_run(
            StageCall(stage=stage, inputs=job.inputs, params=job.params),
            keys=job.keys,
            on_progress=lambda fraction, message, draft=(): publish(
                Progress(stage=job.stage, fraction=fraction, message=message, draft=draft)
            ),
            cancelled=lease.cancelled,
            limit=job.timeout_s,
            on_engine=on_engine,
            clip_seconds=0.0 if isinstance(job.clip_seconds, UnsetType) else job.clip_seconds,
        )
    for key in job.keys:
        await context.stage_cache.store.release_unclaimed(key)
    return result
