"""Where Discord's own description of its API and the service differ."""

from dataclasses import dataclass
from typing import Any

ANYTHING = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A field that the real service takes and its description lacks."""

    method: str
    path: str
    """Regular expression on the description's path."""
    field: str
    """Dotted path in the body; `*` stands for every item of a list."""
    reason: str
    only: Any = ANYTHING
    """The one value that is let through; anything else is checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """A field that Discord announced after the description was written."""

    schema: str
    field: str
    value: dict[str, Any]
    """What it may be, as a JSON schema."""
    source: str


_FILE_TYPES: dict[str, Any] = {
    "type": ["array", "null"],
    "items": {"type": "string", "pattern": r"^(audio|video|image|\.[A-Za-z0-9]{1,10})$"},
    "maxItems": 10,
    "uniqueItems": True,
}
ADDITIONS = tuple(
    Addition(
        schema=schema, field="file_types", value=_FILE_TYPES, source="Discord's change log, 5 August 2026: file types"
    )
    for schema in ("ApplicationCommandAttachmentOption", "FileUploadComponentForModalRequest")
)

_EDITS = r"/messages/(@original|\{message_id\})$"
_MESSAGES = r"(/messages(/@original|/\{message_id\})?|/\{webhook_token\})$"
_CALLBACK = r"/callback$"
_KEPT_FILE = "discord.py sends a kept attachment back with all its fields; only the id is read"
_EMBED_FLAGS = "discord.py sends the flags of an embed, which only answers are described to have"

GAPS = (
    Gap(
        method="PATCH",
        path=_EDITS,
        field="tts",
        reason="discord.py sends tts with every message; an edit ignores it",
    ),
    *(
        Gap(method="PATCH", path=_EDITS, field=f"attachments.*.{name}", reason=_KEPT_FILE)
        for name in ("proxy_url", "size", "url", "spoiler", "height", "width", "content_type")
    ),
    *(Gap(method=method, path=_MESSAGES, field="embeds.*.flags", reason=_EMBED_FLAGS) for method in ("POST", "PATCH")),
    Gap(method="POST", path=_CALLBACK, field="data.embeds.*.flags", reason=_EMBED_FLAGS),
    Gap(
        method="POST",
        path=_CALLBACK,
        field="data.tts",
        reason="discord.py sends tts with every answer; one that updates a message ignores it",
        only=False,
    ),
    Gap(
        method="PUT",
        path=r"/commands$",
        field="*.nsfw",
        reason="documented for application commands, missing from the description of the request",
    ),
)
