"""Whisper's network as graphs of ONNX, written from its weights.

onnxruntime reads a matrix for a few rows of tokens three times as quickly as paddle does, and runs a graph without
Python between its operators. Scores and weights are float32 as in paddle; only the order of sums differs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Weights: TypeAlias = Mapping[str, NDArray[np.float32]]
"""By PaddleSpeech's names; the first axis of a matrix is its input."""
Axes: TypeAlias = Sequence[int | str]
"""Lengths of a tensor; a name stands for a length that is free."""

OPSET: Final = 18
IR_VERSION: Final = 9
CONTRIBUTED: Final = "com.microsoft"
"""onnxruntime's own operators."""
NORM_EPSILON: Final = 1e-5
MIN_OUTSIDE_BYTES: Final = 1024
"""Of a constant that is handed over beside the graph."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Of one of the two halves of the network."""

    width: int
    heads: int
    layers: int

    @property
    def head_width(self) -> int:
        """Numbers of a head."""
        return self.width // self.heads


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A graph, and its weights by name."""

    model: bytes
    weights: Weights


@dataclass(slots=True)
class GraphWriter:
    """Writes a graph operator by operator; every method that adds one returns the name of its output."""

    sizes: Sizes
    weights: Weights
    _onnx: Any = field(default_factory=lambda: import_module("onnx"), init=False)
    _nodes: list[Any] = field(default_factory=list[Any], init=False)
    _kept: dict[str, Any] = field(default_factory=dict[str, Any], init=False)
    _outside: dict[str, NDArray[np.float32]] = field(default_factory=dict[str, Any], init=False)
    _inputs: list[Any] = field(default_factory=list[Any], init=False)
    _outputs: list[Any] = field(default_factory=list[Any], init=False)

    def __post_init__(self) -> None:
        self.keep("split", np.array([0, 0, self.sizes.heads, self.sizes.head_width]))
        self.keep("merge", np.array([0, 0, self.sizes.width]))

    def keep(self, name: str, values: NDArray[Any]) -> str:
        """Keep a constant; a large one stays outside of the graph, which would hold it twice more while it is read."""
        whole = np.ascontiguousarray(values)
        if whole.nbytes < MIN_OUTSIDE_BYTES:
            self._kept[name] = self._onnx.numpy_helper.from_array(whole, name)
            return name
        tensor = self._onnx.TensorProto(
            name=name,
            data_type=self._onnx.helper.np_dtype_to_tensor_dtype(whole.dtype),
            dims=whole.shape,
            data_location=self._onnx.TensorProto.EXTERNAL,
        )
        for key, value in (("location", name), ("offset", "0"), ("length", str(whole.nbytes))):
            tensor.external_data.add(key=key, value=value)
        self._kept[name], self._outside[name] = tensor, whole
        return name

    def take(self, name: str, axes: Axes) -> str:
        """Add an input."""
        self._inputs.append(self._tensor(name, axes))
        return name

    def give(self, name: str, axes: Axes) -> None:
        """Make a value an output."""
        self._outputs.append(self._tensor(name, axes))

    def add(self, operator: str, given: Sequence[str], name: str = "", **settings: Any) -> str:  # noqa: ANN401 - of any type
        """Add an operator with one output.

        Args:
            operator: Its name in ONNX.
            given: Names of its inputs.
            name: Of its output; one is made up without.
            settings: Its attributes.
        """
        made = name or f"value{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(operator, list(given), [made], **settings))
        return made

    def multiply(self, values: str, weight: str, bias: str | None = None, factor: float = 1.0) -> str:
        """Multiply by a weight and add a bias, both times a factor."""
        made = self.add("MatMul", [values, self.keep(weight, self._scaled(weight, factor))])
        return made if bias is None else self.add("Add", [made, self.keep(bias, self._scaled(bias, factor))])

    def normalise(self, values: str, layer: str, name: str = "") -> str:
        """Normalise over the last axis."""
        kept = [self.keep(f"{layer}.{part}", self.weights[f"{layer}.{part}"]) for part in ("weight", "bias")]
        return self.add("LayerNormalization", [values, *kept], name, epsilon=NORM_EPSILON)

    def activate(self, values: str) -> str:
        """Apply GELU."""
        return self.add("Gelu", [values], domain=CONTRIBUTED)

    def split_heads(self, values: str, order: Sequence[int], name: str = "") -> str:
        """Split (rows, tokens, width) by heads, and put (rows, tokens, heads, head width) into an order."""
        return self.add("Transpose", [self.add("Reshape", [values, "split"])], name, perm=list(order))

    def attend(self, queries: str, keys: str, values: str, mask: str | None = None, scores: str = "") -> str:
        """Mix values by how well their keys fit the queries.

        Args:
            queries: Scaled, shape (rows, tokens, width).
            keys: Shape (rows, heads, head width, places).
            values: Shape (rows, heads, places, head width).
            mask: Added to the scores, shape (tokens, places).
            scores: The name of the scores before the mask.
        """
        found = self.add("MatMul", [self.split_heads(queries, (0, 2, 1, 3)), keys], scores)
        if mask is not None:
            found = self.add("Add", [found, mask])
        mixed = self.add("MatMul", [self.add("Softmax", [found], axis=-1), values])
        return self.add("Reshape", [self.add("Transpose", [mixed], perm=[0, 2, 1, 3]), "merge"])

    def feed_forward(self, values: str, layer: str) -> str:
        """Add what the two matrices of a layer make of its values."""
        wide = self.activate(
            self.multiply(self.normalise(values, f"{layer}.mlp_ln"), f"{layer}.mlp.0.weight", f"{layer}.mlp.0.bias")
        )
        return self.add("Add", [values, self.multiply(wide, f"{layer}.mlp.2.weight", f"{layer}.mlp.2.bias")])

    def finish(self) -> Graph:
        """Return the graph."""
        helper = self._onnx.helper
        graph = helper.make_graph(self._nodes, "whisper", self._inputs, self._outputs, list(self._kept.values()))
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIBUTED, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        return Graph(model=bytes(model.SerializeToString()), weights=self._outside)

    def _scaled(self, name: str, factor: float) -> NDArray[np.float32]:
        return self.weights[name] if factor == 1.0 else self.weights[name] * np.float32(factor)

    def _tensor(self, name: str, axes: Axes) -> Any:  # noqa: ANN401 - onnx has no types here
        return self._onnx.helper.make_tensor_value_info(name, self._onnx.TensorProto.FLOAT, list(axes))
