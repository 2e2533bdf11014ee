"""The network by onnxruntime gives what PaddleSpeech's own gives."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.speech.compat.paddlespeech import load_paddlespeech
from pipeline.speech.recognition.whisper.networks.onnx_network import OnnxNetwork, load_onnx_network
from pipeline.speech.recognition.whisper.networks.paddle_network import PaddleNetwork, load_paddle_network
from pipeline.speech.recognition.whisper.networks.step_decoder import MAX_HEARD_WINDOWS, StepDecoder

pytestmark = [
    pytest.mark.asr,
    pytest.mark.integration,
    # PaddleSpeech copies tensors in a way that paddle warns about.
    pytest.mark.filterwarnings("ignore:To copy construct from a tensor"),
]

FRAMES, WIDTH, WORDS, END = 50, 32, 90, 7
DIMENSIONS = {
    "n_mels": 80,
    "n_audio_ctx": FRAMES,
    "n_audio_state": WIDTH,
    "n_audio_head": 4,
    "n_audio_layer": 2,
    "n_vocab": WORDS,
    "n_text_ctx": 40,
    "n_text_state": WIDTH,
    "n_text_head": 4,
    "n_text_layer": 2,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Networks:
    """The same weights, by chance."""

    paddle: PaddleNetwork
    onnx: OnnxNetwork


@pytest.fixture(scope="module")
def networks() -> Networks:
    """A small Whisper by both libraries."""
    library = load_paddlespeech()
    library.paddle.seed(3)
    state = library.whisper.Whisper(library.whisper.ModelDimensions(**DIMENSIONS)).state_dict()
    weights = {name: (library.paddle.randn(value.shape) * 0.3).numpy() for name, value in state.items()}
    converted: Any = SimpleNamespace(
        manifest=SimpleNamespace(dimensions=DIMENSIONS, alignment_heads=((1, 3), (0, 2), (1, 0))),
        weights=lambda: weights,
        each_weight=weights.items,
    )
    library.paddle.set_device("cpu")
    return Networks(
        paddle=load_paddle_network(library, converted), onnx=load_onnx_network(library, converted, threads=1)
    )


@pytest.fixture(scope="module")
def decoder(networks: Networks) -> StepDecoder:
    """The decoder by onnxruntime."""
    return networks.onnx.decoder


def make_features(windows: int) -> list[NDArray[np.float32]]:
    """What an encoder might give."""
    return list(np.random.default_rng(5).standard_normal((windows, 1, FRAMES, WIDTH), np.float32))


def make_tokens(rows: int, length: int) -> NDArray[np.int64]:
    """Texts without the end."""
    return np.random.default_rng(6).integers(END + 1, WORDS, (rows, length))


def score_whole(
    networks: Networks, tokens: NDArray[np.int64], features: list[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """The scores of each next token by paddle, in one pass; one window is heard by all rows."""
    paddle = load_paddlespeech().paddle
    windows = np.concatenate(features * (len(tokens) // len(features)))
    with paddle.no_grad():
        return networks.paddle.model.decoder(paddle.to_tensor(tokens), paddle.to_tensor(windows)).numpy()


def test_a_window_has_the_same_features(networks: Networks) -> None:
    paddle = load_paddlespeech().paddle
    mel = paddle.randn([1, 80, 2 * FRAMES])
    with paddle.no_grad():
        np.testing.assert_allclose(networks.onnx.encode(mel), networks.paddle.encode(mel).numpy(), atol=1e-4)


def test_stretches_begin_with_the_same_scores(networks: Networks) -> None:
    paddle = load_paddlespeech().paddle
    (features,) = make_features(1)
    spans = [(first, first + 12) for first in range(0, 37, 2)]
    with paddle.no_grad():
        wanted = networks.paddle.score_start(paddle.to_tensor(features), spans, 11)
    assert len(wanted) == len(spans) == 19
    np.testing.assert_allclose(networks.onnx.score_start(features, spans, 11), wanted, atol=1e-4)


def test_a_known_text_is_read_the_same(networks: Networks) -> None:
    paddle = load_paddlespeech().paddle
    (features,) = make_features(1)
    tokens = make_tokens(1, 9)[0].tolist()
    with paddle.no_grad():
        wanted = networks.paddle.read(paddle.to_tensor(features), tokens)
    found = networks.onnx.read(features, tokens)
    np.testing.assert_allclose(found.logits, wanted.logits, atol=1e-4)
    assert found.attention.shape == (3, 9, FRAMES)
    np.testing.assert_allclose(found.attention, wanted.attention, atol=1e-4)


def test_what_was_heard_of_the_last_windows_is_kept(networks: Networks) -> None:
    decoder = networks.onnx.decoder
    windows, tokens = make_features(MAX_HEARD_WINDOWS + 1), make_tokens(1, 3)
    first = [decoder.begin([window]).score(tokens) for window in windows]
    again = [decoder.begin([window]).score(tokens) for window in reversed(windows)]
    np.testing.assert_array_equal(first, again[::-1])
    assert len(decoder.heard) == MAX_HEARD_WINDOWS


@pytest.mark.parametrize("library", ["paddle", "onnx"])
def test_texts_begin_together(networks: Networks, library: str) -> None:
    paddle = load_paddlespeech().paddle
    network: Any = getattr(networks, library)
    features, tokens = make_features(2), make_tokens(4, 6)
    given = features if library == "onnx" else [paddle.to_tensor(window) for window in features]
    order = [0, 0, 1, 1] if library == "paddle" else [0, 1]
    rows = tokens[: len(order)]
    with paddle.no_grad():
        texts = network.begin(given, 3, END)
        texts.logits(paddle.to_tensor(rows[:, :3]), None)
        found = [texts.logits(paddle.to_tensor(rows[:, :length]), None).numpy()[:, 0] for length in (4, 5, 6)]
        texts.cleanup_caching()
    whole = score_whole(networks, rows, [features[index] for index in order])
    np.testing.assert_allclose(np.stack(found, 1), whole[:, 3:], atol=1e-4)


def test_steps_score_as_a_whole_pass_does(networks: Networks, decoder: StepDecoder) -> None:
    features, tokens = make_features(3), make_tokens(3, 9)
    texts = decoder.begin(features, END)
    scores = [texts.score(tokens[:, :length]) for length in (3, *range(4, 10))]
    assert [part.shape[1] for part in scores] == [3, *[1] * 6]
    np.testing.assert_allclose(np.concatenate(scores, 1), score_whole(networks, tokens, features), atol=1e-4)


def test_all_rows_may_listen_to_one_window(networks: Networks, decoder: StepDecoder) -> None:
    features, tokens = make_features(1), make_tokens(3, 5)
    texts = decoder.begin(features, END)
    texts.score(tokens[:, :4])
    whole = score_whole(networks, tokens, features)
    np.testing.assert_allclose(texts.score(tokens)[:, 0], whole[:, -1], atol=1e-4)


@pytest.mark.parametrize("windows", [1, 3])
def test_rows_that_have_ended_are_left_out(networks: Networks, decoder: StepDecoder, windows: int) -> None:
    features, tokens = make_features(windows), make_tokens(3, 8)
    tokens[0, 4:] = tokens[2, 6:] = END
    whole = score_whole(networks, tokens, features)
    texts = decoder.begin(features, END)
    found = np.concatenate([texts.score(tokens[:, :length]) for length in range(1, 9)], 1)
    np.testing.assert_allclose(found[1], whole[1], atol=1e-4)
    np.testing.assert_allclose(found[0, :4], whole[0, :4], atol=1e-4)
    np.testing.assert_allclose(found[2, :6], whole[2, :6], atol=1e-4)
    assert not found[0, 4:].any()
    assert not found[2, 6:].any()
