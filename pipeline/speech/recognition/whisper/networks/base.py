"""What the recogniser asks of Whisper's network, whatever computes it.

Features are what the encoder makes of a window, shape (1, frames, width).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.compat.paddlespeech import Untyped

Floats: TypeAlias = NDArray[np.float32]
Features: TypeAlias = Any
"""An array or a tensor of the network's own library."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the decoder makes of a known text."""

    logits: Floats
    """Scores of each next token, shape (tokens, vocabulary)."""
    attention: Floats
    """Raw scores of the alignment heads, shape (heads, tokens, frames)."""


class Texts(Protocol):
    """Texts that are being decoded together; PaddleSpeech's `Inference`."""

    def logits(self, tokens: Untyped, audio_features: Untyped) -> Untyped:
        """Score the tokens that are new.

        Args:
            tokens: All tokens of each row, a paddle tensor of the shape (rows, tokens).
            audio_features: Not used; the windows are known.

        Returns:
            A paddle tensor, shape (rows, new tokens, vocabulary).
        """
        ...

    def cleanup_caching(self) -> None:
        """Forget the texts."""
        ...


class Network(Protocol):
    """A loaded network."""

    @property
    def outline(self) -> Untyped:
        """What PaddleSpeech's decoding task wants to know of a model: `dims` and `is_multilingual`."""
        ...

    def encode(self, mel: Untyped) -> Features:
        """Encode a window.

        Args:
            mel: A paddle tensor, shape (1, bands, frames).
        """
        ...

    def score_start(self, features: Features, spans: Sequence[tuple[int, int]], token: int) -> Floats:
        """Score what follows the first token when the decoder is shown stretches of a window.

        Args:
            features: Of the window.
            spans: First frame and the one after the last; all of one length.
            token: The first.

        Returns:
            Shape (spans, vocabulary).
        """
        ...

    def read(self, features: Features, tokens: Sequence[int]) -> Reading:
        """Run the decoder over a known text in one pass."""
        ...

    def begin(self, features: Sequence[Features], start: int, end: int) -> Texts:
        """Begin texts.

        Args:
            features: Of one window for all rows, or of one for each.
            start: Tokens of a row before its text.
            end: The token that ends a text.
        """
        ...
