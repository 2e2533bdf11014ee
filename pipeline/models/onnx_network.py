"""Networks on a processor by onnxruntime, which runs small convolutions about twice as fast as torch does there.

A network is exported once from its own torch code and weights, and kept beside other converted weights.
"""

import hashlib
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import torch
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from pipeline.errors import ModelError
from pipeline.models.loader import Models, model_digest
from pipeline.models.onnx_session import open_session

FORMAT_VERSION: Final = 1
"""Raised when the same weights would now be exported in another way."""
LOCK_TIMEOUT_S: Final = 120.0
"""For another process that exports the same network."""
_torch = cast("Any", torch)


class OnnxNetwork:
    """A network with one input and one output, on the processor."""

    def __init__(self, path: Path) -> None:
        self._session = open_session(path, threads=_torch.get_num_threads())
        self._input = str(self._session.get_inputs()[0].name)

    def __call__(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network."""
        return cast("NDArray[np.float32]", self._session.run(None, {self._input: values})[0])


def ensure_exported(
    models: Models, name: str, load: Callable[[], torch.nn.Module], example: torch.Tensor, free_axes: Sequence[int]
) -> Path:
    """Return the file of a network in ONNX, exporting it on first use.

    Args:
        models: Whose folder the file is kept in.
        name: The model in the catalogue.
        load: Makes the network with its weights, ready to run.
        example: An input.
        free_axes: Axes of the input whose lengths may be others; the first is that of the output, too.

    Raises:
        ModelError: The file cannot be read or written. What `load` and the exporter raise comes through.
    """
    path = models.home / "models" / f"{name}-{model_digest(name)[:12]}-{FORMAT_VERSION}.onnx"
    try:
        if _is_whole(path):
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock"), timeout=LOCK_TIMEOUT_S):
            if not _is_whole(path):
                _export(load(), example, free_axes, path)
    except (OSError, Timeout) as error:
        raise ModelError(
            f"The weights of {name} could not be prepared.",
            hint=f"Check the free space and the rights of {path.parent}.",
            detail=str(error),
        ) from error
    return path


def _export(network: torch.nn.Module, example: torch.Tensor, free_axes: Sequence[int], path: Path) -> None:
    partial = path.with_suffix(".partial")
    with warnings.catch_warnings():
        # The exporter that is advertised instead needs a package more and fixes the lengths of axes.
        warnings.simplefilter("ignore")
        _torch.onnx.export(
            network,
            (example,),
            str(partial),
            input_names=["input"],
            output_names=["output"],
            dynamic_axes={"input": {axis: f"axis{axis}" for axis in free_axes}, "output": {0: f"axis{free_axes[0]}"}},
            dynamo=False,
        )
    _digest_file(path).write_bytes(_digest_of(partial))
    partial.replace(path)


def _is_whole(path: Path) -> bool:
    """Tell whether a file is there and as it was written."""
    digest = _digest_file(path)
    return path.is_file() and digest.is_file() and digest.read_bytes() == _digest_of(path)


def _digest_of(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).hexdigest().encode()


def _digest_file(path: Path) -> Path:
    return path.with_suffix(".sha256")
