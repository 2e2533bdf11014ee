"""Start and supervise workers on this machine."""

import asyncio
import contextlib
import math
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Container, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import structlog

from deploy.local.in_process_worker import InProcessWorker
from pipeline.errors import EngineError, QueueError
from worker.engine.environment import child_environment
from worker.protocol import WorkerKind
from worker.queue import Queue
from worker.settings import WorkerSettings

WORKERS_START_TIMEOUT_S: Final = 90.0
"""Seconds for both workers to be alive."""
POLL_INTERVAL_S: Final = 0.05
"""Seconds between two looks for them."""
DRAIN_TIMEOUT_S: Final = 3.0
"""Seconds that local workers give their jobs; the jobs go on next time."""
STOP_TIMEOUT_S: Final = 8.0
ABSENCE_GRACE_S: Final = 3.0
"""Seconds that a worker of others may be missing before one is started; live ones register every two seconds."""
MAX_RESTART_DELAY_S: Final = 30.0
"""Seconds before a worker that keeps dying is started again."""
STABLE_UPTIME_S: Final = 60.0
"""Seconds after which a worker's death is not held against it."""
KEEP_INTERVAL_S: Final = 2.0
"""Seconds between two looks whether the workers that are to be kept are there."""
MAX_LOG_BYTES: Final = 10 * 1024 * 1024


@asynccontextmanager
async def running_workers(
    settings: WorkerSettings, url: str, kinds: Sequence[WorkerKind] = ("media", "asr")
) -> AsyncGenerator[None]:
    """Keep workers of these kinds running during the context.

    Workers that run already are used, and replaced by ones of this process when they are gone. A worker that was
    started here is restarted when it dies, and stopped at the end.

    Raises:
        EngineError: A worker cannot be started.
    """
    async with Queue.connect(url) as queue, LocalWorkers(settings, url, queue) as workers:
        await workers.ensure(*kinds)
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

    def _make_worker(self, kind: WorkerKind) -> "WorkerProcess | InProcessWorker":
        if kind == "media" and self._in_process:
            settings = self._settings.model_copy(update={"redis_url": self._url, "drain": DRAIN_TIMEOUT_S})
            _rotate_log(log := log_path(kind, self._settings))
            return InProcessWorker(settings, log)
        return WorkerProcess(kind, self._settings, self._url)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()


async def _wait_until_alive(
    queue: Queue, started: Sequence["WorkerProcess | InProcessWorker"], kinds: set[WorkerKind]
) -> None:
    for _ in range(int(WORKERS_START_TIMEOUT_S / POLL_INTERVAL_S)):
        if kinds <= {worker.kind for worker in await queue.workers()}:
            return
        for worker in started:
            worker.check()
        await asyncio.sleep(POLL_INTERVAL_S)
    logs = ", ".join(str(worker.log) for worker in started)
    raise EngineError("The workers did not start in time.", hint=f"Their logs: {logs}.")


def worker_python(kind: WorkerKind, settings: WorkerSettings) -> Path:
    """Return the Python interpreter of a worker's environment.

    Raises:
        EngineError: The environment is missing.
    """
    if kind == "media":
        return Path(sys.executable)
    python = settings.asr_python or Path(__file__).parents[2] / ".venv-asr/bin/python"
    if not python.exists():
        raise EngineError(
            "The environment of the transcription worker is missing.",
            hint="Run `make env`, or set STEMCORD_ASR_PYTHON.",
            detail=str(python),
        )
    return python


def log_path(kind: WorkerKind, settings: WorkerSettings) -> Path:
    """Return the log file of a worker."""
    return settings.home / "logs" / f"{kind}.log"


@dataclass(slots=True)
class WorkerProcess:
    """A worker as a child process that is restarted when it dies."""

    kind: WorkerKind
    settings: WorkerSettings
    url: str
    _process: Process | None = None
    _deaths: int = 0

    @property
    def log(self) -> Path:
        """The log file of the worker."""
        return log_path(self.kind, self.settings)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Run and supervise the worker during the context."""
        python = worker_python(self.kind, self.settings)
        self._process = await self._start(python)
        supervising = asyncio.create_task(self._supervise(python))
        try:
            yield
        finally:
            supervising.cancel()
            await asyncio.wait({supervising})
            await self._stop()

    def check(self) -> None:
        """Check that the worker does not die.

        Raises:
            EngineError: The worker has died; the detail is the end of its log.
        """
        if self._deaths:
            last = self.log.read_text(errors="replace").strip().splitlines()[-20:]
            raise EngineError(
                f"The {self.kind} worker cannot start.", hint=f"Its log is {self.log}.", detail="\n".join(last)
            )

    async def _start(self, python: Path) -> Process:
        await asyncio.to_thread(_rotate_log, self.log)
        environment = child_environment() | {
            "STEMCORD_HOME": str(self.settings.home),
            "STEMCORD_REDIS_URL": self.url,
            "STEMCORD_STORE_URL": self.settings.store_url,
            "STEMCORD_TIED": "true",
            "STEMCORD_DRAIN": str(DRAIN_TIMEOUT_S),
        }
        with await asyncio.to_thread(self.log.open, "ab") as log:
            return await asyncio.create_subprocess_exec(
                str(python),
                *("-m", "worker", self.kind),
                stdin=PIPE,
                stdout=log,
                stderr=log,
                env=environment,
                # A folder of the person's must not shadow a module.
                cwd=self.settings.home,
                start_new_session=True,
            )

    async def _supervise(self, python: Path) -> None:
        loop = asyncio.get_running_loop()
        while self._process is not None:
            began = loop.time()
            code = await self._process.wait()
            self._deaths = 1 if loop.time() - began > STABLE_UPTIME_S else self._deaths + 1
            structlog.get_logger().warning("worker ended", kind=self.kind, code=code, log=str(self.log))
            await asyncio.sleep(min(2.0 ** (self._deaths - 1), MAX_RESTART_DELAY_S))
            self._process = await self._start(python)

    async def _stop(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


def _rotate_log(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
