"""Kinds of characters, by their category in Unicode."""

import unicodedata
from typing import Final

INVISIBLE_CATEGORIES: Final = frozenset({"Cc", "Cs", "Co", "Cn"})
"""Control characters, surrogates, private ones and those that nobody has assigned: nobody sees or means them."""
FIRST_OTHER_LETTER: Final = 0x0590
"""Code point after the Latin, Greek and Cyrillic letters."""


def is_invisible(sign: str) -> bool:
    """Tell whether a character cannot be seen; people bring such in with pasted text."""
    return unicodedata.category(sign) in INVISIBLE_CATEGORIES


def keeps_spaces(sign: str) -> bool:
    """Tell whether a character is a Latin, Cyrillic or Greek letter or a digit, which keep their spaces everywhere."""
    return sign.isalnum() and ord(sign) < FIRST_OTHER_LETTER
