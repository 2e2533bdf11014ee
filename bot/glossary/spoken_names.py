"""What people of a server are called when they are spoken of, from the names that they go by on Discord."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pipeline.speech.glossary.terms import fault_of
from pipeline.vocabulary.stemming import fold
from pipeline.vocabulary.stop_words import STOP_WORDS

_DECORATION: Final = re.compile(r"[(\[{<|/\\\u2022\u00b7~,;:_=#@*&+.!?]|\s[-\u2013\u2014]\s")
"""What parts a name from a title, a pronoun or a team behind it."""
_PREFIX: Final = re.compile(r"^(?:\s*(?:[(\[{<][^)\]}>]*[)\]}>]|[^\W\d_]{1,3}\.))+")
"""A team in brackets, a title or an initial before a name."""
_JOINERS: Final = "'\u2019-"


def spoken_names(members: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """List what members may be called, each name whole and its first word, by the alphabet.

    Args:
        members: As Discord lists the members of a server; bots are left out.

    """
    found = {name for member in members if not member["user"].get("bot") for name in _names(member)}
    return tuple(sorted(found, key=lambda name: (name.casefold(), name)))


def _names(member: Mapping[str, Any]) -> Iterator[str]:
    user = member["user"]
    name = _plain(member.get("nick") or user.get("global_name") or user["username"])
    for part in dict.fromkeys((name, name.partition(" ")[0])):
        if part and fault_of(part) is None and fold(part.casefold()) not in STOP_WORDS:
            yield part


def _plain(name: str) -> str:
    """Return the letters that a name begins with; empty for one that nobody says, such as `x2k9`."""
    shown = unicodedata.normalize("NFKC", "".join(sign for sign in name if not _is_unseen(sign)))
    shown = _PREFIX.sub("", shown)
    while shown and not shown[0].isalnum():
        shown = shown[1:]
    shown = " ".join(_DECORATION.split(shown)[0].split())
    while shown and not _is_letter(shown[-1]):
        shown = shown[:-1]
    if not all(_is_letter(sign) or sign in _JOINERS or sign == " " for sign in shown):
        return ""
    # A recogniser writes names with a capital, and no more of them.
    cased = shown.islower() or shown.isupper()
    return re.sub(r"[^\s-]+", lambda word: word[0].capitalize(), shown) if cased else shown


def _is_letter(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "LM"


def _is_unseen(sign: str) -> bool:
    """Tell whether a character only says how others look, as behind many an emoji."""
    return unicodedata.category(sign) == "Cf" or "\ufe00" <= sign <= "\ufe0f"
