"""Reading of Whisper weights from OpenAI's `.pt` files, under the names and shapes of PaddleSpeech's Whisper.

A `.pt` is a zip of a pickle and raw numbers (torch.save since 1.6). The environment of PaddleSpeech has no torch,
and a pickle may run code: this one is read by a reader that knows tensors and ordered dictionaries and nothing else.
"""

import base64
import gzip
import pickle
import re
import zipfile
import zlib
from collections import OrderedDict
from pathlib import Path, PurePosixPath
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ModelError
from pipeline.speech.recognition.whisper.ctranslate import Arrays, Dimensions

_TYPES: Final = {"HalfStorage": np.float16, "FloatStorage": np.float32}
_LINEAR: Final = re.compile(r"\.(?:query|key|value|out|mlp\.\d)\.weight$")
"""Layers whose weights PaddleSpeech keeps as (in, out)."""
_Numbers: TypeAlias = NDArray[Any]


def read_openai(path: Path) -> tuple[Arrays, Dimensions]:
    """Read weights, of the number type they have in the file, and the sizes of the model.

    Raises:
        ModelError: The file is damaged or holds something else.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            (index,) = (name for name in packed.namelist() if PurePosixPath(name).name == "data.pkl")
            with packed.open(index) as stream:
                checkpoint = _Reader(stream, packed, PurePosixPath(index).parent).load()
        dimensions = Dimensions(**{key: int(checkpoint["dims"][key]) for key in Dimensions.__annotations__})  # pyright: ignore[reportArgumentType]
        weights = checkpoint["model_state_dict"]
        return {name: _to_paddle_layout(name, array) for name, array in weights.items()}, dimensions
    except (
        AttributeError,
        EOFError,
        LookupError,
        TypeError,
        ValueError,
        pickle.UnpicklingError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise ModelError(
            f"{path.name} does not hold a Whisper of OpenAI's.",
            hint="Delete it and fetch it again with `stemcord models fetch`.",
            detail=f"{type(error).__name__}: {error}",
        ) from error


def read_heads(text: str, dimensions: Dimensions) -> tuple[tuple[int, int], ...]:
    """Decode the (layer, head) pairs whose attention follows the sound from OpenAI's base85.

    Raises:
        ModelError: The text does not fit the sizes of the model.
    """
    try:
        marks = np.frombuffer(gzip.decompress(base64.b85decode(text)), np.bool_)
        table = marks.reshape(dimensions["n_text_layer"], dimensions["n_text_head"])
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise ModelError("The alignment heads do not fit the recogniser.", detail=str(error)) from error
    return tuple((int(layer), int(head)) for layer, head in zip(*np.nonzero(table), strict=True))


def _to_paddle_layout(name: str, array: _Numbers) -> _Numbers:
    return np.ascontiguousarray(array.T if _LINEAR.search(name) else array)


class _Reader(pickle.Unpickler):
    """An unpickler that builds tensors and refuses whatever else a pickle may ask for."""

    def __init__(self, stream: Any, packed: zipfile.ZipFile, folder: PurePosixPath) -> None:  # noqa: ANN401
        super().__init__(stream)
        self._packed, self._folder = packed, folder

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - whatever the pickle asks for
        """Return what a name of the pickle stands for.

        Raises:
            pickle.UnpicklingError: The name is no part of a tensor.
        """
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if module == "torch" and name in _TYPES:
            return _TYPES[name]
        raise pickle.UnpicklingError(f"asks for {module}.{name}")

    def persistent_load(self, pid: Any) -> _Numbers:  # noqa: ANN401 - torch's tuple
        """Read all numbers of a storage."""
        _, kind, key, _, count = pid
        return np.frombuffer(self._packed.read(str(self._folder / "data" / str(key))), kind, int(count))


def _rebuild(storage: _Numbers, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object) -> _Numbers:
    """Make a tensor's view of its storage.

    Raises:
        ValueError: The tensor reaches beyond its storage.
    """
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if offset < 0 or min((*shape, *strides), default=1) < 1 or last >= len(storage):
        raise ValueError("a tensor lies outside of its storage")
    bytes_ = tuple(stride * storage.itemsize for stride in strides)
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, bytes_, writeable=False)
