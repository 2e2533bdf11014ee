"""Whisper's network by paddle: on a graphics card, and where the weights are too large to be there twice."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from pipeline.speech.compat.paddlespeech import PaddleSpeech, Untyped
from pipeline.speech.recognition.whisper.networks.base import Features, Floats, Reading
from pipeline.speech.recognition.whisper.weights import ConvertedWeights


@dataclass(frozen=True, slots=True, kw_only=True)
class PaddleNetwork:
    """PaddleSpeech's model; features are paddle tensors."""

    library: PaddleSpeech
    model: Untyped
    heads: tuple[tuple[int, int], ...]
    """(layer, head) pairs of the decoder whose cross-attention follows the sound."""

    @property
    def outline(self) -> Untyped:
        """The model itself."""
        return self.model

    def encode(self, mel: Untyped) -> Features:
        """Encode a window."""
        return self.model.encoder(mel)

    def score_start(self, features: Features, spans: Sequence[tuple[int, int]], token: int) -> Floats:
        """Score what follows the first token when the decoder is shown stretches of a window."""
        paddle = self.library.paddle
        parts = paddle.concat([features[:, first:past] for first, past in spans])
        found: Floats = self.model.logits(paddle.to_tensor([[token]] * len(spans)), parts)[:, 0].numpy()
        return found

    def read(self, features: Features, tokens: Sequence[int]) -> Reading:
        """Run the decoder over a known text in one pass."""
        with self._watching() as scores:
            logits = self.model.decoder(self.library.paddle.to_tensor([list(tokens)]), features)[0].numpy()
            return Reading(logits=logits, attention=np.stack([score() for score in scores]))

    def begin(self, features: Sequence[Features], start: int, end: int) -> "PaddleTexts":
        """Begin texts."""
        del end
        inference = self.library.whisper.WhisperInference(self.model, start)
        return PaddleTexts(
            library=self.library, model=self.model, inference=inference, windows=self.library.paddle.concat(features)
        )

    @contextmanager
    def _watching(self) -> Generator[list[Callable[[], Floats]]]:
        """Collect queries and keys of the alignment heads; each item gives scores (tokens, frames)."""
        seen: dict[tuple[int, str], Floats] = {}
        hooks: list[Untyped] = []

        def keep(layer: int, name: str) -> Callable[[Untyped, Untyped, Untyped], None]:
            def hook(_module: Untyped, _inputs: Untyped, output: Untyped) -> None:
                seen[layer, name] = output[0].numpy()

            return hook

        for layer in {layer for layer, _ in self.heads}:
            attention = self.model.decoder.blocks[layer].cross_attn
            hooks.append(attention.query.register_forward_post_hook(keep(layer, "query")))
            hooks.append(attention.key.register_forward_post_hook(keep(layer, "key")))
        width = self.model.dims.n_text_state // self.model.dims.n_text_head

        def score(layer: int, head: int) -> Floats:
            part = slice(head * width, (head + 1) * width)
            return seen[layer, "query"][:, part] @ seen[layer, "key"][:, part].T * np.float32(width**-0.5)

        try:
            yield [lambda layer=layer, head=head: score(layer, head) for layer, head in self.heads]
        finally:
            for hook in hooks:
                hook.remove()


@dataclass(frozen=True, slots=True, kw_only=True)
class PaddleTexts:
    """Texts that PaddleSpeech's own inference scores."""

    library: PaddleSpeech
    model: Untyped
    inference: Untyped
    windows: Untyped

    def logits(self, tokens: Untyped, audio_features: Untyped) -> Untyped:
        """Score the tokens that are new."""
        del audio_features
        each = tokens.shape[0] // self.windows.shape[0]
        windows = self.windows if each == 1 else self.library.paddle.repeat_interleave(self.windows, each, axis=0)
        return self.inference.logits(tokens, windows)

    def cleanup_caching(self) -> None:
        """Forget the texts."""
        self.inference.cleanup_caching()
        for block in self.model.decoder.blocks:
            block.cross_attn.kept = None


def load_paddle_network(library: PaddleSpeech, converted: ConvertedWeights) -> PaddleNetwork:
    """Build the model on paddle's present device.

    Raises:
        ValueError: The weights do not fit PaddleSpeech's Whisper.
    """
    model = library.whisper.Whisper(library.whisper.ModelDimensions(**converted.manifest.dimensions))
    places: dict[str, Untyped] = model.state_dict()
    for name, array in converted.each_weight():
        if name not in places:
            raise ValueError(f"unexpected {name}")
        places.pop(name).set_value(array)
    if places:
        raise ValueError(f"missing {sorted(places)}")
    model.eval()
    return PaddleNetwork(library=library, model=model, heads=converted.manifest.alignment_heads)
