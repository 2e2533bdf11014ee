"""Reading of Whisper weights from a CTranslate2 `model.bin`, under the names and shapes of PaddleSpeech's Whisper.

The binary layout (version 6, little-endian) is CTranslate2's own: a version, the name and revision
of the model class, a count, then for each variable its name, rank, shape, type, size and bytes,
and at last pairs of aliases. Only numpy is needed.
"""

import re
import struct
from collections.abc import Mapping
from typing import Any, TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ModelError

Arrays: TypeAlias = dict[str, NDArray[Any]]

SPEC = "WhisperSpec"
HEAD_WIDTH = 64
"""Width of an attention head in every Whisper model."""
_TYPES: Mapping[int, type[np.generic]] = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


class Dimensions(TypedDict):
    """Sizes of a Whisper model, as PaddleSpeech's `ModelDimensions` names them."""

    n_mels: int
    n_audio_ctx: int
    n_audio_state: int
    n_audio_head: int
    n_audio_layer: int
    n_vocab: int
    n_text_ctx: int
    n_text_state: int
    n_text_head: int
    n_text_layer: int


class _Reader:
    """A cursor over a buffer that reads numbers, names and arrays."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0

    def number(self, code: str) -> int:
        (value,) = struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))
        return int(value)

    def header(self) -> None:
        version, spec, _revision = self.number("I"), self.name(), self.number("I")
        if spec != SPEC:
            raise ValueError(f"holds a {spec} of binary version {version}")

    def name(self) -> str:
        return bytes(self.take(self.number("H"))).rstrip(b"\0").decode()

    def array(self) -> NDArray[Any]:
        shape = [self.number("I") for _ in range(self.number("B"))]
        kind = _TYPES[self.number("B")]
        return np.frombuffer(self.take(self.number("I")), kind).reshape(shape)

    def take(self, size: int) -> memoryview:
        piece = self._data[self._at : self._at + size]
        if len(piece) < size:
            raise ValueError(f"ends after {len(self._data)} bytes, {size} more wanted at {self._at}")
        self._at += size
        return piece


def read_variables(data: bytes) -> Arrays:
    """Read all variables of a Whisper `model.bin` by their CTranslate2 names.

    Raises:
        ModelError: The file is damaged or holds another model.
    """
    reader = _Reader(data)
    try:
        reader.header()
        return {reader.name(): reader.array() for _ in range(reader.number("I"))}
    except (ValueError, KeyError, struct.error, UnicodeDecodeError) as error:
        raise ModelError(
            "The Whisper weights cannot be read.", hint="Run `make env` to install them again.", detail=str(error)
        ) from error


def convert_variables(variables: Arrays) -> tuple[Arrays, Dimensions]:
    """Convert variables to the weights of PaddleSpeech's Whisper, of the same number type.

    Linear layers become (in, out), the joint query-key-value matrices are split.

    Returns:
        The weights by PaddleSpeech's names, and the sizes of the model.

    Raises:
        ModelError: A variable is missing or quantized.
    """
    try:
        converted = _Converter(variables)
        return converted.weights(), converted.dimensions()
    except (KeyError, ValueError) as error:
        raise ModelError(
            "The Whisper weights are not laid out as expected.",
            hint="Run `make env` to install them again.",
            detail=f"{type(error).__name__}: {error}",
        ) from error


class _Converter:
    def __init__(self, variables: Arrays) -> None:
        self._source = variables
        self._target: Arrays = {}
        self._width = len(variables["encoder/conv1/bias"])
        self._layers = {side: _count_layers(side, variables) for side in ("encoder", "decoder")}

    def dimensions(self) -> Dimensions:
        heads = self._width // HEAD_WIDTH
        return Dimensions(
            n_mels=self._source["encoder/conv1/weight"].shape[1],
            n_audio_ctx=len(self._source["encoder/position_encodings/encodings"]),
            n_audio_state=self._width,
            n_audio_head=heads,
            n_audio_layer=self._layers["encoder"],
            n_vocab=len(self._source["decoder/embeddings/weight"]),
            n_text_ctx=len(self._source["decoder/position_encodings/encodings"]),
            n_text_state=self._width,
            n_text_head=heads,
            n_text_layer=self._layers["decoder"],
        )

    def weights(self) -> Arrays:
        for name in ("conv1", "conv2"):
            self._set(f"encoder.{name}.weight", self._get(f"encoder/{name}/weight"))
            self._set(f"encoder.{name}.bias", self._get(f"encoder/{name}/bias"))
        for side in ("encoder", "decoder"):
            self._set(f"{side}.positional_embedding", self._get(f"{side}/position_encodings/encodings"))
        self._set("decoder.token_embedding.weight", self._get("decoder/embeddings/weight"))
        self._norm("encoder.ln_post", "encoder/layer_norm")
        self._norm("decoder.ln", "decoder/layer_norm")
        for side, count in self._layers.items():
            for index in range(count):
                self._block(f"{side}.blocks.{index}", f"{side}/layer_{index}", cross=side == "decoder")
        return self._target

    def _block(self, target: str, source: str, *, cross: bool) -> None:
        self._attention(f"{target}.attn", f"{source}/self_attention", inner=("linear_0", "linear_0"), out="linear_1")
        if cross:
            self._attention(
                f"{target}.cross_attn", f"{source}/attention", inner=("linear_0", "linear_1"), out="linear_2"
            )
        for index, name in ((0, "linear_0"), (2, "linear_1")):
            self._linear(f"{target}.mlp.{index}", *self._pair(f"{source}/ffn/{name}"))
        self._norm(f"{target}.mlp_ln", f"{source}/ffn/layer_norm")

    def _attention(self, target: str, source: str, *, inner: tuple[str, str], out: str) -> None:
        """Split query, key and value, which stand in one matrix, or the query alone and key and value together."""
        width = self._width
        (query, query_bias), (rest, rest_bias) = self._pair(f"{source}/{inner[0]}"), self._pair(f"{source}/{inner[1]}")
        if rest_bias[-2 * width : -width].any():
            raise ValueError(f"{source} has a bias on its keys")
        self._linear(f"{target}.query", query[:width], query_bias[:width])
        self._linear(f"{target}.key", rest[-2 * width : -width])
        self._linear(f"{target}.value", rest[-width:], rest_bias[-width:])
        self._linear(f"{target}.out", *self._pair(f"{source}/{out}"))
        self._norm(f"{target}_ln", f"{source}/layer_norm")

    def _linear(self, target: str, weight: NDArray[Any], bias: NDArray[Any] | None = None) -> None:
        self._set(f"{target}.weight", weight.T)
        if bias is not None:
            self._set(f"{target}.bias", bias)

    def _norm(self, target: str, source: str) -> None:
        self._set(f"{target}.weight", self._get(f"{source}/gamma"))
        self._set(f"{target}.bias", self._get(f"{source}/beta"))

    def _pair(self, source: str) -> tuple[NDArray[Any], NDArray[Any]]:
        return self._get(f"{source}/weight"), self._get(f"{source}/bias")

    def _get(self, name: str) -> NDArray[Any]:
        array = self._source[name]
        if array.dtype.kind != "f":
            raise ValueError(f"{name} is {array.dtype}")
        return array

    def _set(self, name: str, array: NDArray[Any]) -> None:
        self._target[name] = np.ascontiguousarray(array)


def _count_layers(side: str, variables: Arrays) -> int:
    found = [re.match(rf"{side}/layer_(\d+)/", name) for name in variables]
    return 1 + max(int(match.group(1)) for match in found if match)
