"""Forms that Discord shows in a window of their own, and what people fill in.

What a form is for and for which job is in its id, so that one that is still open when the bot is started anew works.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import discord

from bot import discord_limits
from bot.jobs.attachments import Clip, clip_from_json
from bot.messages.formatting import shorten

LABEL_TYPE = discord.ComponentType.label.value
ACTION_ROW_TYPE = discord.ComponentType.action_row.value


class Modal(discord.ui.Modal):
    """A window with fields; `bot.components.router` takes what is filled in."""

    def __init__(self, title: str, form_id: str) -> None:
        super().__init__(title=shorten(title, discord_limits.MAX_MODAL_TITLE_CHARS), custom_id=form_id)
        # So that discord.py does not keep it for as long as the bot lives.
        self.stop()

    def add_field(self, item: discord.ui.Item[Any], text: str, hint: str | None = None) -> None:
        """Add a field with what stands above it and, smaller, below."""
        description = None if hint is None else shorten(hint, discord_limits.MAX_LABEL_DESCRIPTION_CHARS)
        self.add_item(
            discord.ui.Label[Any](
                text=shorten(text, discord_limits.MAX_LABEL_CHARS), description=description, component=item
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedModal:
    """A form that was sent in, by the ids of its fields; each is the person's word."""

    texts: Mapping[str, str]
    choices: Mapping[str, Sequence[str]]
    files: Sequence[Clip]


def read_submission(data: Mapping[str, Any]) -> SubmittedModal:
    """What is in the data of an interaction."""
    fields = list(_fields(data.get("components") or ()))
    resolved: Mapping[str, Any] = data.get("resolved", {})
    attachments: Mapping[str, Mapping[str, Any]] = resolved.get("attachments", {})
    return SubmittedModal(
        texts={str(field["custom_id"]): str(field["value"]) for field in fields if "value" in field},
        choices={str(field["custom_id"]): list(map(str, field["values"])) for field in fields if "values" in field},
        files=[clip_from_json(attachment) for attachment in attachments.values()],
    )


def _fields(components: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for component in components:
        if component.get("type") == LABEL_TYPE:
            yield component["component"]
        elif component.get("type") == ACTION_ROW_TYPE:
            yield from component["components"]
