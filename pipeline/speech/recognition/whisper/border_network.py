"""A small network that hears where one word passes into the next.

It looks at the spectra around a border that the decoder's attention gives to about 50 ms, and at the letters next to
it, and says for each 10 ms nearby how likely the first word ends and the second begins there. It was trained on
synthetic voices in four languages (`tests.bench.border_training`); letters that it does not know, such as those of
other scripts, count for nothing.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.recognition.whisper.weights import compute_mel_filters

WEIGHTS: Final = Path(__file__).with_name("border_network.npz")
SAMPLE_RATE: Final = 16_000
HOP: Final = 160
"""Samples between two spectra; 10 ms."""
WIDTH: Final = 400
"""Samples of a spectrum; 25 ms."""
BANDS: Final = 40
CONTEXT_HOPS: Final = 48
"""Spectra on each side of the guess that are heard; 0.48 s."""
REACH_HOPS: Final = 26
"""By which a border is moved at most from the guess."""
SPREAD_HOPS: Final = 10.0
"""Unit of distances from the guess."""
LETTERS_OF_WORD: Final = 3
"""Of each word, those nearest to the border."""
DILATIONS: Final = (1, 2, 4)
KERNEL: Final = 5
_FLOOR: Final = 1e-6
_SPELLED: Final = "abcdefghijklmnopqrstuvwxyz'"
_UNKNOWN_LETTER, _NO_LETTER = len(_SPELLED) + 1, 0
LETTER_KINDS: Final = len(_SPELLED) + 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A border as the attention gives it; times in seconds of the samples."""

    middle: float
    start: float
    """Of the word before it."""
    end: float
    """Of the word after it."""
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BorderNetwork:
    """The weights of the network."""

    weights: dict[str, NDArray[np.float32]]

    @classmethod
    @cache
    def load(cls) -> "BorderNetwork":
        """Read the weights that come with the package."""
        with np.load(WEIGHTS) as file:
            return cls(weights={name: file[name].astype(np.float32) for name in file.files})

    def find(self, bands: NDArray[np.float32], guesses: Sequence[Guess]) -> NDArray[np.float64]:
        """Find borders.

        Args:
            bands: Spectra of the sound, of `compute_bands`.
            guesses: Borders near which the sound is looked at.

        Returns:
            Seconds at which the word before each border ends and the one after it begins, shape (guesses, 2).
        """
        if not guesses:
            return np.zeros((0, 2))
        heard = np.stack([hear(bands, guess) for guess in guesses])
        letters = np.stack([spell(guess.before, guess.after) for guess in guesses])
        hops = self.locate(heard, letters)
        return np.array([guess.middle for guess in guesses])[:, None] + hops * HOP / SAMPLE_RATE

    def locate(self, heard: NDArray[np.float32], letters: NDArray[np.int64]) -> NDArray[np.float64]:
        """Find borders in what `hear` and `spell` made of them, in hops from the guess, shape (guesses, 2)."""
        chances = self._run(heard, letters)
        # The median of what is likely is off by less than what is likeliest.
        sums = np.cumsum(chances, axis=2)
        places = np.argmax(sums >= 0.5, axis=2)
        past = np.take_along_axis(sums, places[:, :, None], 2)[:, :, 0]
        share = np.take_along_axis(chances, places[:, :, None], 2)[:, :, 0]
        return places + 0.5 - (past - 0.5) / np.maximum(share, 1e-9) - REACH_HOPS

    def _run(self, heard: NDArray[np.float32], letters: NDArray[np.int64]) -> NDArray[np.float64]:
        """Compute how likely each place near the guess is, shape (guesses, 2, 2 * REACH_HOPS + 1)."""
        weights = self.weights
        embedded = weights["letters.weight"][letters].reshape(len(letters), -1)
        hidden = heard
        for layer, dilation in enumerate(DILATIONS):
            hidden = _convolve(hidden, weights[f"layers.{layer}.weight"], dilation)
            shift = embedded @ weights[f"shifts.{layer}.weight"].T + weights[f"shifts.{layer}.bias"]
            hidden = np.maximum(hidden + shift[:, :, None], 0.0)
        near = hidden[:, :, CONTEXT_HOPS - REACH_HOPS : CONTEXT_HOPS + REACH_HOPS + 1]
        scores = np.einsum("oc,ncf->nof", weights["scores.weight"][:, :, 0], near, optimize=True).astype(np.float64)
        raised = np.exp(scores - scores.max(axis=2, keepdims=True))
        return raised / raised.sum(axis=2, keepdims=True)


def compute_bands(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute logarithmic spectra of a sound at 16 kHz, with the context of borders at its ends.

    Returns:
        Shape (bands, hops + 2 * CONTEXT_HOPS + 1).
    """
    count = len(samples) // HOP + 1
    padded = np.pad(np.nan_to_num(samples.astype(np.float64)), (WIDTH // 2, WIDTH))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WIDTH)[: count * HOP : HOP]
    powers = np.abs(np.fft.rfft(frames * np.hanning(WIDTH), axis=1)) ** 2
    bands = np.log10(np.maximum(powers @ compute_mel_filters(BANDS).T, _FLOOR))
    return np.pad(bands.T, ((0, 0), (CONTEXT_HOPS, CONTEXT_HOPS)), mode="edge").astype(np.float32)


def hear(bands: NDArray[np.float32], guess: Guess) -> NDArray[np.float32]:
    """Cut out what the network hears of a border: spectra at equal level, and how far its words reach.

    Returns:
        Shape (BANDS + 3, 2 * CONTEXT_HOPS + 1).
    """
    length = 2 * CONTEXT_HOPS + 1
    first = min(max(0, round(guess.middle * SAMPLE_RATE / HOP)), bands.shape[1] - length)
    cut = bands[:, first : first + length]
    hops = np.arange(length, dtype=np.float32) - CONTEXT_HOPS
    reach = [
        np.clip((hops - (time - guess.middle) * SAMPLE_RATE / HOP) / SPREAD_HOPS, -3.0, 3.0)
        for time in (guess.middle, guess.start, guess.end)
    ]
    return np.concatenate((cut - cut.mean(), reach), dtype=np.float32)


def spell(before: str, after: str) -> NDArray[np.int64]:
    """Number the letters next to a border, from the outside of the first word to that of the second."""
    first, second = ([_number(letter) for letter in _plain(word)] for word in (before, after))
    none = [_NO_LETTER] * LETTERS_OF_WORD
    return np.array([*(none + first)[-LETTERS_OF_WORD:], *(second + none)[:LETTERS_OF_WORD]], np.int64)


def _plain(word: str) -> str:
    parted = unicodedata.normalize("NFKD", word.lower().replace("’", "'"))  # noqa: RUF001 - as it is written
    return "".join(letter for letter in parted if letter.isalnum() or letter == "'").strip("'")


def _number(letter: str) -> int:
    place = _SPELLED.find(letter)
    return _UNKNOWN_LETTER if place < 0 else place + 1


def _convolve(x: NDArray[np.float32], weight: NDArray[np.float32], dilation: int) -> NDArray[np.float32]:
    """Convolve sounds of shape (count, channels, hops) over time; the length stays."""
    side = KERNEL // 2 * dilation
    padded = np.pad(x, ((0, 0), (0, 0), (side, side)))
    result = np.zeros((len(x), len(weight), x.shape[2]), np.float32)
    for tap in range(KERNEL):
        first = tap * dilation
        result += np.matmul(weight[:, :, tap], padded[:, :, first : first + x.shape[2]])
    return result
