"""Refinement of the borders between words that follow each other without a pause, by the sound itself.

The decoder's attention says to about 50 ms where one word passes into the next; a small network hears where that is.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.recognition.whisper.border_network import BorderNetwork, Guess, compute_bands
from pipeline.types import Word

MIN_START_DISTANCE_SECONDS, MIN_WORD_SECONDS = 0.04, 0.02
"""Between the beginnings of two words that touch, and that is left of a word that was as long before."""
MAX_GAP_SECONDS = 0.021
"""Between two words that follow each other without a pause; a frame of the attention."""
ONSET_SECONDS = 0.01
"""From the end of a pause to the beginning of the next word."""
START_LAG_SECONDS, END_LAG_SECONDS = 0.025, 0.01
"""By which words are given earlier than the network finds them: it was taught by the plans of a synthesiser, whose
sound begins before its plan does. Why not by more is said in docs/decisions.md, "Word times"."""


def refine_borders(words: Sequence[Word], samples: NDArray[np.float32]) -> list[Word]:
    """Move the borders of words that touch to where one is heard to pass into the next.

    Args:
        words: In order of time, in seconds of the window.
        samples: The window at 16 kHz, shape (samples,).

    Returns:
        The words in the same order. Each still ends before the end that the one after it had; the first, and those
        after a pause, begin a little later than they did.
    """
    touching = [place for place, (last, after) in enumerate(pairwise(words)) if _touch(last, after)]
    guesses = [_guess(words[place], words[place + 1]) for place in touching]
    found = BorderNetwork.load().find(compute_bands(samples), guesses)
    starts, ends = [word.start for word in words], [word.end for word in words]
    for place in set(range(len(words))) - {place + 1 for place in touching}:
        starts[place] = _after_pause(words[place])
    for place, (end, start) in zip(touching, (found - (END_LAG_SECONDS, START_LAG_SECONDS)).tolist(), strict=True):
        least, most = starts[place] + MIN_START_DISTANCE_SECONDS, words[place + 1].end - MIN_WORD_SECONDS
        # Where words are squeezed together their borders stay.
        if least <= most:
            starts[place + 1] = min(max(start, least), most)
            ends[place] = max(starts[place] + MIN_WORD_SECONDS, min(end, starts[place + 1]))
    return [
        replace(word, start=start, end=max(start, end))
        for word, start, end in zip(words, accumulate(starts, max), ends, strict=True)
    ]


def _after_pause(word: Word) -> float:
    return max(word.start, min(word.start + ONSET_SECONDS, word.end - MIN_WORD_SECONDS))


def _touch(last: Word, after: Word) -> bool:
    return abs(after.start - last.end) <= MAX_GAP_SECONDS


def _guess(last: Word, after: Word) -> Guess:
    middle = (last.end + after.start) / 2
    return Guess(middle=middle, start=last.start, end=after.end, before=last.text, after=after.text)
