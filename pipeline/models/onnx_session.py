"""Typed front of onnxruntime."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

# It tells its makers of its use, from its import on, unless it is told not to before.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime  # pyright: ignore[reportMissingTypeStubs]

ERRORS_ONLY: Final = 3
"""Severity of what onnxruntime logs."""
_onnxruntime = cast("Any", onnxruntime)


def open_session(
    source: Path | bytes,
    *,
    threads: int,
    device: str = "cpu",
    keeps_memory: bool = True,
    weights: Mapping[str, NDArray[np.float32]] | None = None,
) -> Any:  # noqa: ANN401 - onnxruntime has no types
    """Open a network.

    Args:
        source: Its file, or what is in it.
        threads: Of one run.
        device: A torch device; an onnxruntime without CUDA runs the network on the processor.
        keeps_memory: Whether a run leaves its memory to the next, up to twice what one needs.
        weights: What the network says is outside of its file, by name.

    Returns:
        An `onnxruntime.InferenceSession`. For a network that it cannot read, onnxruntime raises errors of any type.
    """
    options = _onnxruntime.SessionOptions()
    options.log_severity_level = ERRORS_ONLY
    options.intra_op_num_threads = threads
    options.enable_cpu_mem_arena = keeps_memory
    # Threads that spin while they wait take the processor from those who work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if weights:
        options.add_external_initializers(list(weights), [to_value(values) for values in weights.values()])
    wanted = ["CUDAExecutionProvider"] if device.startswith("cuda") else []
    here = _onnxruntime.get_available_providers()
    providers = [*(name for name in wanted if name in here), "CPUExecutionProvider"]
    given = source if isinstance(source, bytes) else str(source)
    return _onnxruntime.InferenceSession(given, options, providers=providers)


def to_value(values: NDArray[Any]) -> Any:  # noqa: ANN401 - onnxruntime has no types
    """Hand an array to onnxruntime as an `onnxruntime.OrtValue`, which sessions pass on without a copy."""
    return _onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(values))
