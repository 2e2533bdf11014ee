"""Provide a queue with workers for one command, and follow a job to its end."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final, TypeAlias

from rich.console import Console

from deploy.cli.progress import JobProgressBars
from deploy.local.embedded_broker import EmbeddedBroker
from deploy.local.supervisor import LocalWorkers
from deploy.local.worker_process import worker_python
from pipeline.errors import AudioProcessingError, Cancelled, EngineError, QueueError, from_failure
from pipeline.media.contracts import EXTRACT, PREPARE_SPEECH
from pipeline.speech.contracts import FIND_SPEECH, TRANSCRIBE
from pipeline.types import Result
from worker.protocol import TERMINAL_EVENTS, Event, Failed, Finished, Job, Progressed, Stopped, WorkerKind
from worker.queue import Queue
from worker.queue.worker_name import new_worker_name
from worker.settings import WorkerSettings

CANCEL_TIMEOUT_S: Final = 10.0
"""Seconds that a cancelled job may take to end."""
WORKER_CHECK_INTERVAL_S: Final = 2.0
"""Seconds between two looks for the workers of a job that is followed."""
OUTAGE_TIMEOUT_S: Final = 60.0
"""Seconds that the broker may be away, or take no writes, while a job is followed."""
ABSENCE_GRACE_S: Final = 15.0
"""Seconds that the workers of a configured broker may be away before one is started here."""
SPEECH_STAGES: Final = frozenset(stage.name for stage in (EXTRACT, PREPARE_SPEECH, FIND_SPEECH, TRANSCRIBE))
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
        served = settings.redis_url is not None and bool(await queue.workers())
        if not served:
            for kind in kinds:
                worker_python(kind, settings)
            console.print("Starting the workers …")
        workers = await stack.enter_async_context(LocalWorkers(settings, url, queue, in_process=True))
        absence = WorkerAbsence(queue)

        async def ensure_worker(kind: WorkerKind) -> None:
            if kind in kinds and (not served or (_can_start(kind, settings) and await absence.is_long(kind))):
                await workers.ensure(kind)

        yield queue, ensure_worker


class WorkerAbsence:
    """How long the workers of a broker that others serve have been away; theirs may just be starting anew."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._since: dict[WorkerKind, float] = {}

    async def is_long(self, kind: WorkerKind) -> bool:
        """Look for workers of a kind; True when there were none for a while."""
        if kind in {worker.kind for worker in await self._queue.workers()}:
            self._since.pop(kind, None)
            return False
        return time.monotonic() - self._since.setdefault(kind, time.monotonic()) >= ABSENCE_GRACE_S


def _can_start(kind: WorkerKind, settings: WorkerSettings) -> bool:
    try:
        worker_python(kind, settings)
    except EngineError:
        return False
    return True


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
    # From here on, since the workers may take longer to start than a job goes on without signs of life.
    living = asyncio.create_task(_give_signs_of_life(queue, job.id, new_worker_name()))
    try:
        await asyncio.wait({starting, living}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            # It ends with an error only.
            living.result()
        starting.result()
        with JobProgressBars(console) as progress:
            return await _follow(queue, job, progress, ensure_worker, living)
    except (EngineError, QueueError):
        # Nobody would follow it when a worker comes one day.
        with contextlib.suppress(QueueError):
            await queue.cancel(job.id)
        raise
    finally:
        living.cancel()
        await asyncio.wait({living})


async def _follow(
    queue: Queue, job: Job, progress: JobProgressBars, ensure_worker: EnsureWorker, living: asyncio.Task[None]
) -> Result:
    interrupted = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted.set)
    heard = asyncio.Event()
    following = asyncio.create_task(_last_event(queue, job.id, progress, heard))
    stopping = asyncio.create_task(interrupted.wait())
    keeping = [asyncio.create_task(_keep_worker("media", ensure_worker, None))]
    keeping += [asyncio.create_task(_keep_worker("asr", ensure_worker, heard))]
    try:
        await asyncio.wait({following, stopping, living, *keeping}, return_when=asyncio.FIRST_COMPLETED)
        if not following.done():
            for task in (living, *keeping):
                if task.done():
                    # It ends with an error only.
                    task.result()
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
        for task in (following, stopping, *keeping):
            task.cancel()
        await asyncio.wait({following, stopping, *keeping})


async def _keep_worker(kind: WorkerKind, ensure_worker: EnsureWorker, needed: asyncio.Event | None) -> None:
    """Keep looking for a worker, once it is needed: the one that runs may belong to a command that ends."""
    if needed is not None:
        await needed.wait()
    while True:
        # Who follows the job decides how long the broker may be away.
        with contextlib.suppress(QueueError):
            await ensure_worker(kind)
        await asyncio.sleep(WORKER_CHECK_INTERVAL_S)


async def _give_signs_of_life(queue: Queue, job_id: str, follower: str) -> None:
    """Say again and again that the job is followed. A broker that takes no writes lets no job end.

    Raises:
        QueueError: It was away, or took no writes, for too long.
    """
    last = time.monotonic()
    while True:
        try:
            await queue.note_follower(job_id, follower)
            last = time.monotonic()
        except QueueError:
            if time.monotonic() - last > OUTAGE_TIMEOUT_S:
                raise
        await asyncio.sleep(WORKER_CHECK_INTERVAL_S)


async def _last_event(queue: Queue, job_id: str, progress: JobProgressBars, heard: asyncio.Event) -> Event | None:
    """Show the events of a job up to its last one; `heard` is set when a transcription comes."""
    async for event in queue.events(job_id):
        progress.show(event)
        if isinstance(event, TERMINAL_EVENTS):
            return event
        if isinstance(event, Progressed) and event.progress.stage in SPEECH_STAGES and event.progress.fraction < 1:
            heard.set()
    return None
