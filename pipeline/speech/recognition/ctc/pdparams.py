"""Reading of PaddlePaddle's `*.pdparams` without running what is in them.

Such a file is a pickle of a dictionary of numpy arrays, and a pickle may run code: this one is read by a reader that
knows arrays of numbers and ordered dictionaries and nothing else.
"""

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ModelError

NAME_TABLE: Final = "StructuredToParameterName@@"
"""Entry with the names that the tensors had in the program that saved them."""
SLICES: Final = "UnpackBigParamInfor@@"
"""Entry that tells of which slices tensors of more than a gigabyte are made."""
NUMBER_KINDS: Final = "biuf"
_Array: TypeAlias = NDArray[Any]
_RECONSTRUCT: Final = cast("Any", np.empty(0)).__reduce__()[0]
"""What makes an array that is then filled; where it lies depends on the version of numpy."""


def read_pdparams(path: Path) -> dict[str, _Array]:
    """Read the tensors of a state dictionary by their names.

    Raises:
        ModelError: The file is damaged, or holds anything but tensors.
    """
    try:
        with path.open("rb") as stream:
            found: object = _Reader(stream, encoding="latin1").load()
        return _tensors(found)
    except (
        AttributeError,
        EOFError,
        ImportError,
        LookupError,
        MemoryError,
        TypeError,
        ValueError,
        pickle.UnpicklingError,
    ) as error:
        raise ModelError(
            f"{path.name} does not hold the weights of a recogniser and nothing else.",
            hint="Delete it and fetch the model again with `stemcord models fetch`.",
            detail=f"{type(error).__name__}: {error}",
        ) from error


def _tensors(found: object) -> dict[str, _Array]:
    """Take the tensors out of what was saved.

    Raises:
        ValueError: There is something else.
    """
    if not isinstance(found, dict):
        raise ValueError("it is no dictionary")  # noqa: TRY004 - what a file holds is no type of an argument
    entries = dict(cast("dict[str, Any]", found))
    entries.pop(NAME_TABLE, None)
    for name, parts in entries.pop(SLICES, {}).items():
        slices = [entries.pop(part) for part in parts["slices"]]
        entries[name] = np.concatenate(slices).reshape(parts["OriginShape"])
    return {name: _tensor(name, value) for name, value in entries.items()}


def _tensor(name: str, value: object) -> _Array:
    if isinstance(value, tuple):
        # Some versions save a tensor with its name.
        _, value = cast("tuple[object, object]", value)
    if not isinstance(value, np.ndarray) or cast("_Array", value).dtype.kind not in NUMBER_KINDS:
        raise ValueError(f"{name} is no tensor")
    return cast("_Array", value)


class _Reader(pickle.Unpickler):
    """An unpickler that builds arrays and refuses whatever else a pickle may ask for."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - whatever the pickle asks for
        """Return what a name of the pickle stands for.

        Raises:
            pickle.UnpicklingError: The name is no part of an array.
        """
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return _RECONSTRUCT
        known = {
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
            ("collections", "OrderedDict"): OrderedDict,
            ("builtins", "tuple"): tuple,
            ("__builtin__", "tuple"): tuple,
            ("_codecs", "encode"): _encode,
        }
        if (module, name) in known:
            return known[module, name]
        raise pickle.UnpicklingError(f"asks for {module}.{name}")


def _encode(text: str, encoding: str) -> bytes:
    """Return the bytes that pickles of protocol 2 keep as text."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"asks for the encoding {encoding}")
    return text.encode("latin1")
