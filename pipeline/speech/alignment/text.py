"""Text of words: joining them as each script does, and attaching punctuation."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pipeline.characters import keeps_spaces
from pipeline.languages import UNSPACED
from pipeline.types import Word


def join_words(texts: Iterable[str], language: str) -> str:
    """Join words to one line of text, without spaces between the words of scripts that have none."""
    line = ""
    for text in texts:
        line += text if not line or _touches(line[-1], text[:1], language) else f" {text}"
    return line


def attach_punctuation(words: Sequence[Word]) -> list[Word]:
    """Attach marks that stand alone to the word before, or to the next when they open something."""
    clean: list[Word] = []
    opening = ""
    for word in words:
        text = " ".join(word.text.split())
        if any(unicodedata.category(sign)[0] in "LNS" for sign in text):
            clean.append(replace(word, text=opening + text))
            opening = ""
        elif text and all(unicodedata.category(sign) in ("Ps", "Pi") or sign in "¿¡" for sign in text):
            opening += text
        elif text and clean:
            clean[-1] = replace(clean[-1], text=clean[-1].text + text)
    return clean


def _touches(left: str, right: str, language: str) -> bool:
    """Tell whether no space belongs between two characters."""
    return language in UNSPACED and not (keeps_spaces(left) and keeps_spaces(right))
