"""One worker as a child process that is restarted when it dies."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from pipeline.errors import EngineError
from worker.engine.environment import child_environment
from worker.protocol import WorkerKind
from worker.settings import WorkerSettings

DRAIN_TIMEOUT_S: Final = 3.0
"""Seconds that local workers give their jobs; the jobs go on next time."""
STOP_TIMEOUT_S: Final = 8.0
MAX_RESTART_DELAY_S: Final = 30.0
"""Seconds before a worker that keeps dying is started again."""
STABLE_UPTIME_S: Final = 60.0
"""Seconds after which a worker's death is not held against it."""
MAX_LOG_BYTES: Final = 10 * 1024 * 1024


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


def log_path(kind: WorkerKind, settings: WorkerSettings, number: int = 1) -> Path:
    """Return the log file of a worker; `number` counts those of this command."""
    return settings.home / "logs" / (f"{kind}.log" if number == 1 else f"{kind}-{number}.log")


@dataclass(slots=True)
class WorkerProcess:
    """A worker as a child process that is restarted when it dies."""

    kind: WorkerKind
    settings: WorkerSettings
    url: str
    number: int = 1
    """1 for the first of its kind, which may replace one of others; 2 and up for further ones of any kind."""
    _process: Process | None = None
    _deaths: int = 0

    @property
    def log(self) -> Path:
        """The log file of the worker."""
        return log_path(self.kind, self.settings, self.number)

    @property
    def metrics_port(self) -> int:
        """Port for its metrics: the bot has the one of the settings, the first two workers the next; 0: none."""
        first = self.settings.metrics_port
        place = {"media": 1, "asr": 2}[self.kind] if self.number == 1 else self.number + 1
        return first + place if first else 0

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
        await asyncio.to_thread(rotate_log, self.log)
        environment = child_environment() | {
            "STEMCORD_HOME": str(self.settings.home),
            "STEMCORD_REDIS_URL": self.url,
            "STEMCORD_STORE_URL": self.settings.store_url,
            "STEMCORD_TIED": "true",
            "STEMCORD_DRAIN": str(DRAIN_TIMEOUT_S),
            "STEMCORD_METRICS_PORT": str(self.metrics_port),
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


def rotate_log(log: Path) -> None:
    """Make the folder of a log, and put a log aside that has grown long."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
