"""Runs one attempt at a job and records how it ended: finished, failed, stopped, to be retried, or dead."""

import asyncio
import time
import traceback
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeAlias

import structlog
from msgspec import UNSET, UnsetType

from pipeline.errors import AttemptsError, AudioProcessingError, Cancelled, EngineDiedError, QueueError, StoreError
from worker.protocol import Failed, JobStatus, Message, Started, Stopped
from worker.queue import Queue
from worker.queue.keys import Keys
from worker.queue.lease import MAX_ATTEMPTS, Lease, LeaseLostError
from worker.store.disk_space import FULL_ERRNOS, disk_full_error
from worker.telemetry import current_metrics, record_span, span

AttemptBody: TypeAlias = Callable[[Lease], Coroutine[Any, Any, Message]]
"""Does the job and returns its last event; raises what went wrong."""

RETRY_DELAY_S: Final = 1.0
"""Delay before the second attempt; the third waits twice as long."""
STOP_TIMEOUT_S: Final = 8.0
"""How long cancelled work may take to clean up."""
TRANSIENT_ERRORS = (EngineDiedError, StoreError, QueueError)
"""Errors that another attempt may not meet again."""


async def run_attempt(
    queue: Queue,
    keys: Keys,
    job_id: str,
    worker: str,
    work: AttemptBody,
    *,
    stopping: asyncio.Event,
    keep_dead: bool = True,
    trace: str | UnsetType = UNSET,
    submitted: float | None = None,
) -> None:
    """Take a job, do its work under a lease and write how it ended.

    Args:
        queue: The queue.
        keys: The keys of the kind of job.
        job_id: The job.
        worker: Name of this worker.
        work: Does the job.
        stopping: Set when this worker was told to stop; an interrupted attempt then does not count.
        keep_dead: Keep a job that used up its attempts as "dead", so that it can be replayed.
        trace: The `traceparent` of the span that the attempt is below.
        submitted: Unix time of the job's submission, when its time in the queue is to be noted.

    Raises:
        CancelledError: This worker is told to stop.
        QueueError: The broker stayed away.
    """
    lease = await Lease.acquire(queue, keys, job_id, worker)
    if lease.outcome in ("missing", "ended", "held"):
        return
    try:
        if lease.outcome == "exhausted":
            reason = lease.last_error or "Its worker was lost each time."
            await _end(lease, *_give_up(reason, "", keep_dead))
            return
        if submitted is not None and lease.attempt == 1:
            _note_wait(trace, submitted)
        await _supervise(lease, asyncio.create_task(_work(lease, work, trace)), stopping, keep_dead)
    except LeaseLostError:
        # Whoever took the lease has put the job into the queue again.
        _count(lease, "lost")
        structlog.get_logger().warning("lease lost, another worker has the job", job=job_id, attempt=lease.attempt)


async def _supervise(lease: Lease, working: asyncio.Task[Message], stopping: asyncio.Event, keep_dead: bool) -> None:
    """Renew the lease until the work's end is written, which may have to wait for the broker."""
    renewing = asyncio.create_task(lease.renew())
    try:
        await asyncio.wait({working, renewing}, return_when=asyncio.FIRST_COMPLETED)
        await _record_outcome(lease, working, keep_dead)
    except asyncio.CancelledError:
        await _stop(working)
        _count(lease, "interrupted")
        await lease.release(counted=not stopping.is_set())
        raise
    finally:
        renewing.cancel()


async def _work(lease: Lease, work: AttemptBody, trace: str | UnsetType) -> Message:
    structlog.contextvars.bind_contextvars(job=lease.job_id, attempt=lease.attempt)
    attributes = {"stemcord.job": lease.job_id, "stemcord.attempt": lease.attempt, "stemcord.worker": lease.worker}
    with span(f"attempt {lease.keys.kind}", trace=trace, attributes=attributes):
        await lease.emit(Started(attempt=lease.attempt, worker=lease.worker))
        try:
            return await work(lease)
        except OSError as error:
            if error.errno in FULL_ERRNOS:
                raise disk_full_error(_trace(error)) from error
            raise


def _note_wait(trace: str | UnsetType, submitted: float) -> None:
    now = time.time()
    record_span("queue", trace=trace, start=submitted, end=now)
    if (metrics := current_metrics()) is not None:
        metrics.observe_wait(now - submitted)


def _count(lease: Lease, outcome: str) -> None:
    if (metrics := current_metrics()) is not None:
        metrics.count_attempt(lease.keys.kind, outcome)


async def _end(lease: Lease, status: JobStatus, message: Message, error: str = "") -> None:
    """Write the end of a job and count it."""
    await lease.end(status, message, error)
    _count(lease, status)


async def _record_outcome(lease: Lease, working: asyncio.Task[Message], keep_dead: bool) -> None:
    if not working.done():
        await _stop(working)
        if not lease.cancelled.is_set():
            raise LeaseLostError(lease.job_id)
        return await _end(lease, "stopped", Stopped())
    try:
        message = working.result()
    except Cancelled:
        return await _end(lease, "stopped", Stopped())
    except TRANSIENT_ERRORS as error:
        _log_failure(lease, error)
        if lease.attempt < MAX_ATTEMPTS:
            _count(lease, "retried")
            return await lease.release(counted=True, error=error.message, delay_s=RETRY_DELAY_S * lease.attempt)
        return await _end(lease, *_give_up(error.message, error.detail, keep_dead))
    except AudioProcessingError as error:
        _log_failure(lease, error)
        return await _end(lease, "failed", Failed(failure=error.to_failure()), error.message)
    except LeaseLostError:
        raise
    except Exception as error:  # noqa: BLE001 - a job that failed in an unknown way must still be answered
        named = AudioProcessingError("Something unexpected went wrong.", detail=_trace(error))
        _log_failure(lease, named)
        return await _end(lease, "failed", Failed(failure=named.to_failure()), named.message)
    return await _end(lease, "finished", message)


def _give_up(reason: str, detail: str, keep_dead: bool) -> tuple[JobStatus, Message, str]:
    error = AttemptsError(f"The job failed {MAX_ATTEMPTS} times and was put aside: {reason}", detail=detail)
    return "dead" if keep_dead else "failed", Failed(failure=error.to_failure()), error.message


async def _stop(working: asyncio.Task[Message]) -> None:
    working.cancel()
    await asyncio.wait({working}, timeout=STOP_TIMEOUT_S)


def _log_failure(lease: Lease, error: AudioProcessingError) -> None:
    structlog.get_logger().warning(
        "attempt failed",
        job=lease.job_id,
        attempt=lease.attempt,
        kind=type(error).__name__,
        error=error.message,
        detail=error.detail,
        stage=error.stage,
    )


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
