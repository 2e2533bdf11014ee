"""Whisper's decoder step by step on a processor, by onnxruntime.

A step takes the last tokens of some rows of text and gives the scores of their next; what it has read stays in the
decoder's keys and values. Rows that have ended are left out of the steps that follow.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.models.onnx_session import open_session, to_value
from pipeline.speech.recognition.whisper.networks.decoder_graphs import (
    FEATURES,
    FIT,
    KEYS,
    LOGITS,
    MASK,
    NEXT,
    SOUND_KEYS,
    SOUND_VALUES,
    TOKENS,
    VALUES,
    write_sound,
    write_step,
)
from pipeline.speech.recognition.whisper.networks.graph_writer import Graph, Sizes, Weights

Floats: TypeAlias = NDArray[np.float32]
Tokens: TypeAlias = NDArray[np.int64]
Value: TypeAlias = Any
"""An `onnxruntime.OrtValue`."""
Sound: TypeAlias = dict[str, Value]
"""Keys and values of windows, by the names of the graph."""

MAX_HEARD_WINDOWS = 4
"""Whose keys and values are kept, since languages, words and their times are found one after the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDecoder:
    """A loaded decoder; make it with `load_step_decoder`."""

    sizes: Sizes
    embedding: Floats
    positions: Floats
    step: Any
    """An `onnxruntime.InferenceSession` of `write_step`."""
    sound: Any
    """The same of `write_sound`."""
    heard: "OrderedDict[int, tuple[Floats, Sound]]" = field(default_factory=OrderedDict[int, Any])
    """Features of the last windows, and their keys and values; by `id`."""

    def begin(self, features: Sequence[Floats], end: int | None = None) -> "Steps":
        """Begin texts.

        Args:
            features: What the encoder made of one window, which all rows listen to, or of one for each row; each of
                the shape (1, frames, width).
            end: The token that ends a text; None: none does.
        """
        parts = [self._hear(each) for each in features]
        if len(parts) == 1:
            return Steps(decoder=self, end=end, sound=parts[0])
        joined = {name: to_value(np.concatenate([part[name].numpy() for part in parts])) for name in parts[0]}
        return Steps(decoder=self, end=end, sound=joined)

    def begin_in_stretches(self, features: Floats, spans: Sequence[tuple[int, int]]) -> "Steps":
        """Begin a text in each of some stretches of a window, (first frame, the one after the last)."""
        sound: Sound = {}
        for name, value in self._hear(features).items():
            whole, axis = value.numpy(), 3 if name.startswith(SOUND_KEYS) else 2
            sound[name] = to_value(np.concatenate([whole.take(range(*span), axis) for span in spans]))
        return Steps(decoder=self, end=None, sound=sound)

    def _hear(self, features: Floats) -> Sound:
        """Return the keys and values of a window; those of the last windows are kept."""
        known = self.heard.pop(id(features), None)
        if known is None:
            made = self.sound.run_with_ort_values(self._sound_names, {FEATURES: to_value(features)})
            known = (features, dict(zip(self._sound_names, made, strict=True)))
        self.heard[id(features)] = known
        while len(self.heard) > MAX_HEARD_WINDOWS:
            self.heard.popitem(last=False)
        return known[1]

    @property
    def _sound_names(self) -> list[str]:
        return [f"{name}{index}" for index in range(self.sizes.layers) for name in (SOUND_KEYS, SOUND_VALUES)]


