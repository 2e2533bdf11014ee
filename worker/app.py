"""The worker process from start to end: the arq loop, the reaper, signals and draining."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import stamina
import structlog
from arq.worker import func
from redis.exceptions import RedisError

from pipeline.errors import QueueError, StoreError
from pipeline.graph.context import Limits
from pipeline.graph.run import run
from pipeline.graph.stage import AnyStage
from worker.engine.confinement.policy import shortfalls
from worker.engine.lanes import Lanes
from worker.engine.supervisor import EngineSupervisor
from worker.jobs.media import RunGraph, WorkerContext, perform_media
from worker.jobs.stage_cache import StageCache
from worker.jobs.stage_jobs import perform_asr, perform_part
from worker.protocol import WorkerKind
from worker.queue import Queue
from worker.queue.fairness import SMALL_SLOTS
from worker.queue.keys import ASR, MEDIA, PART, Keys
from worker.queue.reaper import Reaper
from worker.queue.reconnecting_worker import MAX_RETRY_DELAY_S, ReconnectingWorker
from worker.queue.redis_client import open_redis
from worker.queue.worker_name import new_worker_name
from worker.settings import WorkerSettings
from worker.store import Store
from worker.store.disk_space import disk_full_error, is_disk_full
from worker.store.private_home import close_home
from worker.store.scratch import Scratch, remove_abandoned, scratch_root
from worker.telemetry.sampling import sample_engines, sample_queue
from worker.telemetry.session import open_telemetry

POLL_INTERVAL_S: Final = 0.1
JOB_TIMEOUT_S: Final = 24 * 3600.0
"""A safety net above the limits of the stages; reclaiming jobs does not depend on it."""
CLOSE_TIMEOUT_S: Final = 15.0
SWEEP_INTERVAL_S: Final = 60.0
"""Seconds between two looks for temporary files of processes that are gone."""
PRELOADED_MODULES: Final[Mapping[WorkerKind, tuple[str, ...]]] = {"media": ("pipeline.mix.stage",), "asr": ()}
"""What an engine imports before its first stage: the modules of a mix, since people wait for that one."""

Perform: TypeAlias = Callable[[dict[str, Any], str], Coroutine[Any, Any, None]]
"""A function of arq, given its context and the id of a job."""

READER_MODULES: Final = ("pipeline.media.stages", "pipeline.media.tools.stage", "pipeline.media.tools.captions")
"""What the process that reads the files of strangers imports before the first of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerApp:
    """A worker of one kind."""

    kind: WorkerKind
    settings: WorkerSettings
    run: RunGraph = run
    stages: Mapping[str, AnyStage] | None = None
    name: str = field(default_factory=new_worker_name)
    job_timeout_s: float = JOB_TIMEOUT_S

    async def serve(self, stopping: asyncio.Event | None = None) -> None:
        """Work until told to stop.

        Args:
            stopping: Stops the worker when it is set; without it, signals to this process do.

        Raises:
            QueueError: The queue cannot be reached.
            StoreError: The store cannot be opened.
            EngineDiedError: The engine process cannot be started.
        """
        signals = contextlib.nullcontext() if stopping is not None else None
        stopping = stopping or asyncio.Event()
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(open_telemetry(self.settings, service=self.kind, instance=self.name))
            context, reaper = await self._open(stack, stopping)
            workers = self._arq_workers(context)
            with signals or _stop_signals(stopping, tied=self.settings.tied):
                await reaper.register()
                await reaper.scan()
                for shortfall in shortfalls():
                    structlog.get_logger().warning("the engine is less confined", reason=shortfall)
                structlog.get_logger().info("worker ready", kind=self.kind, name=self.name)
                async with _sampled(context):
                    await self._work(context.queue, workers, reaper, stopping)

    async def _open(self, stack: AsyncExitStack, stopping: asyncio.Event) -> tuple[WorkerContext, Reaper]:
        settings = self.settings
        if settings.redis_url is None:
            raise QueueError("STEMCORD_REDIS_URL is not set.", hint="Set it, or start everything with `stemcord up`.")
        await asyncio.to_thread(close_home, settings.home)
        store = await asyncio.to_thread(Store.open, settings.store_url, settings.keyring)
        queue = await stack.enter_async_context(Queue.connect(settings.redis_url))
        scratch = await asyncio.to_thread(_make_scratch, settings.home)
        stack.callback(scratch.close)
        preload = PRELOADED_MODULES[self.kind] if self.stages is None else ()
        new_engine = partial(EngineSupervisor, settings.home, settings.device, scratch=scratch.root, preload=preload)
        lanes = Lanes(new_engine(), new_engine(name="express") if settings.express else None)
        stack.push_async_callback(lanes.close)
        await lanes.engine.start()
        reader = None
        if self.kind == "media":
            new_reader = partial(
                EngineSupervisor, settings.home, "cpu", scratch=scratch.root, preload=READER_MODULES, forking=True
            )
            reader = Lanes(new_reader(), new_reader() if settings.express else None)
            stack.push_async_callback(reader.close)
            await reader.engine.start()
        context = WorkerContext(
            name=self.name,
            queue=queue,
            stage_cache=StageCache(store=store, engine=lanes.engine, scratch=scratch, lanes=lanes, reader=reader),
            run_graph=self.run,
            limits=Limits(max_duration=settings.max_duration, max_size=settings.max_size),
            stopping=stopping,
            prefetch=settings.look_ahead,
            stages=self.stages,
        )
        return context, Reaper(queue, self.kind, self.name)

    def _arq_workers(self, context: WorkerContext) -> list[ReconnectingWorker]:
        """Make the loops of this kind of worker: a media worker also takes parts of any job, one at a time."""
        if self.kind == "asr":
            return [self._arq_worker(context, ASR, perform_asr, 1)]
        jobs = self._arq_worker(context, MEDIA, perform_media, self.settings.media_jobs)
        # A part that waited here for the engine could be in another worker's.
        return [jobs, self._arq_worker(context, PART, perform_part, 1, small_slots=0)]

    def _arq_worker(
        self, context: WorkerContext, keys: Keys, work: Perform, jobs: int, small_slots: int = SMALL_SLOTS
    ) -> ReconnectingWorker:
        assert self.settings.redis_url is not None
        redis = open_redis(self.settings.redis_url, keys.queue)
        return ReconnectingWorker(
            queue=context.queue,
            keys=keys,
            small_slots=small_slots,
            functions=[func(cast("Any", work), name=keys.function)],
            queue_name=keys.queue,
            redis_pool=redis,
            handle_signals=False,
            max_jobs=jobs + small_slots,
            job_timeout=self.job_timeout_s,
            keep_result=0,
            # Attempts are counted by the lease.
            max_tries=1_000_000,
            poll_delay=POLL_INTERVAL_S,
            ctx={"context": context},
            job_serializer=redis.job_serializer,
            job_deserializer=redis.job_deserializer,
        )

    async def _work(
        self, queue: Queue, workers: Sequence[ReconnectingWorker], reaper: Reaper, stopping: asyncio.Event
    ) -> None:
        working = {asyncio.create_task(_run_forever(worker)) for worker in workers}
        reaping = asyncio.create_task(reaper.run())
        waiting = asyncio.create_task(stopping.wait())
        sweeping = asyncio.create_task(_sweep(scratch_root(self.settings.home)))
        try:
            await asyncio.wait({*working, waiting, reaping}, return_when=asyncio.FIRST_COMPLETED)
            for task in (*working, reaping):
                if task.done():
                    # None of them ends on its own, so this raises.
                    task.result()
            # Who looks for a worker for a new job must not count on this one.
            with contextlib.suppress(QueueError):
                await reaper.unregister()
            await self._drain(queue, *workers)
        finally:
            tasks = {*working, reaping, waiting, sweeping}
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            with contextlib.suppress(QueueError):
                await reaper.unregister()
            await asyncio.gather(*map(_close, workers))

    async def _drain(self, queue: Queue, jobs: ReconnectingWorker, *parts: ReconnectingWorker) -> None:
        """Leave what runs its time; where no other worker takes the parts that its jobs wait for, this one does."""
        jobs.allow_pick_jobs = False
        alone = await _is_alone(queue, self.kind)
        for worker in parts:
            worker.allow_pick_jobs = alone
        running = sum(len(_running(worker)) for worker in (jobs, *parts))
        structlog.get_logger().info("worker stopping", kind=self.kind, running=running)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.settings.drain):
                for worker in (jobs, *parts):
                    worker.allow_pick_jobs = False
                    if tasks := _running(worker):
                        await asyncio.wait(tasks)
        for worker in parts:
            worker.allow_pick_jobs = False


