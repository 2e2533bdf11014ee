"""Provide a queue with workers for one command, and follow a job to its end."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final, TypeAlias

from rich.console import Console

from deploy.cli.progress import JobProgressBars
from deploy.local.embedded_broker import EmbeddedBroker
from deploy.local.supervisor import LocalWorkers, worker_python
from pipeline.errors import AudioProcessingError, Cancelled, EngineError, from_failure
from pipeline.media.contracts import EXTRACT, PREPARE_SPEECH
from pipeline.separation.contracts import SEPARATE
from pipeline.speech.contracts import DIARIZE, TRANSCRIBE
from pipeline.types import Result
from worker.protocol import TERMINAL_EVENTS, Event, Failed, Finished, Job, Progressed, Stopped, WorkerKind
from worker.queue import Queue
from worker.settings import WorkerSettings

CANCEL_TIMEOUT_S: Final = 10.0
"""Seconds that a cancelled job may take to end."""
SPEECH_STAGES: Final = frozenset(stage.name for stage in (EXTRACT, SEPARATE, PREPARE_SPEECH, DIARIZE, TRANSCRIBE))
"""Stages that, unless the store has their results, are followed by a transcription."""
EnsureWorker: TypeAlias = Callable[[WorkerKind], Coroutine[None, None, None]]
"""Sees that a worker of a kind is alive; raises `EngineError` when it cannot be started."""


@asynccontextmanager
async def local_queue(
    settings: WorkerSettings, console: Console, kinds: Sequence[WorkerKind]
) -> AsyncIterator[tuple[Queue, EnsureWorker]]:
    """Connect to the queue, with a function that starts a worker of a kind unless one is running.

    Without a configured broker, the embedded one is used. Workers that are started here stop at the end.

    Args:
        settings: The broker and what the workers need.
        console: Where the start of workers is reported.
        kinds: Kinds of workers that may be started.

    Raises:
        EngineError: The environment of a worker is missing.
    """
    async with AsyncExitStack() as stack:
        url = settings.redis_url or await stack.enter_async_context(EmbeddedBroker(settings.home))
        queue = await stack.enter_async_context(Queue.connect(url))
        if settings.redis_url is not None and await queue.workers():
            yield queue, _no_worker_needed
            return
        for kind in kinds:
            worker_python(kind, settings)
        console.print("Starting the workers …")
        workers = await stack.enter_async_context(LocalWorkers(settings, url, queue, in_process=True))

        async def ensure_worker(kind: WorkerKind) -> None:
            if kind in kinds:
                await workers.ensure(kind)

        yield queue, ensure_worker


async def _no_worker_needed(_: WorkerKind) -> None: ...


async def follow(
    queue: Queue, job: Job, starting: asyncio.Task[None], ensure_worker: EnsureWorker, console: Console
) -> Result:
    """Submit a job and return its result; Ctrl-C cancels the job.

    Args:
        queue: The queue.
        job: The job.
        starting: The start of the workers, which may still be in progress.
        ensure_worker: Starts a worker of a kind unless one is running.
        console: Where progress is shown.

    Raises:
        StemcordError: The job failed; the error is the job's own.
        Cancelled: The job was cancelled.
        EngineError: A worker cannot be started.
    """
    await queue.submit(job)
    try:
        await starting
        with JobProgressBars(console) as progress:
            return await _follow(queue, job, progress, ensure_worker)
    except EngineError:
        # Nobody would follow it when a worker comes one day.
        await queue.cancel(job.id)
        raise


async def _follow(queue: Queue, job: Job, progress: JobProgressBars, ensure_worker: EnsureWorker) -> Result:
    interrupted = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted.set)
    following = asyncio.create_task(_last_event(queue, job.id, progress, ensure_worker))
    stopping = asyncio.create_task(interrupted.wait())
    try:
        await asyncio.wait({following, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not following.done():
            await queue.cancel(job.id)
            await asyncio.wait({following}, timeout=CANCEL_TIMEOUT_S)
            raise Cancelled("Stopped.", hint="Finished stages are kept for the next run.")
        match await following:
            case Finished(result=result):
                return result
            case Failed(failure=failure):
                raise from_failure(failure)
            case Stopped():
                raise Cancelled("The job was cancelled.")
            case _:
                raise AudioProcessingError("The job ended without a result.")
    finally:
        following.cancel()
        stopping.cancel()


async def _last_event(
    queue: Queue, job_id: str, progress: JobProgressBars, ensure_worker: EnsureWorker
) -> Event | None:
    async for event in queue.events(job_id):
        progress.show(event)
        if isinstance(event, TERMINAL_EVENTS):
            return event
        if isinstance(event, Progressed) and event.progress.stage in SPEECH_STAGES and event.progress.fraction < 1:
            await ensure_worker("asr")
    return None
