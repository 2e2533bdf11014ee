"""Titles of chapters: the words that tell most of what is said there and not elsewhere."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from pipeline.export.escaping import clean
from pipeline.vocabulary.stop_words import STOP_LETTERS, is_stop_term
from pipeline.vocabulary.terms import UNSPACED, find_terms, is_unspaced

TITLE_WORDS: Final = 3
MAX_TITLE_CHARS: Final = 60
SEPARATOR: Final = " · "
MAX_LETTERS: Final = 4
"""Of a word of a script without spaces."""
_RUN: Final = re.compile(f"[{UNSPACED}]+")


def titles_of(texts: Sequence[str], language: str) -> list[str]:
    """Return the most telling words of each of the texts of a recording; empty where no word tells anything."""
    counted = [_count(text, language) for text in texts]
    whole = Counter[str]()
    for counts in counted:
        whole.update(counts)
    return [_title(text, own, whole, language) for text, own in zip(texts, counted, strict=True)]


def _title(text: str, own: Counter[str], whole: Counter[str], language: str) -> str:
    total_own, total = max(own.total(), 1), max(whole.total(), 1)
    scores = {
        term: count * math.log((count / total_own) / (whole[term] / total)) * _weight(term)
        for term, count in own.items()
        if count > 1
    }
    chosen: list[str] = []
    for term in sorted(scores, key=lambda term: (-scores[term], term)):
        if len(chosen) == TITLE_WORDS:
            break
        if scores[term] > 0 and not any(_overlaps(term, other) for other in chosen):
            chosen.append(term)
    shown = [_as_written(term, text, language) for term in chosen]
    title = clean(SEPARATOR.join(shown))[:MAX_TITLE_CHARS]
    return title[:1].upper() + title[1:]


def _count(text: str, language: str) -> Counter[str]:
    """Count stems, and pieces of runs of letters without spaces."""
    found = Counter(
        term.text
        for term in find_terms(text, language)
        if not is_unspaced(term.text) and len(term.word) > 2 and not is_stop_term(term.text, term.word)
    )
    # Words of the recogniser may stand apart in such scripts.
    for run in _RUN.finditer(re.sub(rf"(?<=[{UNSPACED}]) (?=[{UNSPACED}])", "", text)):
        letters = run[0]
        for size in range(2, MAX_LETTERS + 1):
            pieces = (letters[at : at + size] for at in range(len(letters) - size + 1))
            found.update(piece for piece in pieces if not STOP_LETTERS.intersection(piece))
    return found


def _weight(term: str) -> float:
    """Prefer long pieces of letters, of which a word's parts are counted as often as the word."""
    return float(len(term) - 1) if is_unspaced(term) else 1.0


def _overlaps(term: str, other: str) -> bool:
    if not (is_unspaced(term) and is_unspaced(other)):
        return term == other
    return bool(_pairs(term) & _pairs(other))


def _pairs(letters: str) -> set[str]:
    return {letters[at : at + 2] for at in range(len(letters) - 1)}


def _as_written(stem: str, text: str, language: str) -> str:
    """Return the form in which a stem is written most often."""
    if is_unspaced(stem):
        return stem
    forms = Counter(text[term.start : term.end] for term in find_terms(text, language) if term.text == stem)
    return forms.most_common(1)[0][0] if forms else stem
