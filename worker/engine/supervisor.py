"""A warm engine process per worker, so that a cancel, a time-out or a crash kills it and not the worker."""

import asyncio
import contextlib
import itertools
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import structlog

from pipeline.errors import Cancelled, EngineDiedError, EngineTimeoutError, from_failure
from pipeline.graph.stage import AnyStage
from pipeline.types import JsonValue
from worker.engine.messages import (
    CancelStage,
    EngineCommand,
    RunStage,
    StageFailed,
    StageProgress,
    StageSucceeded,
    decode_reply,
    encode_line,
)

KILL_GRACE: Final = 3.0
"""Seconds that a stage may take to stop by itself."""
LONGEST_LINE: Final = 64 * 1024 * 1024
KEPT_LINES: Final = 30
"""Lines of the engine's log that an error carries."""

StageProgressCallback: TypeAlias = Callable[[float, str], None]


def child_environment() -> dict[str, str]:
    """The environment for a child that imports this same code when it runs from a checkout.

    Threads of the number libraries sleep while they wait: two engines share the processors,
    and one that spins takes the other's time (OpenMP 5.2, OMP_WAIT_POLICY; KMP_BLOCKTIME for Intel's).
    """
    root = Path(__file__).parents[2]
    environment = {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"} | os.environ
    if (root / "pyproject.toml").is_file():
        known = environment.get("PYTHONPATH", "").split(os.pathsep)
        environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([str(root), *filter(None, known)]))
    return environment


