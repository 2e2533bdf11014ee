"""Start and supervise workers on this machine."""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Container, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Final, Self

import structlog

from deploy.local.in_process_worker import InProcessWorker
from deploy.local.worker_process import DRAIN_TIMEOUT_S, WorkerProcess, log_path, rotate_log
from pipeline.errors import EngineError, QueueError
from worker.protocol import WorkerKind
from worker.queue import Queue
from worker.settings import WorkerSettings

WORKERS_START_TIMEOUT_S: Final = 90.0
"""Seconds for both workers to be alive."""
POLL_INTERVAL_S: Final = 0.05
"""Seconds between two looks for them."""
ABSENCE_GRACE_S: Final = 3.0
"""Seconds that a worker of others may be missing before one is started; live ones register every two seconds."""
KEEP_INTERVAL_S: Final = 2.0
"""Seconds between two looks whether the workers that are to be kept are there."""


@asynccontextmanager
async def running_workers(
    settings: WorkerSettings,
    url: str,
    kinds: Sequence[WorkerKind] = ("media", "asr"),
    further: Sequence[WorkerKind] = (),
) -> AsyncGenerator[None]:
    """Keep workers of these kinds running during the context.

    Workers that run already are used, and replaced by ones of this process when they are gone. A worker that was
    started here is restarted when it dies, and stopped at the end.

    Args:
        settings: Settings of the workers.
        url: URL of the broker.
        kinds: A worker of each is kept.
        further: Workers that are started beside those, whoever else runs.

    Raises:
        EngineError: A worker cannot be started.
    """
    async with AsyncExitStack() as stack:
        queue = await stack.enter_async_context(Queue.connect(url))
        workers = await stack.enter_async_context(LocalWorkers(settings, url, queue))
        await workers.ensure(*kinds)
        for number, kind in enumerate(further, start=2):
            await stack.enter_async_context(WorkerProcess(kind, settings, url, number=number).running())
        keeping = [asyncio.create_task(_keep(workers, kind)) for kind in kinds]
        try:
            yield
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.wait({*keeping})


async def _keep(workers: "LocalWorkers", kind: WorkerKind) -> None:
    """Keep looking for a worker: the one that is used may belong to a command that ends."""
    while True:
        await asyncio.sleep(KEEP_INTERVAL_S)
        try:
            await workers.ensure(kind)
        except QueueError:
            # A broker that is away comes back.
            continue
        except EngineError as error:
            structlog.get_logger().warning("a worker cannot be started", kind=kind, error=str(error))


class LocalWorkers:
    """The workers of one command, each started when it is first needed.

    Use it as an asynchronous context manager. Workers that run already are used; those started here stop with it.

    Args:
        settings: Settings of the workers.
        url: URL of the broker.
        queue: The queue, on which live workers are seen.
        in_process: Run the media worker in this process.
    """

    def __init__(self, settings: WorkerSettings, url: str, queue: Queue, *, in_process: bool = False) -> None:
        self._in_process = in_process
        self._settings = settings
        self._url = url
        self._queue = queue
        self._stack = AsyncExitStack()
        self._started: dict[WorkerKind, WorkerProcess | InProcessWorker] = {}
        self._missed_since: dict[WorkerKind, float] = {}
        """When a worker that was alive before was first found missing; infinite while it is alive."""

    async def ensure(self, *kinds: WorkerKind) -> None:
        """Make sure that workers of these kinds are running; call it again, since those of others come and go.

        Raises:
            EngineError: A worker cannot be started.
            QueueError: The broker is away.
        """
        for worker in self._started.values():
            if isinstance(worker, InProcessWorker):
                worker.check()
        missing: list[WorkerKind] = [kind for kind in kinds if kind not in self._started]
        if not missing:
            return
        live = {worker.kind for worker in await self._queue.workers()}
        started: dict[WorkerKind, WorkerProcess | InProcessWorker] = {
            kind: self._make_worker(kind) for kind in missing if self._is_gone(kind, live)
        }
        for kind, worker in started.items():
            await self._stack.enter_async_context(worker.running())
            self._started[kind] = worker
        await _wait_until_alive(self._queue, [*started.values()], {*started})

    def _is_gone(self, kind: WorkerKind, live: Container[WorkerKind]) -> bool:
        """Judge whether a worker is to be started: one that was alive must be found missing twice.

        After an outage of the broker a live worker needs a moment to register again.
        """
        if kind in live:
            self._missed_since[kind] = math.inf
            return False
        if kind not in self._missed_since:
            return True
        now = time.monotonic()
        self._missed_since[kind] = min(self._missed_since[kind], now)
        return now - self._missed_since[kind] >= ABSENCE_GRACE_S

    def _make_worker(self, kind: WorkerKind) -> WorkerProcess | InProcessWorker:
        if kind == "media" and self._in_process:
            update = {"redis_url": self._url, "drain": DRAIN_TIMEOUT_S, "metrics_port": 0}
            settings = self._settings.model_copy(update=update)
            rotate_log(log := log_path(kind, self._settings))
            return InProcessWorker(settings, log)
        return WorkerProcess(kind, self._settings, self._url)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()


async def _wait_until_alive(
    queue: Queue, started: Sequence[WorkerProcess | InProcessWorker], kinds: set[WorkerKind]
) -> None:
    for _ in range(int(WORKERS_START_TIMEOUT_S / POLL_INTERVAL_S)):
        if kinds <= {worker.kind for worker in await queue.workers()}:
            return
        for worker in started:
            worker.check()
        await asyncio.sleep(POLL_INTERVAL_S)
    logs = ", ".join(str(worker.log) for worker in started)
    raise EngineError("The workers did not start in time.", hint=f"Their logs: {logs}.")
