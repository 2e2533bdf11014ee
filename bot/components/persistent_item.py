"""Base of the buttons and menus: one subclass for each action, found by discord.py through the custom id."""

import re
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import discord

from bot.components.custom_ids import Action, CustomId, pattern_for
from bot.error_handler import answer_error
from bot.services import Interaction

_NOTHING = re.compile(r"(?!)")


class PersistentItem(discord.ui.DynamicItem[discord.ui.Item[Any]], ABC, template=_NOTHING):
    """Button or menu that works as long as its message is there.

    Subclasses name their `action` and do it in `act`.
    """

    action: ClassVar[Action]

    def __init_subclass__(cls, *, action: Action | None = None) -> None:
        super().__init_subclass__(template=_NOTHING if action is None else pattern_for(action))
        if action is not None:
            cls.action = action

    def __init__(self, item: discord.ui.Item[Any], target: CustomId) -> None:
        super().__init__(item)
        self.target = target

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Build the item that was used."""
        return cls(item, CustomId(cls.action, match["job"] or "", int(match["page"] or 0), match["detail"] or ""))

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Leave what another process handles."""
        return await interaction.client.services.gate.admits(interaction.id)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Do the action, and answer the person when it fails."""
        try:
            await self.act(interaction)
        except Exception as error:  # noqa: BLE001 - discord.py would only log it, with personal content
            await answer_error(interaction, error)

    @abstractmethod
    async def act(self, interaction: Interaction) -> None:
        """Do the action; every error that this raises is answered and logged."""
