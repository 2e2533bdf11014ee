"""Glossaries: a term on each line, with how it sounds where its letters mislead, read and checked."""

import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Final

from pipeline.characters import is_invisible
from pipeline.errors import ValidationError

MAX_TERMS: Final = 1000
MAX_TERM_CHARS: Final = 60
MAX_TERM_WORDS: Final = 4
MIN_TERM_LETTERS: Final = 3
"""Letters; shorter terms sound like too much else."""
MAX_GLOSSARY_BYTES: Final = 256 * 1024
SOUND_SIGN: Final = "="
"""Between a term and how it sounds."""
_COMMENT: Final = "#"


class Fault(StrEnum):
    """Why a term cannot be used."""

    UNSEEN = "unseen"
    """It holds a character that cannot be seen."""
    LONG = "long"
    SHORT = "short"


def read_glossary(path: Path) -> tuple[str, ...]:
    """Read a file with a term on each line; empty lines and those that begin with # are left out.

    Raises:
        ValidationError: The file cannot be read, is too large, or a term cannot be used.
    """
    try:
        if path.stat().st_size > MAX_GLOSSARY_BYTES:
            raise ValidationError(
                f"{path.name} has more than {MAX_GLOSSARY_BYTES // 1024} kB.",
                hint="Name a file with a term on each line.",
            )
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValidationError(
            f"{path.name} cannot be read.", hint="Name a text file with a term on each line.", detail=str(error)
        ) from error
    return check_terms(read_lines(text))


def read_lines(text: str) -> list[str]:
    """Return the lines of a text but empty ones and those that begin with #."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith(_COMMENT)]


def split_line(line: str) -> tuple[str, str]:
    """Return a term and how it sounds, which is the term itself unless `term = sound` says otherwise."""
    term, _, sound = (part.strip() for part in line.partition(SOUND_SIGN))
    return term, sound or term


def check_terms(terms: Iterable[str]) -> tuple[str, ...]:
    """Check the lines of a glossary and leave out those that are there twice.

    Raises:
        ValidationError: There are too many, or one cannot be used; the message says which.
    """
    found = tuple(dict.fromkeys(" ".join(term.split()) for term in terms))
    if len(found) > MAX_TERMS:
        raise ValidationError(
            f"The glossary has {len(found)} terms.", hint=f"Leave at most {MAX_TERMS}: those that are written wrongly."
        )
    for line in found:
        for term in set(split_line(line)):
            _check_term(term)
    return found


def fault_of(term: str) -> Fault | None:
    """Return why a term, or how it sounds, cannot be used; None when it can."""
    if any(map(is_invisible, term)):
        return Fault.UNSEEN
    if len(term) > MAX_TERM_CHARS or len(term.split()) > MAX_TERM_WORDS:
        return Fault.LONG
    # A Chinese, Japanese or Korean character says as much as two letters.
    width = sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in term if sign.isalnum())
    if width < MIN_TERM_LETTERS:
        return Fault.SHORT
    return None


def shown(term: str) -> str:
    """Return a term as it is named in a message, cut where it is too long."""
    return term if len(term) <= MAX_TERM_CHARS else f"{term[:MAX_TERM_CHARS]}…"


def _check_term(term: str) -> None:
    match fault_of(term):
        case Fault.UNSEEN:
            raise ValidationError("A term holds a character that cannot be seen.", hint="Write the term again.")
        case Fault.LONG:
            raise ValidationError(
                f"The term “{shown(term)}” is too long.",
                hint=f"Give each at most {MAX_TERM_WORDS} words and {MAX_TERM_CHARS} characters.",
            )
        case Fault.SHORT:
            raise ValidationError(
                f"The term “{shown(term)}” is too short.",
                hint=f"Give each at least {MIN_TERM_LETTERS} letters or digits.",
            )
        case None:
            pass
