"""Translates the bot's texts.

The texts are in `bot/i18n/locales/<locale>.ftl`, in the format of Project Fluent (https://projectfluent.org).
A file there adds a language; people whose language has none read English.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

import babel
from fluent.runtime import FluentBundle, FluentResource

from pipeline.languages import LANGUAGES, MIXTURES

ENGLISH = "en"
_FOLDER = Path(__file__).parent / "locales"
LOCALES = tuple(sorted(file.stem for file in _FOLDER.glob("*.ftl")))
"""Locales that have a file."""


@dataclass(frozen=True, slots=True)
class Translator:
    """The texts of one language."""

    locale: str

    def format(self, key: str, **values: str | int) -> str:
        """Return the text of a key with its values. Raises `LookupError` when the text or a value is missing."""
        bundle = _bundle(self.locale)
        message = bundle.get_message(key) if bundle.has_message(key) else None
        if message is None or message.value is None:
            raise LookupError(f"no text {key} in {self.locale}")
        text, errors = bundle.format_pattern(message.value, values)
        if errors:
            raise LookupError(f"the text {key} in {self.locale}: {errors[0]}")
        return str(text)

    def has(self, key: str) -> bool:
        """Tell whether there is a text of a key."""
        return _bundle(self.locale).has_message(key)

    @property
    def english_name(self) -> str:
        """Name the translator's own language in English."""
        return babel.Locale.parse(self.locale, sep="-").english_name or self.locale

    def language_name(self, language: str) -> str:
        """Name a spoken language or a mixture by its code; empty for an unknown one."""
        if language in MIXTURES:
            return self.format(f"language-{language}")
        english = LANGUAGES[language].name if language in LANGUAGES else ""
        if self.locale == ENGLISH:
            return english
        names = cast("Mapping[str, str]", babel.Locale.parse(self.locale, sep="-").languages)
        return names.get(language) or english


def translator_for(locale: str) -> Translator:
    """Return the translator for a locale of Discord: the same language of any region, or else English."""
    language = locale.partition("-")[0]
    return Translator(next((name for name in LOCALES if name.partition("-")[0] == language), ENGLISH))


@cache
def _bundle(locale: str) -> FluentBundle:
    source = (_FOLDER / f"{locale}.ftl").read_text(encoding="utf-8")
    # `escape` would remove marks around values, and they count against Discord's limits.
    bundle = FluentBundle([locale], use_isolating=False)
    bundle.add_resource(FluentResource(source))
    return bundle
