"""Supervises the engine process of a worker: a cancellation, a timeout or a crash ends it and not the worker."""

import asyncio
import contextlib
import itertools
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import structlog

from pipeline.errors import Cancelled, DiskFullError, EngineDiedError, EngineTimeoutError, from_failure
from pipeline.graph.stage import AnyStage
from pipeline.types import JsonValue
from worker.engine.engine_death import describe_death
from worker.engine.environment import engine_environment
from worker.engine.messages import (
    CONFINEMENT_REFUSED,
    CancelStage,
    EngineCommand,
    RunStage,
    StageFailed,
    StageProgress,
    StageSucceeded,
    decode_reply,
    encode_line,
)
from worker.engine.process_group import kill_group, kill_overgrown_group
from worker.engine.progress import StageProgressCallback
from worker.store.private_home import PRIVATE_UMASK
from worker.telemetry import current_metrics

CANCEL_TIMEOUT_S: Final = 3.0
"""How long a cancelled stage may take to stop by itself."""
TEMPORARY_FOLDER: Final = "temporary"
"""Name of the folder for a stage's temporary files."""
MAX_MESSAGE_BYTES: Final = 64 * 1024 * 1024
MAX_LOG_LINES: Final = 30
"""Lines of the engine's log that an error carries."""


class EngineSupervisor:
    """Runs stages one at a time in a child process, which it starts when first needed.

    Args:
        home: Folder of the installation.
        device: The torch device, or `auto`.
        scratch: The one folder whose files stages can read and write.
        python: The interpreter.
        preload: Modules that are imported before the first stage.
        forking: Run each stage in a child of that process.
        name: Of the engine in the metrics.
    """

    def __init__(
        self,
        home: Path,
        device: str = "auto",
        *,
        scratch: Path,
        python: str = sys.executable,
        preload: Sequence[str] = (),
        forking: bool = False,
        name: str = "warm",
    ) -> None:
        self.home = home
        self._name = name
        self._scratch = scratch
        kind = "forking" if forking else "warm"
        self._command = (python, "-m", "worker.engine.child", kind, str(home), device, str(scratch), *preload)
        self._process: Process | None = None
        self._logging: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[bool] | None = None
        self._last_lines: deque[str] = deque(maxlen=MAX_LOG_LINES)
        self._lock = asyncio.Lock()
        self._ids = itertools.count(1)

    @property
    def pid(self) -> int | None:
        """Process id of the engine; None when it is not running."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Start the process before it is needed.

        Raises:
            EngineDiedError: The process could not be started.
        """
        await self._ensure_running()

    async def run_stage(
        self,
        stage: AnyStage,
        inputs: Mapping[str, Path],
        params: Mapping[str, JsonValue],
        out: Path,
        on_progress: StageProgressCallback,
        cancelled: asyncio.Event,
        limit: float,
    ) -> tuple[dict[str, JsonValue], float]:
        """Run a stage; its files are then in `out`.

        Args:
            stage: The stage.
            inputs: Its input files, by the names of its input fields.
            params: Its parameters as JSON.
            out: An empty folder for its output files; temporary files lie in another beside it.
            on_progress: Called with the fraction done and a message.
            cancelled: Set when the stage should stop.
            limit: Seconds that the stage may take.

        Returns:
            The output of the stage as JSON, and the seconds spent inside its function.

        Raises:
            AudioProcessingError: What the stage raised.
            Cancelled: The stage was cancelled.
            EngineTimeoutError: The stage took longer than `limit`.
            EngineDiedError: The process ended on its own.
        """
        await self._acquire_turn(cancelled)
        try:
            process = await self._ensure_running()
            temporary = out.with_name(TEMPORARY_FOLDER)
            temporary.mkdir(exist_ok=True)
            command = RunStage(
                id=next(self._ids),
                stage=stage.name,
                function=stage.function,
                inputs={name: str(path) for name, path in inputs.items()},
                params=dict(params),
                out=str(out),
                temporary=str(temporary),
            )
            return await self._supervise(process, command, on_progress, cancelled, limit)
        finally:
            self._lock.release()

    async def close(self) -> None:
        """End the process."""
        if self._process is not None:
            await self._kill(self._process)

    async def _acquire_turn(self, cancelled: asyncio.Event) -> None:
        acquiring = asyncio.create_task(self._lock.acquire())
        stopping = asyncio.create_task(cancelled.wait())
        try:
            await asyncio.wait({acquiring, stopping}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._release_turn(acquiring)
            raise
        finally:
            stopping.cancel()
        if cancelled.is_set():
            self._release_turn(acquiring)
            raise Cancelled("The job was cancelled.")

    def _release_turn(self, acquiring: "asyncio.Task[bool]") -> None:
        if acquiring.done():
            self._lock.release()
        else:
            acquiring.cancel()

    async def _ensure_running(self) -> Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        await self.close()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                limit=MAX_MESSAGE_BYTES,
                env=engine_environment(self.home, self._scratch),
                cwd=self._scratch,
                # A process group of its own: ffmpeg and the like end with it, and Ctrl-C reaches only the worker.
                start_new_session=True,
                umask=PRIVATE_UMASK,
            )
        except OSError as error:
            raise EngineDiedError("The engine could not be started.", detail=repr(error)) from error
        self._logging = asyncio.create_task(self._forward_log(self._process))
        self._watching = asyncio.create_task(kill_overgrown_group(self._process.pid))
        return self._process

    async def _supervise(
        self,
        process: Process,
        command: RunStage,
        on_progress: StageProgressCallback,
        cancelled: asyncio.Event,
        limit: float,
    ) -> tuple[dict[str, JsonValue], float]:
        stopping = asyncio.create_task(self._cancel_when(cancelled, process, command.id))
        try:
            async with asyncio.timeout(limit):
                await _send(process, command)
                return await self._read_reply(process, command, on_progress)
        except TimeoutError as error:
            await self._abandon(process, command)
            message = f"The step {command.stage} took longer than {limit:.0f} seconds and was stopped."
            hint = "Export the clip again with another program, or send a shorter one."
            raise EngineTimeoutError(message, hint=hint, stage=command.stage) from error
        except EngineDiedError as error:
            if cancelled.is_set():
                raise Cancelled("The job was cancelled.") from error
            raise
        except asyncio.CancelledError:
            await self._abandon(process, command)
            raise
        finally:
            stopping.cancel()

    async def _read_reply(
        self, process: Process, command: RunStage, on_progress: StageProgressCallback
    ) -> tuple[dict[str, JsonValue], float]:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            match decode_reply(line):
                case StageProgress(id=command.id, fraction=fraction, message=message, draft=draft):
                    on_progress(fraction, message, draft)
                case StageSucceeded(id=command.id, output=output, seconds=seconds, vram_peak_bytes=vram):
                    if vram and (metrics := current_metrics()) is not None:
                        metrics.set_engine_vram(self._name, vram)
                    return output, seconds
                case StageFailed(id=command.id, failure=failure):
                    raise from_failure(failure)
                case _:
                    # A reply to a command that was abandoned.
                    continue
        raise await self._describe_death(process, command.stage)

    async def _cancel_when(self, cancelled: asyncio.Event, process: Process, command_id: int) -> None:
        await cancelled.wait()
        # Whoever reads the replies notices that the process is gone.
        with contextlib.suppress(EngineDiedError):
            await _send(process, CancelStage(id=command_id))
        await asyncio.sleep(CANCEL_TIMEOUT_S)
        await self._kill(process)

    async def _abandon(self, process: Process, command: RunStage) -> None:
        """Cancel a command that nobody waits for any more; a process whose stage does not stop in time is killed."""
        assert process.stdout is not None
        try:
            async with asyncio.timeout(CANCEL_TIMEOUT_S):
                await _send(process, CancelStage(id=command.id))
                while line := await process.stdout.readline():
                    if isinstance(reply := decode_reply(line), StageSucceeded | StageFailed) and reply.id == command.id:
                        return
        except (TimeoutError, EngineDiedError):
            await self._kill(process)
        except asyncio.CancelledError:
            # The next stage must not wait behind this one.
            kill_group(process.pid)
            raise

    async def _describe_death(self, process: Process, stage: str) -> EngineDiedError | DiskFullError:
        watching = self._watching
        overgrown = watching is not None and watching.done() and not watching.cancelled() and watching.result()
        await self._kill(process)
        detail = "\n".join([f"exit code {process.returncode}", *self._last_lines])
        return describe_death(stage, process.returncode, detail, overgrown=overgrown, scratch=self._scratch)

    async def _kill(self, process: Process) -> None:
        kill_group(process.pid)
        if self._watching is not None:
            self._watching.cancel()
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()
        if self._logging is not None:
            await asyncio.wait({self._logging}, timeout=1.0)
        if self._process is process:
            self._process = None

    async def _forward_log(self, process: Process) -> None:
        assert process.stderr is not None
        log = structlog.get_logger("engine")
        while line := await process.stderr.readline():
            text = line.decode(errors="replace").rstrip()
            self._last_lines.append(text)
            tell = log.warning if text.startswith(CONFINEMENT_REFUSED) else log.debug
            tell(text, pid=process.pid)


async def _send(process: Process, message: EngineCommand) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(encode_line(message))
        await process.stdin.drain()
    except (ConnectionError, RuntimeError) as error:
        raise EngineDiedError("The engine is gone.", detail=repr(error)) from error
