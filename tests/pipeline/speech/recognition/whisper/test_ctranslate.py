"""Reading CTranslate2 files and laying the weights out for PaddleSpeech."""

import numpy as np
import pytest

from pipeline.errors import ModelError
from pipeline.speech.recognition.whisper.ctranslate import convert_variables, read_variables
from tests.pipeline.speech.recognition.whisper.ctranslate_file import encode, make_variables


def test_variables_come_back_as_they_were_written() -> None:
    variables = make_variables()
    found = read_variables(encode(variables))
    assert found.keys() == variables.keys()
    for name, array in variables.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_the_sizes_of_the_model_are_found() -> None:
    _, dimensions = convert_variables(make_variables(width=128, layers=3))
    assert dimensions == {
        "n_mels": 80,
        "n_audio_ctx": 15,
        "n_audio_state": 128,
        "n_audio_head": 2,
        "n_audio_layer": 3,
        "n_vocab": 11,
        "n_text_ctx": 8,
        "n_text_state": 128,
        "n_text_head": 2,
        "n_text_layer": 3,
    }


def test_joint_matrices_are_taken_apart_and_turned() -> None:
    source = make_variables()
    weights, _ = convert_variables(source)
    joint = source["encoder/layer_1/self_attention/linear_0/weight"]
    for index, name in enumerate(("query", "key", "value")):
        np.testing.assert_array_equal(
            weights[f"encoder.blocks.1.attn.{name}.weight"], joint[64 * index : 64 * (index + 1)].T
        )
    across = source["decoder/layer_0/attention/linear_1/weight"]
    np.testing.assert_array_equal(weights["decoder.blocks.0.cross_attn.key.weight"], across[:64].T)
    np.testing.assert_array_equal(weights["decoder.blocks.0.cross_attn.value.weight"], across[64:].T)
    assert "decoder.blocks.0.cross_attn.key.bias" not in weights
    assert weights["encoder.blocks.0.mlp.0.weight"].shape == (64, 256)
    np.testing.assert_array_equal(weights["decoder.token_embedding.weight"], source["decoder/embeddings/weight"])
    assert all(array.flags.c_contiguous for array in weights.values())


@pytest.mark.parametrize("data", [b"", b"\6\0\0\0", encode(make_variables())[:-500], encode({}, spec="BertSpec")])
def test_other_files_are_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        read_variables(data)


def test_weights_of_another_layout_are_refused() -> None:
    missing = make_variables()
    del missing["decoder/layer_1/ffn/linear_1/weight"]
    biased = make_variables()
    biased["encoder/layer_0/self_attention/linear_0/bias"][64:128] = 1
    for variables in (missing, biased, make_variables(dtype="int8"), {}):
        with pytest.raises(ModelError, match="not laid out"):
            convert_variables(variables)
