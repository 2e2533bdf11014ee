"""Times for the words that a person writes, from those that were recognised."""

from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Final

from msgspec import UNSET

from pipeline.types import Word

MIN_WORD_SECONDS: Final = 0.06
"""Seconds that a new word needs between two others; where there is less it shares the time of a neighbour."""
MAX_COMPARED_PAIRS: Final = 250_000
"""Pairs of old and new words that are compared; where there would be more, all words between are new."""
WRITTEN_CONFIDENCE: Final = 1.0
"""Of words that a person wrote."""


def share_time(texts: Sequence[str], start: float, end: float) -> list[Word]:
    """Let words share a stretch of time by their letters."""
    letters = [max(1, len(text)) for text in texts]
    bounds, said = [start], 0
    for count in letters:
        said += count
        bounds.append(min(end, start + (end - start) * said / sum(letters)))
    return [
        Word(start=bounds[index], end=bounds[index + 1], text=text, confidence=WRITTEN_CONFIDENCE)
        for index, text in enumerate(texts)
    ]


def retime(old: Sequence[Word], texts: Sequence[str]) -> list[Word]:
    """Give times to the new words of a line.

    Words that stay are kept as they are. As many words as before take the times of those that they replace; fewer or
    more share them by their letters. Words that are put in share the pause that they stand in, or, where that is too
    short or an end of the line, the time of a neighbour.

    Args:
        old: The words of the line, at least one, in order of time.
        texts: The new words, at least one.
    """
    words: list[Word] = []
    waiting: Sequence[str] = ()
    for begun, ended, first, past in _changes([word.text for word in old], texts):
        new = texts[first:past]
        if begun == ended and words:
            words += _put_in(words, old[begun] if begun < len(old) else None, new)
        elif begun == ended:
            waiting = new
        elif list(new) == [word.text for word in old[begun:ended]]:
            words += _put_before(old[begun], waiting) if waiting else [old[begun]]
            words += old[begun + 1 : ended]
            waiting = ()
        elif ended - begun == past - first:
            pairs = zip(old[begun:ended], new, strict=True)
            words += [replace(word, text=text, confidence=WRITTEN_CONFIDENCE, heard=UNSET) for word, text in pairs]
        else:
            words += share_time(new, old[begun].start, max(word.end for word in old[begun:ended]))
    return words


def _put_in(words: list[Word], following: Word | None, texts: Sequence[str]) -> list[Word]:
    """Make the words that go on from the last of `words`, which is taken back where they share its time."""
    last = words[-1]
    if following is not None and following.start - last.end >= MIN_WORD_SECONDS * len(texts):
        return share_time(texts, last.end, following.start)
    words.pop()
    shorter, *new = share_time([last.text, *texts], last.start, last.end)
    return [replace(last, end=shorter.end), *new]


def _put_before(word: Word, texts: Sequence[str]) -> list[Word]:
    """Let the words at the beginning of a line share the time of the one that was its first."""
    *new, shorter = share_time([*texts, word.text], word.start, word.end)
    return [*new, replace(word, start=shorter.start)]


def _changes(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """List which old words (from, to) become which new ones (from, to), in order."""
    matched = SequenceMatcher(None, list(old), list(new), autojunk=False)
    head = next((index for index, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), None)
    head = min(len(old), len(new)) if head is None else head
    rest = list(zip(reversed(old[head:]), reversed(new[head:]), strict=False))
    tail = next((index for index, pair in enumerate(rest) if pair[0] != pair[1]), len(rest))
    if (len(old) - head - tail) * (len(new) - head - tail) <= MAX_COMPARED_PAIRS:
        return [(begun, ended, first, past) for _, begun, ended, first, past in matched.get_opcodes()]
    parts = [(0, head, 0, head), (head, len(old) - tail, head, len(new) - tail)]
    parts.append((len(old) - tail, len(old), len(new) - tail, len(new)))
    return [part for part in parts if part[1] > part[0] or part[3] > part[2]]