@dataclass(slots=True, kw_only=True)
class Steps:
    """Texts that are being decoded together."""

    decoder: StepDecoder
    end: int | None
    sound: Sound
    """Keys and values of the windows."""
    _text: dict[str, Value] = field(default_factory=dict[str, Any], init=False)
    """Keys and values of the tokens so far."""
    _rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64), init=False)
    """Rows that go on."""
    _read: int = field(default=0, init=False)
    """Tokens that have been read."""

    def score(self, tokens: Tokens) -> Floats:
        """Read the tokens that are new, and score the next of each.

        Args:
            tokens: All tokens of each row, shape (rows, tokens).

        Returns:
            Shape (rows, new tokens, vocabulary); zeros for rows that have ended.
        """
        if not self._read:
            self._begin(len(tokens))
        new = tokens[:, self._read :]
        going = np.arange(len(tokens)) if self.end is None else np.flatnonzero(new[:, -1] != self.end)
        if len(going) < len(self._rows):
            self._leave(np.isin(self._rows, going))
        (found,) = self._run(new[self._rows])
        if len(self._rows) == len(tokens):
            return found
        scores = np.zeros((len(tokens), *found.shape[1:]), np.float32)
        scores[self._rows] = found
        return scores

    def _begin(self, rows: int) -> None:
        sizes = self.decoder.sizes
        self._rows = np.arange(rows)
        for index in range(sizes.layers):
            keys, values = ((sizes.head_width, 0), (0, sizes.head_width))
            self._text[f"{KEYS}{index}"] = to_value(np.zeros((rows, sizes.heads, *keys), np.float32))
            self._text[f"{VALUES}{index}"] = to_value(np.zeros((rows, sizes.heads, *values), np.float32))

    def _leave(self, going: NDArray[np.bool_]) -> None:
        """Leave out rows that have ended."""
        if not going.any():
            return
        self._rows = self._rows[going]
        self._text = {name: to_value(value.numpy()[going]) for name, value in self._text.items()}
        if self.sound[f"{SOUND_KEYS}0"].shape()[0] > 1:
            self.sound = {name: to_value(value.numpy()[going]) for name, value in self.sound.items()}

    def read(self, tokens: Tokens, layers: Sequence[int]) -> tuple[Floats, list[Floats]]:
        """Read whole texts.

        Args:
            tokens: Shape (rows, tokens).
            layers: Those whose attention to the sound is asked for.

        Returns:
            Scores of the next tokens, shape (rows, tokens, vocabulary), and for each layer how well the sound fits the
            tokens, shape (rows, heads, tokens, frames).
        """
        self._begin(len(tokens))
        scores, *fits = self._run(tokens, [f"{FIT}{layer}" for layer in layers])
        return scores, fits

    def _run(self, tokens: Tokens, asked: Sequence[str] = ()) -> list[Floats]:
        """Return the scores, and what else is asked for."""
        decoder, count = self.decoder, tokens.shape[1]
        past = self._read + count
        embedded = decoder.embedding[tokens] + decoder.positions[self._read : past]
        mask = np.triu(np.full((count, past), -np.inf, np.float32), self._read + 1)
        given = {TOKENS: to_value(embedded), MASK: to_value(mask), **self.sound, **self._text}
        names = list(self._text)
        wanted = [LOGITS, *asked, *(f"{NEXT}{name}" for name in names)]
        made = decoder.step.run_with_ort_values(wanted, given)
        self._text, self._read = dict(zip(names, made[1 + len(asked) :], strict=True)), past
        return [value.numpy() for value in made[: 1 + len(asked)]]


def load_step_decoder(weights: Weights, sizes: Sizes, threads: int) -> StepDecoder:
    """Build the decoder.

    Args:
        weights: By PaddleSpeech's names.
        sizes: Of the decoder.
        threads: Of one step.
    """
    return StepDecoder(
        sizes=sizes,
        embedding=weights["decoder.token_embedding.weight"],
        positions=weights["decoder.positional_embedding"],
        step=open_graph(write_step(weights, sizes), threads),
        sound=open_graph(write_sound(weights, sizes), threads),
    )


def open_graph(graph: Graph, threads: int) -> Any:  # noqa: ANN401 - onnxruntime has no types
    """Open a graph as an `onnxruntime.InferenceSession`."""
    return open_session(graph.model, threads=threads, weights=graph.weights)
