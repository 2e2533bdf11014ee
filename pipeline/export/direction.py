"""Direction of lines of text for formats whose players guess it, or take every line for one from left to right.

Where a line has letters of a script that is written from right to left, embeddings of the Unicode Bidirectional
Algorithm (UAX 9) give it its own direction: without them a full stop, a bracket or a dash at its end lands on the
wrong side, and words in Latin letters change the order of those around them. Embeddings are older than isolates, and
also old players know them.
"""

import re
import unicodedata
from typing import Final

RIGHT_TO_LEFT_EMBEDDING: Final = "\u202b"
LEFT_TO_RIGHT_EMBEDDING: Final = "\u202a"
END_OF_EMBEDDING: Final = "\u202c"
RIGHT_TO_LEFT_MARK: Final = "\u200f"
LEFT_TO_RIGHT_MARK: Final = "\u200e"
_OWN_MARKS: Final = re.compile(r"\b(?:[A-Za-z]\.){2,}|\b[A-Za-z](?:\+\+|#)")
"""Latin words with signs at their end that are theirs and not the sentence's: U.S., C++."""


def has_right_to_left(text: str) -> bool:
    """Tell whether a text has letters of a script that is written from right to left."""
    return not text.isascii() and any(unicodedata.bidirectional(sign) in ("R", "AL") for sign in text)


def embed_line(text: str, *, right_to_left: bool) -> str:
    """Give a line its direction; a line that cannot be shown wrongly stays as it is.

    Args:
        text: One clean line, with its label.
        right_to_left: The direction of what it belongs to.
    """
    if not right_to_left and not has_right_to_left(text):
        return text
    if not right_to_left:
        return LEFT_TO_RIGHT_EMBEDDING + text + END_OF_EMBEDDING
    kept = _OWN_MARKS.sub(lambda found: found[0] + LEFT_TO_RIGHT_MARK, text)
    return RIGHT_TO_LEFT_EMBEDDING + kept + END_OF_EMBEDDING


def end_label(label: str, *, right_to_left: bool) -> str:
    """Close the name before what is said, so that a number after it is not drawn to the name's side."""
    if right_to_left:
        return label + RIGHT_TO_LEFT_MARK
    return label + LEFT_TO_RIGHT_MARK if has_right_to_left(label) else label
