"""Whisper's network by onnxruntime; features are arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from pipeline.speech.compat.paddlespeech import PaddleSpeech, Untyped
from pipeline.speech.recognition.whisper.networks.base import Features, Floats, Reading
from pipeline.speech.recognition.whisper.networks.encoder_graph import FEATURES, MEL, write_encoder
from pipeline.speech.recognition.whisper.networks.graph_writer import Sizes
from pipeline.speech.recognition.whisper.networks.step_decoder import StepDecoder, Steps, load_step_decoder, open_graph
from pipeline.speech.recognition.whisper.weights import ConvertedWeights

MAX_SPANS = 16
"""Stretches that are listened to together; the keys and values of each are copied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxNetwork:
    """Encoder and decoder."""

    library: PaddleSpeech
    outline: Untyped
    encoder: Any
    """An `onnxruntime.InferenceSession` of `write_encoder`."""
    decoder: StepDecoder
    heads: tuple[tuple[int, int], ...]
    """(layer, head) pairs of the decoder whose cross-attention follows the sound."""

    def encode(self, mel: Untyped) -> Features:
        """Encode a window."""
        (features,) = self.encoder.run([FEATURES], {MEL: mel.numpy()})
        return features

    def score_start(self, features: Features, spans: Sequence[tuple[int, int]], token: int) -> Floats:
        """Score what follows the first token when the decoder is shown stretches of a window."""
        found: list[Floats] = []
        for start in range(0, len(spans), MAX_SPANS):
            some = spans[start : start + MAX_SPANS]
            texts = self.decoder.begin_in_stretches(features, some)
            found.append(texts.score(np.full((len(some), 1), token))[:, 0])
        return np.concatenate(found)

    def read(self, features: Features, tokens: Sequence[int]) -> Reading:
        """Run the decoder over a known text in one pass."""
        layers = sorted({layer for layer, _ in self.heads})
        logits, scores = self.decoder.begin([features]).read(np.array([tokens]), layers)
        by_layer = dict(zip(layers, scores, strict=True))
        return Reading(logits=logits[0], attention=np.stack([by_layer[layer][0, head] for layer, head in self.heads]))

    def begin(self, features: Sequence[Features], start: int, end: int) -> "OnnxTexts":
        """Begin texts."""
        del start
        return OnnxTexts(paddle=self.library.paddle, steps=self.decoder.begin(features, end))


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxTexts:
    """Texts whose tokens and scores are tensors of paddle."""

    paddle: Untyped
    steps: Steps

    def logits(self, tokens: Untyped, audio_features: Untyped) -> Untyped:
        """Score the tokens that are new."""
        del audio_features
        return self.paddle.to_tensor(self.steps.score(np.asarray(tokens.numpy(), np.int64)))

    def cleanup_caching(self) -> None:
        """Do nothing: what the steps keep goes with them."""


def load_onnx_network(library: PaddleSpeech, converted: ConvertedWeights, threads: int) -> OnnxNetwork:
    """Build the network.

    Args:
        library: Whose tensors tokens and scores are.
        converted: The weights.
        threads: Of one run.

    Raises:
        KeyError: A weight is missing.
    """
    given = converted.manifest.dimensions
    sound = Sizes(width=given["n_audio_state"], heads=given["n_audio_head"], layers=given["n_audio_layer"])
    text = Sizes(width=given["n_text_state"], heads=given["n_text_head"], layers=given["n_text_layer"])
    weights = converted.weights()
    outline = SimpleNamespace(dims=SimpleNamespace(**given), is_multilingual=True)
    encoder = open_graph(write_encoder(weights, sound), threads)
    return OnnxNetwork(
        library=library,
        outline=outline,
        encoder=encoder,
        decoder=load_step_decoder(weights, text, threads),
        heads=converted.manifest.alignment_heads,
    )
