"""What people of a server are called when they are spoken of, from the names that they go by on Discord."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pipeline.speech.glossary.terms import fault_of

_DECORATION: Final = re.compile(r"[(\[{<|/\\\u2022\u00b7~,;:_=#@*&+.!?]|\s[-\u2013\u2014]\s")
"""What parts a name from a title, a pronoun or a team behind it."""
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
        if part and fault_of(part) is None:
            yield part


def _plain(name: str) -> str:
    """Return the letters that a name begins with; empty for one that nobody says, such as `x2k9`."""
    shown = unicodedata.normalize("NFKC", name).strip()
    while shown and not shown[0].isalnum():
        shown = shown[1:]
    shown = " ".join(_DECORATION.split(shown)[0].split())
    while shown and not _is_letter(shown[-1]):
        shown = shown[:-1]
    if not all(_is_letter(sign) or sign in _JOINERS or sign == " " for sign in shown):
        return ""
    # A recogniser writes names with a capital, and a term in lower case would ask for none.
    return shown.title() if shown.islower() else shown


def _is_letter(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "LM"
