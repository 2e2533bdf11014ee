"""Messages, files and interactions as the fake keeps them, and errors as the REST API answers them."""

import time
from dataclasses import dataclass, field
from typing import Any

from tests.wire import shapes
from tests.wire.shapes import Json


class ApiError(Exception):
    """An answer of the REST API other than success."""

    def __init__(self, status: int, code: int, message: str, *, errors: Json | None = None) -> None:
        super().__init__(f"{status} {code} {message}")
        self.status = status
        self.body: Json = {"message": message, "code": code} | ({"errors": errors} if errors else {})


def invalid_form(place: str, message: str) -> ApiError:
    """The answer to a body that breaks a rule."""
    errors: Json = {"_errors": [{"code": "BASE_TYPE_BAD", "message": message}]}
    for step in reversed(place.split(".")):
        errors = {step: errors}
    return ApiError(400, 50035, "Invalid Form Body", errors=errors)


@dataclass(slots=True, kw_only=True)
class Attachment:
    """A file on the CDN."""

    id: str
    filename: str
    content_type: str
    data: bytes
    folder: str
    """`attachments/<channel>` or `ephemeral-attachments/<application>`."""
    description: str | None = None
    ephemeral: bool = False
    voice: Json = field(default_factory=dict[str, Any])
    """Duration and waveform of a voice message."""
    url: str = ""

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data)

    def to_json(self) -> Json:
        """The attachment object."""
        shown: Json = {
            "id": self.id,
            "filename": self.filename,
            "size": self.size,
            "url": self.url,
            "proxy_url": self.url,
            "content_type": self.content_type,
            "ephemeral": self.ephemeral,
            "flags": 0,
            **self.voice,
        }
        return shown if self.description is None else {**shown, "description": self.description}


@dataclass(slots=True, kw_only=True)
class Edit:
    """What a message was before an edit, and when it changed (monotonic seconds)."""

    time: float
    before: str


@dataclass(slots=True, kw_only=True)
class Interaction:
    """Something a person did, and what the bot answered so far; times are monotonic seconds."""

    id: str
    token: str
    kind: int
    user: Json
    channel_id: str
    payload: Json = field(default_factory=dict[str, Any])
    created: float = field(default_factory=time.monotonic)
    age: float = 0.0
    """Seconds of its token's life that a test has let pass beforehand."""
    acknowledged: float | None = None
    follow_ups: int = 0
    callback: Json | None = None
    original: "Message | None" = None
    trigger: "Interaction | None" = None
    """What opened the form that this sends in."""

    def metadata(self) -> Json:
        """As a message tells what led to it."""
        meta: Json = {
            "id": self.id,
            "type": self.kind,
            "user": self.user,
            "authorizing_integration_owners": self.payload.get("authorizing_integration_owners", {}),
        }
        if self.kind == 3:
            meta["interacted_message_id"] = self.payload["message"]["id"]
        if self.kind == 5:
            assert self.trigger is not None
            meta["triggering_interaction_metadata"] = self.trigger.metadata()
        return meta

    @property
    def by_person_alone(self) -> bool:
        """True where only the person installed the application, not the place."""
        return set(self.payload.get("authorizing_integration_owners", {})) == {"1"}

    @property
    def delay(self) -> float:
        """Seconds until the bot acknowledged it."""
        if self.acknowledged is None:
            raise LookupError("the interaction was not acknowledged")
        return self.acknowledged - self.created


@dataclass(slots=True, kw_only=True)
class Message:
    """A message as people see it now, with its history."""

    id: str
    channel_id: str
    author: Json
    content: str = ""
    embeds: list[Json] = field(default_factory=list[Json])
    components: list[Json] = field(default_factory=list[Json])
    attachments: list[Attachment] = field(default_factory=list[Attachment])
    flags: int = 0
    kind: int = 0
    nonce: Any = None
    tts: bool = False
    reference: Json | None = None
    mentions: list[Json] = field(default_factory=list[Json])
    snapshots: list[Json] = field(default_factory=list[Json])
    """What it forwards."""
    interaction: Interaction | None = None
    webhook_id: str | None = None
    created: float = field(default_factory=time.time)
    edited: float | None = None
    edits: list[Edit] = field(default_factory=list[Edit])
    deleted: bool = False

    @property
    def ephemeral(self) -> bool:
        """True when only the person who acted can see it."""
        return bool(self.flags & shapes.EPHEMERAL)

    @property
    def loading(self) -> bool:
        """True while it shows that the bot is thinking."""
        return bool(self.flags & shapes.LOADING)

    @property
    def text(self) -> str:
        """All that can be read in it."""
        return "\n".join([self.content, *shapes.texts(self.components, self.embeds)]).strip()

    @property
    def files(self) -> dict[str, Attachment]:
        """Its attachments by name."""
        return {attachment.filename: attachment for attachment in self.attachments}

    @property
    def buttons(self) -> dict[str, Json]:
        """Its buttons by custom id, or by address for links."""
        return {
            str(component.get("custom_id") or component.get("url")): component
            for component in shapes.walk(self.components)
            if component.get("type") == 2
        }

    @property
    def menus(self) -> dict[str, Json]:
        """Its menus of texts by custom id."""
        return {
            component["custom_id"]: component
            for component in shapes.walk(self.components)
            if component.get("type") == 3
        }

    def _interaction_json(self) -> Json:
        if self.interaction is None:
            return {}
        done = self.interaction
        shown: Json = {"interaction_metadata": done.metadata()}
        if done.kind == 2:
            shown["interaction"] = {
                "id": done.id,
                "type": 2,
                "name": done.payload["data"]["name"],
                "user": done.user,
            }
        return shown

    def snapshot(self) -> Json:
        """As a message shows it that forwards it."""
        whole = self.to_json()
        kept = ("type", "content", "embeds", "attachments", "timestamp", "edited_timestamp", "flags", "components")
        return {**{name: whole[name] for name in kept}, "mentions": [], "mention_roles": []}

    def to_json(self) -> Json:
        """The message object."""
        shown: Json = {
            "id": self.id,
            "channel_id": self.channel_id,
            "author": self.author,
            "type": self.kind,
            "content": self.content,
            "mentions": self.mentions,
            "mention_roles": [],
            "mention_everyone": False,
            "attachments": [attachment.to_json() for attachment in self.attachments],
            "embeds": self.embeds,
            "components": self.components,
            "timestamp": shapes.timestamp(self.created),
            "edited_timestamp": None if self.edited is None else shapes.timestamp(self.edited),
            "flags": self.flags,
            "pinned": False,
            "tts": self.tts,
            **self._interaction_json(),
        }
        if self.webhook_id is not None:
            shown |= {"webhook_id": self.webhook_id, "application_id": self.webhook_id}
        if self.reference is not None:
            shown["message_reference"] = self.reference
        if self.snapshots:
            shown["message_snapshots"] = [{"message": snapshot} for snapshot in self.snapshots]
        return shown if self.nonce is None else {**shown, "nonce": self.nonce}
