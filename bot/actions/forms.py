"""Forms that Discord shows in a window of their own."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import discord

from bot import errors, limits
from bot.writing import shorten
from pipeline.errors import AudioProcessingError

Fields: TypeAlias = Mapping[str, discord.ui.Item[Any]]
Submit: TypeAlias = Callable[[discord.Interaction[Any]], Awaitable[None]]


class Form(discord.ui.Modal):
    """A window with fields; what becomes of them is up to `submit`."""

    def __init__(self, title: str, submit: Submit) -> None:
        super().__init__(title=shorten(title, limits.FORM_TITLE), timeout=limits.TOKEN_LIFE)
        self._submit = submit

    def ask(self, item: discord.ui.Item[Any], text: str, hint: str | None = None) -> None:
        """Add a field with what stands above it and, smaller, below."""
        description = None if hint is None else shorten(hint, limits.FORM_HINT)
        self.add_item(
            discord.ui.Label[Any](text=shorten(text, limits.FORM_LABEL), description=description, component=item)
        )

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        """Hand over what was filled in, or say in private why that cannot be."""
        try:
            await self._submit(interaction)
        except (AudioProcessingError, *errors.NETWORK_ERRORS) as error:
            await errors.answer(interaction, error)

    async def on_error(self, interaction: discord.Interaction[Any], error: Exception, /) -> None:
        """Tell the person in private."""
        await errors.answer(interaction, error)
