"""Forms (Discord's modals), and what people submit in them.

The custom id of a form names its action and job, so that a form that is open while the bot restarts still works.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import discord

from bot import discord_limits
from bot.clips.attachments import Clip, clip_from_json
from bot.components.custom_ids import Action, CustomId
from bot.messages.formatting import shorten
from bot.services import Interaction

LABEL_TYPE = discord.ComponentType.label.value
_NAME_KEYS = ("global_name", "username")
ACTION_ROW_TYPE = discord.ComponentType.action_row.value


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenPerson:
    """Somebody who was chosen in a list of members, as Discord describes them."""

    id: str
    names: Sequence[str]
    """The one that is shown on the server first."""
    is_app: bool
    is_member: bool
    """Whether the person is on the server now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedModal:
    """The fields of a submitted form, by their ids; nothing in them is trusted."""

    texts: Mapping[str, str]
    choices: Mapping[str, Sequence[str]]
    files: Sequence[Clip]
    people: Mapping[str, ChosenPerson] = field(default_factory=dict[str, ChosenPerson])
    """Those who were chosen in a list of members, by id."""


class Modal(discord.ui.Modal, ABC):
    """A form; subclasses name their `action` and handle what is submitted.

    Args:
        title: Title of the window.
        target: Action and job of the form.

    """

    action: ClassVar[Action]

    def __init__(self, title: str, target: CustomId) -> None:
        super().__init__(title=shorten(title, discord_limits.MAX_MODAL_TITLE_CHARS), custom_id=str(target))
        # discord.py keeps no form in memory that has stopped.
        self.stop()

    @classmethod
    @abstractmethod
    async def submitted(cls, interaction: Interaction, target: CustomId, fields: SubmittedModal) -> None:
        """Do what the form is for."""

    def add_field(self, item: discord.ui.Item[Any], label: str, description: str | None = None) -> None:
        """Add a field with a label above it and a smaller description."""
        if description is not None:
            description = shorten(description, discord_limits.MAX_LABEL_DESCRIPTION_CHARS)
        text = shorten(label, discord_limits.MAX_LABEL_CHARS)
        self.add_item(discord.ui.Label[Any](text=text, description=description, component=item))


def read_submission(data: Mapping[str, Any]) -> SubmittedModal:
    """Read the fields from the data of an interaction."""
    fields = list(_fields(data.get("components") or ()))
    resolved: Mapping[str, Any] = data.get("resolved", {})
    attachments: Mapping[str, Mapping[str, Any]] = resolved.get("attachments", {})
    return SubmittedModal(
        texts={str(field["custom_id"]): str(field["value"]) for field in fields if "value" in field},
        choices={str(field["custom_id"]): list(map(str, field["values"])) for field in fields if "values" in field},
        files=[clip_from_json(attachment) for attachment in attachments.values()],
        people=_people(resolved.get("users", {}), resolved.get("members", {})),
    )


def _people(
    users: Mapping[str, Mapping[str, Any]], members: Mapping[str, Mapping[str, Any]]
) -> dict[str, ChosenPerson]:
    return {
        user_id: ChosenPerson(
            id=user_id,
            names=[str(members.get(user_id, {}).get("nick") or ""), *(str(user.get(key) or "") for key in _NAME_KEYS)],
            is_app=bool(user.get("bot")),
            is_member=user_id in members,
        )
        for user_id, user in users.items()
    }


def _fields(components: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for component in components:
        if component.get("type") == LABEL_TYPE:
            yield component["component"]
        elif component.get("type") == ACTION_ROW_TYPE:
            yield from component["components"]
