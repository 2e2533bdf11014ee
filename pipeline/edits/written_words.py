"""Words of what a person writes into a line."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from pipeline.characters import is_invisible, keeps_spaces
from pipeline.languages import UNSPACED
from pipeline.speech.alignment.sentences import ends_sentence

_RUN: Final = r"(?:(?![_\u0590-\U0010ffff])\w)+"
_SPACED_WORD: Final = rf"{_RUN}(?:['\u2019.-]{_RUN})*"
"""A word of Latin, Cyrillic or Greek letters or digits, which stays whole in every language."""


def read_words(text: str, language: str, known: Sequence[str] = ()) -> tuple[str, ...]:
    """Part a text into words, without characters that cannot be seen.

    Words that the line had before and behind the change stay as they were. Of the rest, what stands between spaces is
    a word; where a language is written without spaces, each word that the line had, and else each character with the
    marks that follow it.

    Args:
        text: What a person wrote.
        language: Code of the transcript's language.
        known: The words that the line had.
    """
    unspaced = language.partition("-")[0] in UNSPACED
    text = "".join(map(_visible, text))
    count, begun = _count_same(text, known, unspaced=unspaced)
    backwards = [word[::-1] for word in reversed(known[count:])]
    behind, left = _count_same(text[begun:][::-1], backwards, unspaced=unspaced)
    chunks = text[begun : len(text) - left].split()
    tail = list(known[len(known) - behind :])
    if not unspaced:
        return (*known[:count], *filter(_has_visible, chunks), *tail)
    pattern = _pieces(known)
    pieces = (piece for chunk in chunks for piece in pattern.findall(chunk))
    return tuple(_join_marks(known[:count], pieces, tail))


def find_middle(words: Sequence[str]) -> int:
    """Return the index of the word with which a second half begins, a new sentence if one does near the middle.

    Args:
        words: At least two.
    """
    quarter = len(words) // 4
    starts = [
        at for at in range(quarter + 1, len(words) - quarter) if ends_sentence(words[at - 1], following=words[at])
    ]
    return min(starts or range(1, len(words)), key=lambda at: abs(at - len(words) / 2))


def _visible(sign: str) -> str:
    if sign.isspace():
        return " "
    return "" if is_invisible(sign) else sign


def _has_visible(text: str) -> bool:
    return any(unicodedata.category(sign)[0] != "C" for sign in text)


def _count_same(text: str, words: Sequence[str], *, unspaced: bool) -> tuple[int, int]:
    """Count the words with which a text begins; return how many they are, and the index behind the last of them."""
    end = 0
    for count, word in enumerate(words):
        start = len(text) - len(text[end:].lstrip())
        behind = start + len(word)
        if not text.startswith(word, start) or not _is_bound(text, behind, unspaced=unspaced):
            return count, end
        end = behind
    return len(words), end


def _is_bound(text: str, at: int, *, unspaced: bool) -> bool:
    """Tell whether a word ends before the character at an index."""
    if at >= len(text) or text[at].isspace():
        return True
    spaced = keeps_spaces(text[at - 1]) and keeps_spaces(text[at])
    return unspaced and not spaced and unicodedata.category(text[at])[0] != "M"


def _pieces(known: Iterable[str]) -> re.Pattern[str]:
    whole = sorted({word for word in known if len(word) > 1 and not keeps_spaces(word[0])}, key=len, reverse=True)
    return re.compile("|".join([_SPACED_WORD, *map(re.escape, whole), "."]))


def _join_marks(head: Sequence[str], pieces: Iterable[str], tail: list[str]) -> list[str]:
    """Give marks to the word before them, and those that open something to the next."""
    words = list(head)
    opening = ""
    for piece in pieces:
        kinds = {unicodedata.category(sign) for sign in piece}
        if any(kind[0] in "LNS" for kind in kinds):
            words.append(opening + piece)
            opening = ""
        elif kinds <= {"Ps", "Pi"} or not words:
            opening += piece
        else:
            words[-1] += piece
    if opening and tail:
        tail[0] = opening + tail[0]
    elif opening and words:
        words[-1] += opening
    elif opening and _has_visible(opening):
        words.append(opening)
    return [*words, *tail]
