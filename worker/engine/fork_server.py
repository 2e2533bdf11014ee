"""Runs each stage in a child that ends with it, of a process that itself reads nothing of strangers.

What a hostile file does to the child is gone before the next file is read. The modules of the stages are imported once,
so that a child begins within milliseconds.
"""

import gc
import os
import select
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import BinaryIO, Final

from worker.engine.engine_death import describe_death
from worker.engine.messages import (
    CancelStage,
    EngineReply,
    RunStage,
    StageFailed,
    decode_command,
    encode_line,
)
from worker.engine.process_group import kill_others

CANCEL_SIGNAL: Final = signal.SIGUSR1
READ_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class _Child:
    pid: int
    command: RunStage
    ended: int
    """Descriptor that is at its end when the child is gone."""


class ForkServer:
    """Forks a child for each stage that it is told to run, and passes cancellations on.

    It has one thread only, or else a lock could be held for ever in a child.

    Args:
        commands: Where the worker's commands come from.
        replies: Where the replies go; the child writes there itself.
        handle: Runs a stage; cancelled when the id of its command is in the set.
        scratch: Where stages write their files.
    """

    def __init__(
        self,
        commands: BinaryIO,
        replies: BinaryIO,
        handle: Callable[[RunStage, set[int]], EngineReply],
        scratch: Path,
    ) -> None:
        self._commands = commands.fileno()
        self._replies = replies
        self._handle = handle
        self._scratch = scratch
        self._child: _Child | None = None
        self._cancelled: set[int] = set()

    def serve(self, preload: Sequence[str] = ()) -> None:
        """Import the `preload` modules, then run stages until the worker is gone."""
        for module in preload:
            # The stage that needs it says what is missing.
            with suppress(ImportError):
                import_module(module)
        # A collection in a child would copy the memory that it shares with this process.
        gc.freeze()
        unread = b""
        while True:
            watched = [self._commands] if self._child is None else [self._commands, self._child.ended]
            ready, _, _ = select.select(watched, [], [])
            if self._child is not None and self._child.ended in ready:
                self._bury(self._child)
            if self._commands in ready:
                data = os.read(self._commands, READ_BYTES)
                if not data:
                    return
                *lines, unread = (unread + data).split(b"\n")
                for line in lines:
                    self._obey(line)

    def _obey(self, line: bytes) -> None:
        match decode_command(line):
            case RunStage() as command:
                if self._child is not None:
                    # It has replied and is about to end.
                    self._bury(self._child)
                self._fork(command)
            case CancelStage(id=command_id):
                if self._child is not None and self._child.command.id == command_id:
                    with suppress(ProcessLookupError):
                        os.kill(self._child.pid, CANCEL_SIGNAL)

    def _fork(self, command: RunStage) -> None:
        def cancel(number: int, frame: FrameType | None) -> None:
            self._cancelled.add(command.id)

        signal.signal(CANCEL_SIGNAL, cancel)
        ended, ending = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(ended)
            self._run(command)
        os.close(ending)
        self._child = _Child(pid, command, ended)

    def _run(self, command: RunStage) -> None:
        """Run a stage and end this process."""
        code = 1
        try:
            self._replies.write(encode_line(self._handle(command, self._cancelled)))
            self._replies.flush()
            code = 0
        finally:
            os._exit(code)

    def _bury(self, child: _Child) -> None:
        """Take note of a child that ended; one that sent no reply died."""
        self._child = None
        os.close(child.ended)
        _, status = os.waitpid(child.pid, 0)
        # What it left would hear and answer for the next one.
        kill_others()
        code = os.waitstatus_to_exitcode(status)
        if code:
            detail = f"exit code {code}"
            error = describe_death(child.command.stage, code, detail, overgrown=False, scratch=self._scratch)
            self._replies.write(encode_line(StageFailed(id=child.command.id, failure=error.to_failure())))
            self._replies.flush()
