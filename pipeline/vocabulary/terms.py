"""Texts split into terms: stems of spaced words, and pairs of letters of scripts that are written without spaces.

A run of such letters gives all its pairs and then its last letter alone, so that each letter begins a term.
"""

import re
import sys
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Final, NamedTuple

from pipeline.vocabulary.stemming import MAX_CACHED_STEMS, fold, stem, stem_language

MAX_TERM_CHARS: Final = 64
"""Characters; no word that people say is longer."""
_APOSTROPHES: Final = str.maketrans({"\u2019": "'", "\u02bc": "'", "\uff07": "'"})
_SPLIT_AT_APOSTROPHE: Final = frozenset({"fr", "it", "ca"})
"""Languages whose articles stand before an apostrophe."""
UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
"""Han, kana, Hangul, Thai, Lao, Burmese and Khmer, as ranges of a regular expression."""
_UNSPACED_RUN: Final = re.compile(f"[{UNSPACED}]+|[^{UNSPACED}]+")
_IS_UNSPACED: Final = re.compile(f"[{UNSPACED}]")


class Term(NamedTuple):
    """A term of a text."""

    text: str
    """What is compared: a stem, or one or two letters."""
    word: str
    """The word that the stem is of, in lower case; `text` itself for letters."""
    start: int
    """Of the first character in the text."""
    end: int


def find_terms(text: str, language: str) -> list[Term]:
    """Split a text into its terms, in their order.

    Args:
        text: The text.
        language: Code of its language; its words are cut by the rules of that language.

    """
    rules = stem_language(language)
    terms: list[Term] = []
    for found in _word_pattern().finditer(text.translate(_APOSTROPHES)):
        for part in _UNSPACED_RUN.finditer(found[0]):
            start = found.start() + part.start()
            if is_unspaced(part[0]):
                terms += _pairs(part[0], start)
            else:
                terms += _words(part[0], start, rules)
    return terms


def is_unspaced(text: str) -> bool:
    """Tell whether a text begins with a letter of a script that is written without spaces."""
    return _IS_UNSPACED.match(text) is not None


def _words(text: str, start: int, rules: str) -> Iterator[Term]:
    pieces = re.finditer("[^']+" if rules in _SPLIT_AT_APOSTROPHE else ".+", text)
    for piece in pieces:
        text, word = _compared(piece[0], rules)
        if text:
            yield Term(text, word, start + piece.start(), start + piece.end())


@lru_cache(MAX_CACHED_STEMS)
def _compared(written: str, rules: str) -> tuple[str, str]:
    """Return the stem of a word as it is written, and the word in lower case; two empty texts where nothing is left."""
    normal = unicodedata.normalize("NFKC", written).casefold()
    # Some signs become several, such as a fraction with its stroke.
    word = "".join(sign for sign in normal if sign == "'" or _is_part(sign)).strip("'")[:MAX_TERM_CHARS]
    plain = fold(word)
    return (stem(word, rules), plain) if plain else ("", "")


def _pairs(text: str, start: int) -> Iterator[Term]:
    letters = "".join(filter(_is_part, unicodedata.normalize("NFKC", text)))
    same = len(letters) == len(text)
    for index in range(len(letters)):
        pair = letters[index : index + 2]
        # Narrow kana become fewer wide ones, so that only the whole run has a place.
        place = (start + index, start + index + len(pair)) if same else (start, start + len(text))
        yield Term(pair, pair, *place)


@cache
def _word_pattern() -> re.Pattern[str]:
    """Return what finds runs of letters, digits and the marks on them, with apostrophes between."""
    marks = "".join(chr(code) for code in range(0x300, min(0x11000, sys.maxunicode)) if _is_mark(chr(code)))
    letters = rf"(?:[^\W_]|[{marks}])"
    return re.compile(rf"[^\W_]{letters}*(?:'{letters}+)*")


def _is_part(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "LNM"


def _is_mark(sign: str) -> bool:
    return unicodedata.category(sign).startswith("M")
