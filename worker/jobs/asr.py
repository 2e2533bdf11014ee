"""The job of an asr worker: single stages, each under a lease, for jobs that run elsewhere."""

from typing import Any, cast

import msgspec
from msgspec import UNSET, UnsetType

from pipeline.errors import DamagedFileError
from pipeline.graph.registry import STAGES
from pipeline.types import Progress
from worker.jobs.attempts import run_attempt
from worker.jobs.media import WorkerContext
from worker.jobs.stage_cache import StageCall
from worker.jobs.stage_runner import progress_events
from worker.protocol import CONTRACT_VERSION, Failed, Message, StageJob, decode_stage_job, other_version_error
from worker.queue.keys import ASR
from worker.queue.lease import Lease


async def perform_asr(ctx: dict[str, Any], job_id: str) -> None:
    """Run a stage job; the arq function of the asr queue."""
    context = cast("WorkerContext", ctx["context"])
    data = await context.queue.read_job(ASR, job_id)
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
    await run_attempt(context.queue, ASR, job_id, context.name, work, stopping=context.stopping, trace=trace)


async def _run_stage(context: WorkerContext, job: StageJob, lease: Lease) -> Message:
    stages = STAGES if context.stages is None else context.stages
    stage = stages.get(job.stage)
    if stage is None or job.contract != CONTRACT_VERSION:
        raise other_version_error(f"stage {job.stage}, contract {job.contract}, expected {CONTRACT_VERSION}")
    async with progress_events(lease) as publish:
        result, _ = await context.stage_cache.get_or_run(
            StageCall(stage=stage, inputs=job.inputs, params=job.params),
            keys=job.keys,
            on_progress=lambda fraction, message, draft=(): publish(
                Progress(stage=job.stage, fraction=fraction, message=message, draft=draft)
            ),
            cancelled=lease.cancelled,
            limit=job.timeout_s,
            clip_seconds=0.0 if isinstance(job.clip_seconds, UnsetType) else job.clip_seconds,
        )
    return result
