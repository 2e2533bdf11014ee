"""How long words may last, by what is said for them."""

import re
from collections.abc import Sequence

import numpy as np

from pipeline.types import Word

MAX_WORD_SECONDS = 1.4
"""A word takes no longer than this."""
MAX_WORD_STRETCH = 2.5
"""Nor than so many times the median word of its window."""
MIN_WORD_LIMIT_SECONDS = 0.4
"""A word this short is never made shorter."""
SENTENCE_END = (".", "!", "?", "。", "！", "？")  # noqa: RUF001 - likewise
_SPOKEN = re.compile(r"(?<![\w'’])[^\W\d_]|\d")  # noqa: RUF001 - an apostrophe as it is written


def count_spoken(text: str) -> int:
    """Count what is said for a word: `1-2-3` are three words, and a number may be as many as its digits."""
    return max(1, len(_SPOKEN.findall(text)))


def limit_durations(words: Sequence[Word]) -> list[Word]:
    """Shorten words that hold a pause: the path has to spend pauses somewhere, mostly next to a sentence's end."""
    median = float(np.median([word.end - word.start for word in words]))
    longest = min(MAX_WORD_SECONDS, max(MAX_WORD_STRETCH * median, MIN_WORD_LIMIT_SECONDS))
    shortened: list[Word] = []
    for index, word in enumerate(words):
        start, end = word.start, word.end
        limit = longest * count_spoken(word.text)
        if end - start > limit:
            begins = index == 0 or words[index - 1].text.endswith(SENTENCE_END)
            if begins and not word.text.endswith(SENTENCE_END):
                start = end - limit
            else:
                end = start + limit
        shortened.append(Word(start=start, end=end, text=word.text, confidence=word.confidence))
    return shortened
