"""Opening a network tells nobody of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

OPEN = """
import sys
from onnx import TensorProto, helper
from pipeline.models.onnx_session import open_session
value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1])
graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "g", [value("x")], [value("y")])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 12)], ir_version=8)
import numpy as np
print(open_session(model.SerializeToString(), threads=1).run(None, {"x": np.ones(1, np.float32)})[0])
"""


def test_nothing_is_left_in_the_home(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_"))}
    environment = kept | {"HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", OPEN], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.strip() == "[-1.]", done.stderr
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == []
