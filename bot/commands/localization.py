"""Names and descriptions of commands and options in every language of the bot."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import discord
from discord import app_commands

from bot.i18n.translator import ENGLISH, Translator, translator_for
from bot.services import Services

HELP_ORDER: Final = "help_order"

Callback = TypeVar("Callback", bound=Callable[..., Any])


def localized(key: str) -> app_commands.locale_str:
    """Return the text of a key, which Discord shows in each person's language."""
    return app_commands.locale_str(Translator(ENGLISH).format(key), key=key)


def options(**names: str) -> Callable[[Callback], Callback]:
    """Name and describe the parameters of a command; each value is the key of an option."""

    def decorate(callback: Callback) -> Callback:
        callback = app_commands.rename(**{name: localized(f"option-{key}") for name, key in names.items()})(callback)
        texts = {name: localized(f"option-{key}-description") for name, key in names.items()}
        return app_commands.describe(**texts)(callback)

    return decorate


def help_order(place: int) -> dict[Any, Any]:
    """Return the `extras` of a command that put it at a place of `/help`; others come last."""
    return {HELP_ORDER: place}


class ServerGroup(app_commands.Group):
    """Commands that exist on the servers which installed the bot, and nowhere else.

    Args:
        services: What the commands work with.
        name: Of the group, as its texts have it.
        place: In `/help`.

    """

    def __init__(self, services: Services, name: str, place: int) -> None:
        super().__init__(
            name=localized(f"command-{name}"),
            description=localized(f"command-{name}-description"),
            guild_only=True,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
            extras=help_order(place),
        )
        self._services = services


class CommandTranslator(app_commands.Translator):
    """Translates names and descriptions of commands for Discord."""

    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        """Return the text in a language; None where it is the English one."""
        translator = translator_for(locale.value)
        key = string.extras.get("key")
        return None if key is None or translator.locale == ENGLISH else translator.format(str(key))
