"""The engine process, started as `python -m worker.engine.child warm|forking HOME DEVICE SCRATCH [MODULE ...]`.

It confines itself, imports the modules named on its command line, then runs one stage after the other on the main
thread and keeps model weights loaded in between; one that forks runs each in a child instead. It talks to the worker
over copies of its standard input and output; what libraries print goes to the log instead.
"""

import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from pipeline.errors import AudioProcessingError, Cancelled
from pipeline.graph.codec import contract_of, decode_params, encode_output, inputs_from
from pipeline.graph.stage import StageContext, load_function
from pipeline.models.loader import Models
from pipeline.types import DraftLine, JsonValue
from worker.engine.confinement.policy import confine
from worker.engine.fork_server import ForkServer
from worker.engine.messages import (
    CONFINEMENT_REFUSED,
    CancelStage,
    EngineReply,
    RunStage,
    StageFailed,
    StageProgress,
    StageSucceeded,
    decode_command,
    encode_line,
)
from worker.store.disk_space import disk_full_error, is_disk_full
from worker.store.scratch import temporary_files_in

PROGRESS_INTERVAL_S: Final = 0.1
"""Shortest time between two progress messages of a stage."""


class EngineProcess:
    """Runs stages on the main thread and reads commands on another.

    So a cancellation, or the end of the worker, is noticed while a stage runs.
    """

    def __init__(
        self, commands: BinaryIO, replies: BinaryIO, models: Models, cancelled: set[int] | None = None
    ) -> None:
        self._commands = commands
        self._replies = replies
        self._models = models
        self._pending: queue.SimpleQueue[RunStage] = queue.SimpleQueue()
        self._cancelled: set[int] = set() if cancelled is None else cancelled
        # A stage may report from threads of its own.
        self._write_lock = threading.Lock()

    def serve(self, preload: Sequence[str] = ()) -> None:
        """Import the `preload` modules, then run stages until the worker is gone. Does not return."""
        threading.Thread(target=self._read, name="commands", daemon=True).start()
        for module in preload:
            # The stage that needs it says what is missing.
            with suppress(ImportError):
                import_module(module)
        while True:
            command = self._pending.get()
            self._send(self.handle(command))
            self._cancelled.discard(command.id)

    def _read(self) -> None:
        for line in self._commands:
            match decode_command(line):
                case RunStage() as command:
                    self._pending.put(command)
                case CancelStage(id=command_id):
                    self._cancelled.add(command_id)
        _kill_process_group()

    def handle(self, command: RunStage) -> EngineReply:
        """Run a stage; return its output or its error."""
        started = time.perf_counter()
        try:
            output = self._run(command)
            reply = StageSucceeded(
                id=command.id,
                output=output,
                seconds=time.perf_counter() - started,
                vram_peak_bytes=_take_vram_peak(),
            )
            encode_line(reply)
        except Cancelled as error:
            return StageFailed(id=command.id, failure=error.to_failure())
        except AudioProcessingError as error:
            error.stage = error.stage or command.stage
            if is_disk_full(error, Path(command.out)):
                error = disk_full_error(f"{error}\n{error.detail}", command.stage)
            return StageFailed(id=command.id, failure=error.to_failure())
        except MemoryError as error:
            lacking = AudioProcessingError(
                f"There is too little memory for the step {command.stage}.",
                hint="Send a shorter clip, or give the worker more memory.",
                detail="".join(traceback.format_exception(error)),
                stage=command.stage,
            )
            return StageFailed(id=command.id, failure=lacking.to_failure())
        except (Exception, SystemExit) as error:  # noqa: BLE001 - libraries raise anything and even exit
            detail = "".join(traceback.format_exception(error))
            if is_disk_full(error, Path(command.out)):
                named = disk_full_error(detail, command.stage)
            else:
                message = f"Something unexpected went wrong in the step {command.stage}."
                named = AudioProcessingError(message, detail=detail, stage=command.stage)
            return StageFailed(id=command.id, failure=named.to_failure())
        return reply

    def _run(self, command: RunStage) -> dict[str, JsonValue]:
        function = load_function(command.function)
        inputs, params = contract_of(function)
        reporter = _ProgressReporter(command.id, self._cancelled, self._send)
        context = StageContext(
            out=Path(command.out), report=reporter, models=self._models, show_draft=reporter.show_draft
        )
        reporter(0.0)
        files = inputs_from(inputs, {name: Path(path) for name, path in command.inputs.items()})
        with temporary_files_in(Path(command.temporary)):
            output = function(context, files, decode_params(params, command.params))
        return encode_output(output, context.out)

    def _send(self, message: EngineReply) -> None:
        with self._write_lock:
            self._replies.write(encode_line(message))
            self._replies.flush()


class _ProgressReporter:
    def __init__(self, command_id: int, cancelled: set[int], send: Callable[[StageProgress], None]) -> None:
        self._command_id = command_id
        self._cancelled = cancelled
        self._send_progress = send
        self._last_s = 0.0
        self._fraction, self._message = 0.0, ""

    def __call__(self, fraction: float, message: str = "") -> None:
        if self._command_id in self._cancelled:
            raise Cancelled("The job was cancelled.")
        self._fraction, self._message = min(max(float(fraction), 0.0), 1.0), message
        if time.monotonic() - self._last_s >= PROGRESS_INTERVAL_S or fraction >= 1.0:
            self._send()

    def show_draft(self, lines: tuple[DraftLine, ...]) -> None:
        """Send a draft at once, with the progress that was reported last."""
        self._send(lines)

    def _send(self, draft: tuple[DraftLine, ...] = ()) -> None:
        self._last_s = time.monotonic()
        self._send_progress(
            StageProgress(id=self._command_id, fraction=self._fraction, message=self._message, draft=draft)
        )


def _take_vram_peak() -> int:
    """Return what torch held on the card at most since the last call; 0 where it was not used."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return 0
    peak = int(torch.cuda.max_memory_reserved())
    torch.cuda.reset_peak_memory_stats()
    return peak


def _kill_process_group() -> None:
    """End this process and the programs it started at once, because the worker is gone."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def detach_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Move the pipes to the worker to other descriptors, out of reach of libraries that read or print.

    Returns:
        The stream to read commands from and the stream to write replies to.
    """
    commands, replies = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return os.fdopen(commands, "rb"), os.fdopen(replies, "wb")


def main() -> None:
    """Serve the worker that started this process."""
    commands, replies = detach_pipes()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    kind, home, device, scratch, *modules = sys.argv[1:]
    for refusal in confine(Path(home), Path(scratch), device, reads_strangers=kind != "warm"):
        sys.stderr.write(f"{CONFINEMENT_REFUSED}{refusal}\n")
    try:
        models = Models(Path(home), device)
        if kind == "warm":
            EngineProcess(commands, replies, models).serve(modules)
        else:

            def handle(command: RunStage, cancelled: set[int]) -> EngineReply:
                return EngineProcess(commands, replies, models, cancelled).handle(command)

            ForkServer(commands, replies, handle, Path(scratch)).serve(modules)
    except (BrokenPipeError, msgspec.DecodeError):
        pass
    _kill_process_group()


if __name__ == "__main__":
    main()
