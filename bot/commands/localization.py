"""Names and descriptions of commands and options, in every language that the bot speaks."""

from collections.abc import Callable
from typing import Any, TypeVar

import discord
from discord import app_commands

from bot.i18n.translator import ENGLISH, Translator, translator_for

Callback = TypeVar("Callback", bound=Callable[..., Any])


def localized(key: str) -> app_commands.locale_str:
    """A name or a description that `Translator` knows."""
    return app_commands.locale_str(Translator(ENGLISH).format(key), key=key)


def options(**names: str) -> Callable[[Callback], Callback]:
    """Name and describe the parameters of a command, each by the key of its option."""

    def decorate(callback: Callback) -> Callback:
        callback = app_commands.rename(**{name: localized(f"option-{key}") for name, key in names.items()})(callback)
        texts = {name: localized(f"option-{key}-description") for name, key in names.items()}
        return app_commands.describe(**texts)(callback)

    return decorate


class CommandTranslator(app_commands.Translator):
    """Tells Discord the names and descriptions of the commands in each language."""

    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        """The text in that language, None where it is the English one."""
        translator = translator_for(locale.value)
        key = string.extras.get("key")
        return None if key is None or translator.locale == ENGLISH else translator.format(str(key))
