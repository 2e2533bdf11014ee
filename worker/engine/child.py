"""The engine process: `python -m worker.engine.child HOME DEVICE [MODULE ...]`; the modules are imported ahead of need.

Runs one stage after the other on the main thread and keeps weights warm in between. It talks
over copies of its first two file descriptors; what libraries print goes to the log instead.
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
from pipeline.graph.stage import Stage, StageContext, StageMetadata
from pipeline.models.loader import Models
from worker.engine.messages import Broken, Done, FromEngine, Order, Step, Stop, decode_order, encode_line

REPORT_EVERY: Final = 0.1
"""Seconds between two steps that are passed on."""


class EngineProcess:
    """Reads orders on a thread, so that a stop or the worker's end is noticed during a stage."""

    def __init__(self, orders: BinaryIO, answers: BinaryIO, models: Models) -> None:
        self._orders = orders
        self._answers = answers
        self._models = models
        self._waiting: queue.SimpleQueue[Order] = queue.SimpleQueue()
        self._stopped: set[int] = set()
        # A stage may report from threads of its own.
        self._writing = threading.Lock()

    def serve(self, preload: Sequence[str] = ()) -> None:
        """Import some modules, then carry out orders until the worker is gone; does not return."""
        threading.Thread(target=self._read, name="orders", daemon=True).start()
        for module in preload:
            # The stage that needs it says what is missing.
            with suppress(ImportError):
                import_module(module)
        while True:
            order = self._waiting.get()
            self._answer(self._carry_out(order))
            self._stopped.discard(order.id)

    def _read(self) -> None:
        for line in self._orders:
            match decode_order(line):
                case Order() as order:
                    self._waiting.put(order)
                case Stop(id=number):
                    self._stopped.add(number)
        _end_group()

    def _carry_out(self, order: Order) -> FromEngine:
        started = time.perf_counter()
        try:
            facts = self._run(order)
            done = Done(id=order.id, facts=facts, seconds=time.perf_counter() - started)
            encode_line(done)
        except AudioProcessingError as error:
            error.stage = error.stage or order.stage
            return Broken(id=order.id, failure=error.to_failure())
        except (Exception, SystemExit) as error:  # noqa: BLE001 - libraries raise anything and even exit
            named = AudioProcessingError(
                f"Something unexpected went wrong in the step {order.stage}.",
                detail="".join(traceback.format_exception(error)),
                stage=order.stage,
            )
            return Broken(id=order.id, failure=named.to_failure())
        return done

    def _run(self, order: Order) -> StageMetadata:
        stage = Stage(name=order.stage, function=order.function)
        reporter = _Reporter(order.id, self._stopped, self._answer)
        work = StageContext(
            inputs={name: Path(path) for name, path in order.inputs.items()},
            params=order.params,
            out=Path(order.out),
            report=reporter,
            models=self._models,
        )
        reporter(0.0)
        return stage.load()(work)

    def _answer(self, message: FromEngine) -> None:
        with self._writing:
            self._answers.write(encode_line(message))
            self._answers.flush()


class _Reporter:
    def __init__(self, order: int, stopped: set[int], answer: Callable[[Step], None]) -> None:
        self._order = order
        self._stopped = stopped
        self._answer = answer
        self._last = 0.0

    def __call__(self, fraction: float, message: str = "") -> None:
        if self._order in self._stopped:
            raise Cancelled("The job was cancelled.")
        now = time.monotonic()
        if now - self._last >= REPORT_EVERY or fraction >= 1.0:
            self._last = now
            self._answer(Step(id=self._order, fraction=min(max(float(fraction), 0.0), 1.0), message=message))


def _end_group() -> None:
    """End this process and the programs it started, at once: the worker is gone."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The pipes to the worker, out of reach of libraries that read or print."""
    orders, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return os.fdopen(orders, "rb"), os.fdopen(answers, "wb")


def main() -> None:
    """Serve the worker that started this process."""
    orders, answers = take_pipes()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    home, device, *modules = sys.argv[1:]
    try:
        EngineProcess(orders, answers, Models(Path(home), device)).serve(modules)
    except (BrokenPipeError, msgspec.DecodeError):
        _end_group()


if __name__ == "__main__":
    main()
