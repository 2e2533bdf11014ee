"""The buttons and menus of the bot: what they are for and for which job is in their ids, so that they last.

They are dynamic items, which discord.py does not keep in memory; `bot.components.router` does what they are for.
"""

import re
from typing import Any, Final, Self

import discord

CUSTOM_ID_PATTERN: Final = re.compile(r"stemcord:(?P<action>[a-z]+)(?::(?P<job>[0-9a-f]{32}))?(?::(?P<page>[0-9]))?")
"""Of every button, menu and form."""


def custom_id(action: str, job_id: str = "", page: int = 0) -> str:
    """The id of a button, a menu or a form."""
    return f"stemcord:{action}" + (f":{job_id}" if job_id else "") + (f":{page}" if page else "")


class PersistentItem(discord.ui.DynamicItem[discord.ui.Item[Any]], template=CUSTOM_ID_PATTERN):
    """A button or a menu that works for as long as its message is there."""

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The item that was used."""
        return cls(item)


def action_button(
    action: str,
    job_id: str,
    label: str,
    page: int = 0,
    style: discord.ButtonStyle = discord.ButtonStyle.secondary,
) -> PersistentItem:
    """A button for something that can be done with a job."""
    return PersistentItem(discord.ui.Button[Any](label=label, custom_id=custom_id(action, job_id, page), style=style))


def action_menu(action: str, job_id: str, text: str, choices: list[discord.SelectOption]) -> PersistentItem:
    """A menu of ways to do something with a job; the text stands in it until one is chosen."""
    return PersistentItem(
        discord.ui.Select[Any](placeholder=text, options=choices, custom_id=custom_id(action, job_id))
    )
