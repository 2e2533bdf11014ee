"""Escaping: names and words come from people and recognisers, and must not be read as markup by a format."""

import re
from typing import Final

from pipeline.characters import is_invisible

_LOOKALIKES: Final = str.maketrans(
    {"<": "‹", ">": "›", "{": "(", "}": ")", "\\": "∖"}  # noqa: RUF001 - they are meant to look alike
)
_DIRECTION_MARKS: Final = frozenset("\u200e\u200f\u061c\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the direction of text, also of what follows."""
_MARKDOWN_MARKS: Final = re.compile(r"([\\`*_\[\]<>&#|~!$@])")
_LINK_STARTS: Final = re.compile(r"(:)(?=//)|(?i:(?<=www))(\.)")


def clean(text: str) -> str:
    """Make one line without characters that cannot be seen or written; everything else stays as it is."""
    seen = "".join(
        " " if sign.isspace() else sign
        for sign in text
        if sign.isspace() or not (is_invisible(sign) or sign in _DIRECTION_MARKS)
    )
    return " ".join(seen.split())


def escape_subtitle(text: str) -> str:
    """Replace tags, braces and backslashes by signs that look alike, for SubRip and ASS, which have no escapes."""
    return clean(clean(text).translate(_LOOKALIKES))


def escape_vtt(text: str) -> str:
    """Write character references for what WebVTT reads as markup (W3C WebVTT, section 4.2.2)."""
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escape_markdown(text: str) -> str:
    """Put CommonMark's backslash before everything that could be markup, a link or a mention."""
    return _LINK_STARTS.sub(lambda found: f"\\{found[0]}", _MARKDOWN_MARKS.sub(r"\\\1", clean(text)))


_TAKEN_FOR_NOTHING = frozenset(
    [
        "NA",
        "N/A",
        "n/a",
        "NaN",
        "nan",
        "-NaN",
        "-nan",
        "NULL",
        "null",
        "None",
        "#NA",
        "#N/A",
        "1.#IND",
        "-1.#IND",
        "1.#QNAN",
        "-1.#QNAN",
    ]
)
"""What pandas, with which pyannote.database reads the format, takes for a missing value."""


def rttm_label(name: str) -> str:
    """Make a name one RTTM field: no spaces, never the sign for nothing, no quotes, which some readers remove."""
    label = clean(name).replace(" ", "_").replace('"', "'")
    if not label or label == "<NA>":
        return "unnamed"
    return f"{label}_" if label in _TAKEN_FOR_NOTHING else label
