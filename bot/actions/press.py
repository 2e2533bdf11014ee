"""The buttons and the menu of a result as Discord keeps them: the action and the job are in their ids."""

import re
from typing import TYPE_CHECKING, Any, Self, cast

import discord

from bot import errors
from pipeline.errors import AudioProcessingError

if TYPE_CHECKING:
    from bot.client import StemcordClient

BUTTON = re.compile(
    r"stemcord:(?P<action>rebalance|rename|names|dub|thread|page|again):(?P<job>[0-9a-f]{32})(?::(?P<page>[0-9]))?"
)
MENU = re.compile(r"stemcord:subtitles:(?P<job>[0-9a-f]{32})")


class ActionButton(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=BUTTON):
    """One of the buttons; what it does is up to `bot.actions.board`."""

    def __init__(self, action: str, job_id: str, label: str, page: int = 0, row: int | None = None) -> None:
        custom_id = f"stemcord:{action}:{job_id}" + (f":{page}" if page else "")
        super().__init__(discord.ui.Button(label=label, custom_id=custom_id, row=row))
        self.action = action
        self.job_id = job_id
        self.page = page

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The button that was pressed."""
        return cls(match["action"], match["job"], match["action"], int(match["page"] or 0))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Do it, or say in private why not."""
        board = cast("StemcordClient", interaction.client).board
        try:
            await board.press(interaction, self.action, self.job_id, self.page)
        except (AudioProcessingError, *errors.NETWORK_ERRORS) as error:
            await errors.answer(interaction, error)


class SubtitlesMenu(discord.ui.DynamicItem[discord.ui.Select[discord.ui.View]], template=MENU):
    """The menu of formats."""

    def __init__(self, job_id: str, menu: discord.ui.Select[discord.ui.View]) -> None:
        menu.custom_id = f"stemcord:subtitles:{job_id}"
        super().__init__(menu)
        self.job_id = job_id

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The menu in which something was chosen."""
        return cls(match["job"], cast("discord.ui.Select[discord.ui.View]", item))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Bring the file, or say in private why not."""
        board = cast("StemcordClient", interaction.client).board
        try:
            await board.choose(interaction, self.job_id, self.item.values[0])
        except (AudioProcessingError, *errors.NETWORK_ERRORS) as error:
            await errors.answer(interaction, error)
