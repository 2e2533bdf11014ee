"""Run the media worker inside the process of a command.

A separate process would import everything again, which takes longer than a short job. The engine, which may crash
or run out of memory, still has a process of its own.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from pipeline.errors import AudioProcessingError, EngineError
from worker.app import WorkerApp
from worker.log import log_to_file
from worker.settings import WorkerSettings


@dataclass(slots=True)
class InProcessWorker:
    """A media worker as a task of this process."""

    settings: WorkerSettings
    log: Path
    """Where its output goes."""
    _serving: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Run the worker during the context; `settings` names its queue."""
        stopping = asyncio.Event()
        with log_to_file(self.log, self.settings.log_format, self.settings.log_level):
            self._serving = asyncio.create_task(WorkerApp(kind="media", settings=self.settings).serve(stopping))
            try:
                yield
            finally:
                stopping.set()
                await asyncio.wait({self._serving})
                if error := self._serving.exception():
                    structlog.get_logger().warning("the worker ended", error=repr(error))

    def check(self) -> None:
        """Check that the worker is still running.

        Raises:
            EngineError: The worker has ended.
        """
        if self._serving is not None and self._serving.done():
            error = self._serving.exception()
            if isinstance(error, AudioProcessingError):
                message = f"The media worker cannot start: {error.message}"
                raise EngineError(message, hint=f"{error.hint} Its log is {self.log}.", detail=error.detail)
            raise EngineError("The media worker cannot start.", hint=f"Its log is {self.log}.", detail=repr(error))
