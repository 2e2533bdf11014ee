"""Names of files as text: on POSIX a name is any bytes, and Python keeps what is not UTF-8 as surrogates."""

import unicodedata
from pathlib import Path
from typing import Final

_BYTE_SURROGATES: Final = range(0xDC80, 0xDD00)
"""How Python keeps the bytes 0x80 to 0xff of a name that is not UTF-8."""
_DIRECTION_CHANGES: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that let a name be read as another one."""


def printable(text: object) -> str:
    r"""Return text that can be printed on one line; other bytes and characters are written as `\xe9` or `\n`."""
    return "".join(_escape(letter) if _is_unprintable(letter) else letter for letter in str(text))


def artefact_name(path: Path) -> str:
    """Return the name of a file as text that can be kept and sent, with `_` for what cannot be printed."""
    return "".join("_" if _is_unprintable(letter) else letter for letter in path.name)


def _is_unprintable(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Cs") or letter in _DIRECTION_CHANGES


def _escape(letter: str) -> str:
    code = ord(letter)
    if code in _BYTE_SURROGATES:
        return f"\\x{code - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode("ascii")