class EngineSupervisor:
    """Runs stages one at a time in a child process that starts when first needed."""

    def __init__(
        self, home: Path, device: str = "auto", *, python: str = sys.executable, preload: Sequence[str] = ()
    ) -> None:
        self.home = home
        self._command = (python, "-m", "worker.engine.child", str(home), device, *preload)
        self._process: Process | None = None
        self._logging: asyncio.Task[None] | None = None
        self._last_lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._lock = asyncio.Lock()
        self._numbers = itertools.count(1)

    @property
    def pid(self) -> int | None:
        """Process id of the engine, None when none runs."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Start the process ahead of need; raises `EngineDiedError` when it cannot be started."""
        await self._alive()

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
        """Run a stage in the engine process.

        Args:
            stage: The stage.
            inputs: Its files by field name.
            params: Its parameters as JSON.
            out: An empty folder for its files.
            on_progress: Called with the fraction done and a message.
            cancelled: Set when the stage should stop.
            limit: Seconds that the stage may take.

        Returns:
            The stage's output as JSON, and the seconds inside its function.

        Raises:
            AudioProcessingError: What the stage raised.
            Cancelled: The stage was cancelled.
            EngineTimeoutError: The stage took too long.
            EngineDiedError: The process ended on its own.
        """
        await self._take_turn(cancelled)
        try:
            process = await self._alive()
            order = RunStage(
                id=next(self._numbers),
                stage=stage.name,
                function=stage.function,
                inputs={name: str(path) for name, path in inputs.items()},
                params=dict(params),
                out=str(out),
            )
            return await self._oversee(process, order, on_progress, cancelled, limit)
        finally:
            self._lock.release()

    async def close(self) -> None:
        """End the process."""
        if self._process is not None:
            await self._kill(self._process)

    async def _take_turn(self, cancelled: asyncio.Event) -> None:
        taking = asyncio.create_task(self._lock.acquire())
        stopping = asyncio.create_task(cancelled.wait())
        try:
            await asyncio.wait({taking, stopping}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._give_up_turn(taking)
            raise
        finally:
            stopping.cancel()
        if cancelled.is_set():
            self._give_up_turn(taking)
            raise Cancelled("The job was cancelled.")

    def _give_up_turn(self, taking: "asyncio.Task[bool]") -> None:
        if taking.done():
            self._lock.release()
        else:
            taking.cancel()

    async def _alive(self) -> Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        await self.close()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                limit=LONGEST_LINE,
                env=child_environment(),
                # A group of its own: ffmpeg and the like end with it, and Ctrl-C reaches the worker alone.
                start_new_session=True,
            )
        except OSError as error:
            raise EngineDiedError("The engine could not be started.", detail=repr(error)) from error
        self._logging = asyncio.create_task(self._log(self._process))
        return self._process

    async def _oversee(
        self,
        process: Process,
        order: RunStage,
        on_progress: StageProgressCallback,
        cancelled: asyncio.Event,
        limit: float,
    ) -> tuple[dict[str, JsonValue], float]:
        stopping = asyncio.create_task(self._stop_when(cancelled, process, order.id))
        try:
            async with asyncio.timeout(limit):
                await _send(process, order)
                return await self._answer(process, order, on_progress)
        except TimeoutError as error:
            await self._kill(process)
            message = f"The step {order.stage} took longer than {limit:.0f} seconds and was stopped."
            raise EngineTimeoutError(message, hint="Send a shorter clip.", stage=order.stage) from error
        except EngineDiedError as error:
            if cancelled.is_set():
                raise Cancelled("The job was cancelled.") from error
            raise
        except asyncio.CancelledError:
            await self._settle(process, order)
            raise
        finally:
            stopping.cancel()

    async def _answer(
        self, process: Process, order: RunStage, on_progress: StageProgressCallback
    ) -> tuple[dict[str, JsonValue], float]:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            match decode_reply(line):
                case StageProgress(id=order.id, fraction=fraction, message=message):
                    on_progress(fraction, message)
                case StageSucceeded(id=order.id, output=output, seconds=seconds):
                    return output, seconds
                case StageFailed(id=order.id, failure=failure):
                    raise from_failure(failure)
                case _:
                    # The end of an order that was given up.
                    continue
        raise await self._death(process, order.stage)

    async def _stop_when(self, cancelled: asyncio.Event, process: Process, number: int) -> None:
        await cancelled.wait()
        # A process that is gone already is noticed by whoever reads its answers.
        with contextlib.suppress(EngineDiedError):
            await _send(process, CancelStage(id=number))
        await asyncio.sleep(KILL_GRACE)
        await self._kill(process)

    async def _settle(self, process: Process, order: RunStage) -> None:
        """Stop an order nobody waits for any more; the process survives when the stage stops in time."""
        assert process.stdout is not None
        try:
            async with asyncio.timeout(KILL_GRACE):
                await _send(process, CancelStage(id=order.id))
                while line := await process.stdout.readline():
                    if isinstance(answer := decode_reply(line), StageSucceeded | StageFailed) and answer.id == order.id:
                        return
        except (TimeoutError, EngineDiedError):
            await self._kill(process)

    async def _death(self, process: Process, stage: str) -> EngineDiedError:
        await self._kill(process)
        detail = "\n".join([f"exit code {process.returncode}", *self._last_lines])
        if process.returncode == -signal.SIGKILL:
            return EngineDiedError(
                f"The engine was killed in the step {stage}, most likely because memory ran out.",
                hint="Send a shorter clip, or give the worker more memory.",
                detail=detail,
                stage=stage,
            )
        return EngineDiedError(f"The engine crashed in the step {stage}.", detail=detail, stage=stage)

    async def _kill(self, process: Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()
        if self._logging is not None:
            await asyncio.wait({self._logging}, timeout=1.0)
        if self._process is process:
            self._process = None

    async def _log(self, process: Process) -> None:
        assert process.stderr is not None
        log = structlog.get_logger("engine")
        while line := await process.stderr.readline():
            text = line.decode(errors="replace").rstrip()
            self._last_lines.append(text)
            log.debug(text, pid=process.pid)


async def _send(process: Process, message: EngineCommand) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(encode_line(message))
        await process.stdin.drain()
    except (ConnectionError, RuntimeError) as error:
        raise EngineDiedError("The engine is gone.", detail=repr(error)) from error
