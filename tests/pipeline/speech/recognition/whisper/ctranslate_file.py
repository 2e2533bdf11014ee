"""Writes small CTranslate2 `model.bin` files with random weights."""

import struct

import numpy as np

TYPES = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}


def make_variables(*, width: int = 64, layers: int = 2, vocabulary: int = 11, dtype: str = "float16") -> dict:
    """Variables of a Whisper model as CTranslate2 names them; keys have no bias, as in the real ones."""
    generator = np.random.default_rng(3)

    def draw(*shape: int) -> np.ndarray:
        return generator.standard_normal(shape).astype(dtype)

    found = {
        "encoder/conv1/weight": draw(width, 80, 3),
        "encoder/conv1/bias": draw(width),
        "encoder/conv2/weight": draw(width, width, 3),
        "encoder/conv2/bias": draw(width),
        "encoder/position_encodings/encodings": draw(15, width),
        "decoder/position_encodings/encodings": draw(8, width),
        "decoder/embeddings/weight": draw(vocabulary, width),
        "encoder/num_heads": np.asarray(width // 64, np.int16),
    }

    def add(name: str, *shape: int) -> None:
        found[f"{name}/weight"], found[f"{name}/bias"] = draw(*shape), draw(shape[0])

    def normalise(name: str) -> None:
        found[f"{name}/layer_norm/gamma"], found[f"{name}/layer_norm/beta"] = draw(width), draw(width)

    for side in ("encoder", "decoder"):
        normalise(side)
        for layer in range(layers):
            block = f"{side}/layer_{layer}"
            add(f"{block}/self_attention/linear_0", 3 * width, width)
            add(f"{block}/self_attention/linear_1", width, width)
            found[f"{block}/self_attention/linear_0/bias"][width : 2 * width] = 0
            normalise(f"{block}/self_attention")
            if side == "decoder":
                add(f"{block}/attention/linear_0", width, width)
                add(f"{block}/attention/linear_1", 2 * width, width)
                add(f"{block}/attention/linear_2", width, width)
                found[f"{block}/attention/linear_1/bias"][:width] = 0
                normalise(f"{block}/attention")
            add(f"{block}/ffn/linear_0", 4 * width, width)
            add(f"{block}/ffn/linear_1", width, 4 * width)
            normalise(f"{block}/ffn")
    return found


def encode(variables: dict, *, spec: str = "WhisperSpec") -> bytes:
    """The bytes of a `model.bin`, binary version 6."""

    def name(text: str) -> bytes:
        return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"

    parts = [struct.pack("<I", 6), name(spec), struct.pack("<II", 3, len(variables))]
    for key, array in variables.items():
        parts += [name(key), struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)]
        parts += [struct.pack("<BI", TYPES[array.dtype.name], array.nbytes), array.tobytes()]
    return b"".join([*parts, struct.pack("<I", 0)])
