"""What the bot says, in the language of the person it speaks to.

The sentences are in `bot/locales/<locale>.ftl`, in the format of Project Fluent
(https://projectfluent.org); English stands in where Discord's locale has no file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import cast

import babel
from fluent.runtime import FluentBundle, FluentResource

from pipeline.languages import LANGUAGES, MIXTURES

ENGLISH = "en"
LOCALES = (ENGLISH, "zh-CN")
"""Locales that have a file."""


@dataclass(frozen=True, slots=True)
class Translator:
    """The bot's sentences in one language."""

    locale: str

    def format(self, key: str, **values: str | int) -> str:
        """The sentence of that key with its values; raises `LookupError` when there is none or a value is missing."""
        bundle = _bundle(self.locale)
        message = bundle.get_message(key) if bundle.has_message(key) else None
        if message is None or message.value is None:
            raise LookupError(f"no sentence {key} in {self.locale}")
        text, errors = bundle.format_pattern(message.value, values)
        if errors:
            raise LookupError(f"the sentence {key} in {self.locale}: {errors[0]}")
        return str(text)

    def has(self, key: str) -> bool:
        """Whether there is a sentence of that key."""
        return _bundle(self.locale).has_message(key)

    def language_name(self, language: str) -> str:
        """How a spoken language or a mixture, by its code, is called; empty for none that is known."""
        if language in MIXTURES:
            return self.format(f"language-{language}")
        english = LANGUAGES[language].name if language in LANGUAGES else ""
        if self.locale == ENGLISH:
            return english
        names = cast("Mapping[str, str]", babel.Locale.parse(self.locale, sep="-").languages)
        return names.get(language) or english


def translator_for(locale: str) -> Translator:
    """The language nearest to a locale of Discord; every Chinese one is nearer to Chinese than to English."""
    language = locale.partition("-")[0]
    return Translator(next((name for name in LOCALES if name.partition("-")[0] == language), ENGLISH))


@cache
def _bundle(locale: str) -> FluentBundle:
    source = (resources.files("bot.i18n") / "locales" / f"{locale}.ftl").read_text(encoding="utf-8")
    # Marks around values would be taken out again by `escape`, and count against Discord's limits.
    bundle = FluentBundle([locale], use_isolating=False)
    bundle.add_resource(FluentResource(source))
    return bundle
