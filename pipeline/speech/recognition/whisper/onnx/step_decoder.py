"""Whisper's decoder step by step on a processor, by onnxruntime.

A step takes the last tokens of some rows of text and gives the scores of their next; what it has read stays in the
decoder's keys and values. Rows that have ended are left out of the steps that follow.
"""

from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from pipeline.models.onnx_session import open_session, to_value
from pipeline.speech.recognition.whisper.onnx.decoder_graphs import (
    FEATURES,
    KEYS,
    LOGITS,
    MASK,
    NEXT,
    SOUND_KEYS,
    TOKENS,
    VALUES,
    write_sound,
    write_step,
)
from pipeline.speech.recognition.whisper.onnx.graph import Sizes, Weights

Floats: TypeAlias = NDArray[np.float32]
Tokens: TypeAlias = NDArray[np.int64]
Value: TypeAlias = Any
"""An `onnxruntime.OrtValue`."""


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

    def begin(self, features: Floats, end: int) -> "Steps":
        """Begin texts.

        Args:
            features: What the encoder made of one window, which all rows listen to, or of one for each row; shape
                (windows, frames, width).
            end: The token that ends a text.
        """
        names = [output.name for output in self.sound.get_outputs()]
        made = self.sound.run_with_ort_values(names, {FEATURES: to_value(features)})
        return Steps(decoder=self, end=end, sound=dict(zip(names, made, strict=True)))


@dataclass(slots=True, kw_only=True)
class Steps:
    """Texts that are being decoded together."""

    decoder: StepDecoder
    end: int
    sound: dict[str, Value]
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
        going = np.flatnonzero(new[:, -1] != self.end)
        if len(going) < len(self._rows):
            self._leave(np.isin(self._rows, going))
        found = self._run(new[self._rows])
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

    def _run(self, tokens: Tokens) -> Floats:
        decoder, count = self.decoder, tokens.shape[1]
        past = self._read + count
        embedded = decoder.embedding[tokens] + decoder.positions[self._read : past]
        mask = np.triu(np.full((count, past), -np.inf, np.float32), self._read + 1)
        given = {TOKENS: to_value(embedded), MASK: to_value(mask), **self.sound, **self._text}
        names = list(self._text)
        scores, *kept = decoder.step.run_with_ort_values([LOGITS, *(f"{NEXT}{name}" for name in names)], given)
        self._text, self._read = dict(zip(names, kept, strict=True)), past
        return cast("Floats", scores.numpy())


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
        step=open_session(write_step(weights, sizes), threads=threads),
        sound=open_session(write_sound(weights, sizes), threads=threads),
    )
