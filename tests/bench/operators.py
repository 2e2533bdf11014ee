"""Seconds and work of the operators of onnxruntime and torch while a stage runs, and what a machine does at best."""

import json
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from pipeline.models import onnx_session

REPEATS = 5
SIDE = 1536
"""Of the matrices whose product is the floor of arithmetic: more than fits into the second cache."""
COPIED_BYTES = 256 * 1024**2
GIGA = 1e9
GATES = {"LSTM": 4, "GRU": 3}
"""Matrices of each kind of recurrent layer, for its input and for its state."""


@dataclass(frozen=True, slots=True)
class Floor:
    """What this machine reaches with all its cores, float32."""

    flops: float
    """Operations a second in a matrix product, a multiplication and an addition being two."""
    bandwidth: float
    """Bytes a second that are read and written in a copy."""

    @classmethod
    def measure(cls) -> "Floor":
        """Take the best of some runs."""
        matrix, source = torch.randn(SIDE, SIDE), torch.empty(COPIED_BYTES, dtype=torch.uint8)
        target = torch.empty_like(source)
        product = min(_seconds(lambda: matrix @ matrix) for _ in range(REPEATS))
        copy = min(_seconds(lambda: target.copy_(source)) for _ in range(REPEATS))
        return cls(flops=2 * SIDE**3 / product, bandwidth=2 * COPIED_BYTES / copy)


@dataclass(slots=True)
class Operators:
    """What was counted, by the name of an operator."""

    seconds: Counter[str] = field(default_factory=Counter)
    flops: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    moved_bytes: Counter[str] = field(default_factory=Counter)

    def floor_s(self, floor: Floor) -> float:
        """Return the seconds of all operators at the rates of the floor, by the slower of arithmetic and memory."""
        names = self.flops.keys() | self.moved_bytes.keys()
        return sum(max(self.flops[name] / floor.flops, self.moved_bytes[name] / floor.bandwidth) for name in names)


def _seconds(work: Any) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


class Watch:
    """Counts the operators of what runs between `begin` and `end`."""

    def __init__(self, opened: "list[_Session]") -> None:
        self.operators = Operators()
        self.seconds = self.processor_s = 0.0
        self._opened = opened
        self._torch = profile(activities=[ProfilerActivity.CPU], with_flops=True, acc_events=True)

    def begin(self) -> None:
        """Count from here on."""
        self._torch.start()
        self._processor_s = time.process_time()
        self._begun = time.perf_counter()

    def end(self) -> None:
        """Count to here."""
        self.seconds = time.perf_counter() - self._begun
        self.processor_s = time.process_time() - self._processor_s
        self._torch.stop()
        for event in self._torch.key_averages():
            name = f"torch {event.key.removeprefix('aten::')}"
            if event.self_cpu_time_total > 0:
                self.operators.seconds[name] += event.self_cpu_time_total / 1e6
            if event.flops:
                self.operators.flops[name] += event.flops
        for session in self._opened:
            _add_nodes(self.operators, session.events_since(self._begun))


@dataclass(frozen=True, slots=True)
class _Session:
    library_session: Any
    opened: float

    def events_since(self, moment: float) -> list[dict[str, Any]]:
        events = json.loads(Path(self.library_session.end_profiling()).read_text())
        return [event for event in events if self.opened + event["ts"] / 1e6 >= moment]


@contextmanager
def watching() -> Generator[Watch]:
    """Give what counts; sessions of onnxruntime are seen if they are opened within."""
    with tempfile.TemporaryDirectory() as folder, _profiled_sessions(Path(folder)) as sessions:
        yield Watch(sessions)


@contextmanager
def _profiled_sessions(folder: Path) -> Generator[list[_Session]]:
    library = onnx_session._onnxruntime  # pyright: ignore[reportPrivateUsage]
    opened: list[_Session] = []
    session_type, options_type = library.InferenceSession, library.SessionOptions

    def options() -> Any:
        made = options_type()
        made.enable_profiling = True
        made.profile_file_prefix = str(folder / f"session-{time.perf_counter_ns()}")
        return made

    def session(*given: Any, **named: Any) -> Any:
        begun = time.perf_counter()
        opened.append(_Session(session_type(*given, **named), begun))
        return opened[-1].library_session

    library.InferenceSession, library.SessionOptions = session, options
    try:
        yield opened
    finally:
        library.InferenceSession, library.SessionOptions = session_type, options_type


def _add_nodes(found: Operators, events: list[dict[str, Any]]) -> None:
    for event in events:
        facts = event.get("args", {})
        if event.get("cat") != "Node" or not event["name"].endswith("_kernel_time"):
            continue
        name = f"onnx {facts['op_name']}"
        found.seconds[name] += event["dur"] / 1e6
        found.flops[name] += _flops(facts)
        sizes = ("activation_size", "parameter_size", "output_size")
        found.moved_bytes[name] += sum(int(facts.get(size) or 0) for size in sizes)


def _flops(facts: dict[str, Any]) -> float:
    """Return a node's operations by the shapes of its inputs and outputs; 0 for all but the heavy kinds."""
    inputs = [_shape(item) for item in facts.get("input_type_shape", [])]
    outputs = [_shape(item) for item in facts.get("output_type_shape", [])]
    kind = facts["op_name"]
    if len(inputs) < 2 or not outputs:
        return 0.0
    if "Conv" in kind:
        return 2.0 * np.prod(outputs[0]) * np.prod(inputs[1][1:])
    if kind in ("MatMul", "Gemm", "FusedMatMul", "FusedGemm", "Einsum"):
        return 2.0 * np.prod(outputs[0]) * inputs[0][-1]
    if kind in GATES:
        # Its weights, which are packed when the session is opened, are not among the inputs.
        (steps, batch, size), (directions, hidden) = inputs[0], (outputs[0][1], outputs[0][-1])
        return 2.0 * steps * batch * directions * GATES[kind] * hidden * (size + hidden)
    return 0.0


def _shape(item: dict[str, list[int]]) -> list[int]:
    return next(iter(item.values()), [])