def _running(worker: ReconnectingWorker) -> list[asyncio.Task[None]]:
    return [task for task in worker.tasks.values() if not task.done()]


async def _is_alone(queue: Queue, kind: WorkerKind) -> bool:
    """Tell whether no other worker of a kind is there, for one that is no longer listed itself."""
    with contextlib.suppress(QueueError):
        return all(worker.kind != kind for worker in await queue.workers())
    return True


def _make_scratch(home: Path) -> Scratch:
    try:
        return Scratch(scratch_root(home))
    except OSError as error:
        if is_disk_full(error, home):
            raise disk_full_error(repr(error)) from error
        raise StoreError(
            "The folder for temporary files cannot be made.",
            hint="Check STEMCORD_HOME and its rights.",
            detail=repr(error),
        ) from error


@contextlib.asynccontextmanager
async def _sampled(context: WorkerContext) -> AsyncGenerator[None]:
    """Note in the background how the queue and the engines stand."""
    cache = context.stage_cache
    pids = {} if cache.lanes is None else cache.lanes.pids()
    if cache.reader is not None:
        pids |= {"reader": cache.reader.pids()["warm"]}
    sampling = [asyncio.create_task(sample_queue(context.queue)), asyncio.create_task(sample_engines(pids))]
    try:
        yield
    finally:
        for task in sampling:
            task.cancel()
        await asyncio.wait(sampling)


async def _sweep(root: Path) -> None:
    """Remove, now and then, what processes left that were killed."""
    while True:
        await asyncio.sleep(SWEEP_INTERVAL_S)
        await asyncio.to_thread(remove_abandoned, root)


async def _close(worker: ReconnectingWorker) -> None:
    with contextlib.suppress(RedisError, OSError, TimeoutError):
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await worker.close()


@stamina.retry(
    on=(RedisError, OSError, TimeoutError), attempts=None, timeout=None, wait_initial=0.2, wait_max=MAX_RETRY_DELAY_S
)
async def _run_forever(worker: ReconnectingWorker) -> None:
    """Run the loop of arq, and restart it when an error outside of its polling ends it."""
    await worker.async_run()


@contextlib.contextmanager
def _stop_signals(stopping: asyncio.Event, *, tied: bool) -> Generator[None]:
    loop = asyncio.get_running_loop()

    def read_to_end() -> None:
        if not os.read(0, 1024):
            loop.remove_reader(0)
            stopping.set()

    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, stopping.set)
    if tied:
        loop.add_reader(0, read_to_end)
    try:
        yield
    finally:
        loop.remove_reader(0)
        for number in numbers:
            loop.remove_signal_handler(number)
