"""Spelling of a term among words: the punctuation around it, a possessive behind it, and whether it stands there."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.speech.alignment.text import join_words
from pipeline.types import Word

_POSSESSIVES: Final = ("'s", "\u2019s")
_POINTS: Final = range(10, 36)
"""Combining classes of the points of Hebrew and Arabic, which most people leave out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Words for which a term is put, and what stays around it."""

    before: str
    heard: str
    after: str

    def shows(self, term: str) -> bool:
        """Tell whether the term is what was heard, maybe with the capital of a sentence."""
        heard, term = _composed(self.heard), _composed(term)
        return heard == term or (term.islower() and heard == term[:1].upper() + term[1:])


def find_place(words: Sequence[Word], term: str, language: str) -> Place:
    """Find what of some words a term stands for; punctuation that is the term's own belongs to it.

    Args:
        words: At least one; the first and the last have letters.
        term: The term.
        language: Code of the transcript's language.
    """
    text = join_words((word.text for word in words), language)
    start, end = _core(text)
    if not has_possessive(term):
        end = len(without_possessive(text[:end]))
    first, past = _core(term)
    if text.endswith(term[:first], 0, start):
        start -= first
    if text.startswith(term[past:], end):
        end += len(term) - past
    return Place(before=text[:start], heard=text[start:end], after=text[end:])


def has_letters(text: str) -> bool:
    """Tell whether a word has a letter or a digit."""
    return any(sign.isalnum() for sign in text)


def has_possessive(text: str) -> bool:
    """Tell whether a text ends with an apostrophe and an s."""
    return text.casefold().endswith(_POSSESSIVES)


def without_possessive(text: str) -> str:
    """Leave out an apostrophe and an s at the end, and the punctuation behind them."""
    core = text[: _core(text)[1]]
    return core[: -len(_POSSESSIVES[0])] if has_possessive(core) else text


def letters_of(text: str) -> str:
    """Return the letters and digits of a text without regard to case, with the marks that tell words apart."""
    return "".join(
        sign
        for sign in _composed(text.casefold())
        if sign.isalnum() or (_is_mark(sign) and unicodedata.combining(sign) not in _POINTS)
    )


def is_wide_letter(text: str) -> bool:
    """Tell whether a word is one character of a script without spaces, punctuation aside."""
    letters = letters_of(text)
    return len(letters) == 1 and unicodedata.east_asian_width(letters) in "WF"


def _core(text: str) -> tuple[int, int]:
    """Return the index of the first letter, and that behind the last one and its marks."""
    letters = [index for index, sign in enumerate(text) if sign.isalnum() or _is_mark(sign)]
    return (letters[0], letters[-1] + 1) if letters else (0, len(text))


def _is_mark(sign: str) -> bool:
    return unicodedata.category(sign)[0] == "M"


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)
