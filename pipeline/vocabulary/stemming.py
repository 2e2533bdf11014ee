"""Words cut to their stems, by language, with the Snowball algorithms."""

import unicodedata
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, Final, cast

import snowballstemmer  # pyright: ignore[reportMissingTypeStubs]

MAX_CACHED_STEMS: Final = 200_000
"""Words; a stem takes 50 to 100 us to find."""
FIRST_UNFOLDED: Final = 0x0590
"""Code point after Latin, Greek and Cyrillic, whose marks are left away; in other scripts a mark is a letter."""
ALGORITHMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ar": "arabic",
        "hy": "armenian",
        "eu": "basque",
        "ca": "catalan",
        "cs": "czech",
        "da": "danish",
        "nl": "dutch",
        "en": "english",
        "et": "estonian",
        "fi": "finnish",
        "fr": "french",
        "de": "german",
        "el": "greek",
        "hi": "hindi",
        "hu": "hungarian",
        "id": "indonesian",
        "it": "italian",
        "lt": "lithuanian",
        "ne": "nepali",
        "no": "norwegian",
        "nn": "norwegian",
        "fa": "persian",
        "pl": "polish",
        "pt": "portuguese",
        "ro": "romanian",
        "ru": "russian",
        "sr": "serbian",
        "es": "spanish",
        "sv": "swedish",
        "ta": "tamil",
        "tr": "turkish",
        "yi": "yiddish",
    }
)
"""By the code of the language."""


def stem_language(language: str) -> str:
    """Return the language by whose rules spaced words are cut; English where a language has no rules of its own."""
    main = language.partition("-")[0]
    return main if main in ALGORITHMS else "en"


@lru_cache(MAX_CACHED_STEMS)
def stem(word: str, language: str) -> str:
    """Return the stem of a word in lower case, without marks on Latin, Greek and Cyrillic letters.

    Args:
        word: The word in lower case, with its apostrophes.
        language: A result of `stem_language`.

    """
    return fold(_stemmer(ALGORITHMS[language])(word) or word)


@lru_cache(MAX_CACHED_STEMS)
def fold(word: str) -> str:
    """Return a word without apostrophes, and without marks on Latin, Greek and Cyrillic letters."""
    plain = word.replace("'", "")
    if plain.isascii() or any(ord(sign) >= FIRST_UNFOLDED for sign in plain):
        return plain
    return "".join(sign for sign in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(sign))


@cache
def _stemmer(algorithm: str) -> Callable[[str], str]:
    # The library has no types.
    return cast("Callable[[str], str]", cast("Any", snowballstemmer).stemmer(algorithm).stemWord)
