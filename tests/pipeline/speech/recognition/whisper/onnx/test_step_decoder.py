"""The decoder's steps by onnxruntime give what PaddleSpeech's own decoder gives."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.speech.compat.paddlespeech import load_paddlespeech
from pipeline.speech.recognition.whisper.onnx.graph import Sizes
from pipeline.speech.recognition.whisper.onnx.step_decoder import StepDecoder, load_step_decoder

# PaddleSpeech copies tensors in a way that paddle warns about.
pytestmark = [
    pytest.mark.asr,
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:To copy construct from a tensor"),
]

SIZES = Sizes(width=32, heads=4, layers=2)
FRAMES, WORDS, END = 50, 90, 7


@pytest.fixture(scope="module")
def model() -> Any:
    """A small Whisper with weights by chance."""
    library = load_paddlespeech()
    library.paddle.seed(3)
    sizes = {"n_mels": 80, "n_audio_ctx": FRAMES, "n_audio_state": 32, "n_audio_head": 4, "n_audio_layer": 1}
    text = {"n_vocab": WORDS, "n_text_ctx": 40, "n_text_state": 32, "n_text_head": 4, "n_text_layer": 2}
    found = library.whisper.Whisper(library.whisper.ModelDimensions(**sizes, **text))
    for name, value in found.state_dict().items():
        if name.startswith("decoder."):
            value.set_value(library.paddle.randn(value.shape) * 0.3)
    found.eval()
    return found


@pytest.fixture(scope="module")
def decoder(model: Any) -> StepDecoder:
    """The same weights."""
    return load_step_decoder({name: value.numpy() for name, value in model.state_dict().items()}, SIZES, threads=1)


def make_features(windows: int) -> NDArray[np.float32]:
    """What an encoder might give."""
    return np.random.default_rng(5).standard_normal((windows, FRAMES, SIZES.width), np.float32)


def make_tokens(rows: int, length: int) -> NDArray[np.int64]:
    """Texts without the end."""
    return np.random.default_rng(6).integers(END + 1, WORDS, (rows, length))


def score_whole(model: Any, tokens: NDArray[np.int64], features: NDArray[np.float32]) -> NDArray[np.float32]:
    """The scores of each next token by the model itself, in one pass."""
    paddle = load_paddlespeech().paddle
    with paddle.no_grad():
        return model.decoder(paddle.to_tensor(tokens), paddle.to_tensor(features)).numpy()


def test_steps_score_as_a_whole_pass_does(model: Any, decoder: StepDecoder) -> None:
    features, tokens = make_features(3), make_tokens(3, 9)
    texts = decoder.begin(features, END)
    scores = [texts.score(tokens[:, :length]) for length in (3, *range(4, 10))]
    assert [part.shape[1] for part in scores] == [3, *[1] * 6]
    np.testing.assert_allclose(np.concatenate(scores, 1), score_whole(model, tokens, features), atol=1e-4)


def test_all_rows_may_listen_to_one_window(model: Any, decoder: StepDecoder) -> None:
    features, tokens = make_features(1), make_tokens(3, 5)
    texts = decoder.begin(features, END)
    texts.score(tokens[:, :4])
    whole = score_whole(model, tokens, np.repeat(features, 3, axis=0))
    np.testing.assert_allclose(texts.score(tokens)[:, 0], whole[:, -1], atol=1e-4)


@pytest.mark.parametrize("windows", [1, 3])
def test_rows_that_have_ended_are_left_out(model: Any, decoder: StepDecoder, windows: int) -> None:
    features, tokens = make_features(windows), make_tokens(3, 8)
    tokens[0, 4:] = tokens[2, 6:] = END
    whole = score_whole(model, tokens, np.broadcast_to(features, (3, *features.shape[1:])).copy())
    texts = decoder.begin(features, END)
    found = np.concatenate([texts.score(tokens[:, :length]) for length in range(1, 9)], 1)
    np.testing.assert_allclose(found[1], whole[1], atol=1e-4)
    np.testing.assert_allclose(found[0, :4], whole[0, :4], atol=1e-4)
    np.testing.assert_allclose(found[2, :6], whole[2, :6], atol=1e-4)
    assert not found[0, 4:].any()
    assert not found[2, 6:].any()
