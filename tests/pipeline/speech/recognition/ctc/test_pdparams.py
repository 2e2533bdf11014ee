"""Weights are read as numbers: a pickle that would do anything else is refused before it does."""

import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import ModelError
from pipeline.speech.recognition.ctc.pdparams import NAME_TABLE, SLICES, read_pdparams


class Call:
    """Something that calls a function when it is unpickled."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.call


def save(path: Path, content: object, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_tensors_are_read_as_they_were_saved(tmp_path: Path, protocol: int) -> None:
    weights = {"a.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "a.steps": np.array([1, 2], np.int64)}
    content = OrderedDict({**weights, NAME_TABLE: {"a.weight": "linear_0.w_0"}})
    read = read_pdparams(save(tmp_path / "a.pdparams", content, protocol))
    assert read.keys() == weights.keys()
    for name, tensor in weights.items():
        np.testing.assert_array_equal(read[name], tensor, strict=True)


def test_tensors_in_slices_or_with_their_names_are_read(tmp_path: Path) -> None:
    whole = np.arange(6, dtype=np.float32)
    content = {
        "w@@.0": whole[:4],
        "w@@.1": whole[4:],
        SLICES: {"w": {"OriginShape": (2, 3), "slices": ["w@@.0", "w@@.1"]}},
        "b": ("linear_0.b_0", np.zeros(2, np.float32)),
    }
    read = read_pdparams(save(tmp_path / "a.pdparams", content))
    np.testing.assert_array_equal(read["w"], whole.reshape(2, 3), strict=True)
    assert read["b"].shape == (2,)


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("place", ["a tensor", "an object in an array", "the whole"])
def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path, place: str, protocol: int) -> None:
    ran = tmp_path / "ran"
    call = Call(os.system, f"touch {ran}")
    content = {
        "a tensor": {"w": call},
        "an object in an array": {"w": np.array([call], dtype=object)},
        "the whole": call,
    }[place]
    with pytest.raises(ModelError, match=r"a\.pdparams does not hold the weights") as caught:
        read_pdparams(save(tmp_path / "a.pdparams", content, protocol))
    assert "asks for posix.system" in caught.value.detail
    assert not ran.exists()


@pytest.mark.parametrize(
    "content",
    [
        [1, 2],
        {"w": "text"},
        {"w": np.array(["text"])},
        {"w": np.array([None])},
        {"w": Call(eval, "1")},
        {"w": Call(getattr, "text", "upper")},
        {SLICES: {"w": {"OriginShape": (1,), "slices": ["lacking"]}}},
    ],
    ids=["a list", "text", "an array of text", "an array of objects", "eval", "getattr", "a lacking slice"],
)
def test_what_is_no_tensor_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(ModelError, match="does not hold the weights"):
        read_pdparams(save(tmp_path / "a.pdparams", content))


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    whole = pickle.dumps({"w": np.zeros(100, np.float32)})
    for length in (0, 1, 10, len(whole) // 2, len(whole) - 1):
        (tmp_path / "a.pdparams").write_bytes(whole[:length])
        with pytest.raises(ModelError):
            read_pdparams(tmp_path / "a.pdparams")
