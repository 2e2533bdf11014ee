"""From a request's body to a message, by Discord's rules for both."""

import base64
import re
import time
from typing import Any

from tests.wire import shapes
from tests.wire.cdn import Cdn
from tests.wire.objects import ApiError, Attachment, Edit, Message, invalid_form
from tests.wire.recorder import Upload
from tests.wire.shapes import COMPONENTS_V2, Json
from tests.wire.world import World

MAX_CONTENT, MAX_FILES, MAX_EMBED_TEXT = 2000, 10, 6000
MAX_V2_COMPONENTS, MAX_V2_TEXT = 40, 4000
SETTABLE_FLAGS = COMPONENTS_V2 | 1 << 2 | 1 << 12 | 1 << 13
"""Components, no embeds, silent, voice: what a message's maker may set; the rest is set by how it came about."""
DEFAULTS: dict[int, Json] = {
    2: {},
    9: {},
    11: {"description": None, "spoiler": False},
    13: {"name": None, "size": None, "spoiler": False},
    14: {"spacing": 1, "divider": True},
    17: {"accent_color": None, "spoiler": False},
    3: {"placeholder": None, "min_values": 1, "max_values": 1, "disabled": False},
}
"""What an answer shows of a component when the request left it out, by component type."""


class Composer:
    """Makes and changes messages."""

    def __init__(self, world: World, cdn: Cdn) -> None:
        self._world = world
        self._cdn = cdn

    def create(self, message: Message, payload: Json, uploads: list[Upload]) -> Message:
        """Fills a new message and shows it; the same enforced nonce gives the message that is there already."""
        if payload.get("nonce") is not None and payload.get("enforce_nonce"):
            for other in self._world.in_order:
                if other.nonce == payload["nonce"] and other.channel_id == message.channel_id:
                    return other
        self._apply(message, payload, uploads)
        message.nonce = payload.get("nonce")
        message.tts = bool(payload.get("tts"))
        self._world.messages[message.id] = message
        self._world.touch()
        return message

    def edit(self, message: Message, payload: Json, uploads: list[Upload]) -> Message:
        """Changes a message in place; what the body leaves out stays."""
        before = message.text
        self._apply(message, payload, uploads)
        message.flags &= ~shapes.LOADING
        message.edited = time.time()
        message.edits.append(Edit(time=time.monotonic(), before=before))
        self._world.touch()
        return message

    def _apply(self, message: Message, payload: Json, uploads: list[Upload]) -> None:
        """Checks everything first, so that a refused body leaves the message as it was."""
        flags = message.flags | int(payload.get("flags") or 0) & SETTABLE_FLAGS
        content = payload["content"] or "" if "content" in payload else message.content
        embeds = payload["embeds"] or [] if "embeds" in payload else message.embeds
        components = payload["components"] or [] if "components" in payload else message.components
        _check_text(content, embeds, components, v2=bool(flags & COMPONENTS_V2))
        attachments = self._attachments(message, payload, uploads)
        if not (content or embeds or components or attachments):
            raise ApiError(400, 50006, "Cannot send an empty message")
        if flags & shapes.VOICE:
            _check_voice_message(payload, attachments, edited=message.id in self._world.messages)
        resolver = _Resolver(attachments)
        message.flags, message.content, message.attachments = flags, content, attachments
        message.embeds = [resolver.embed(embed) for embed in embeds]
        message.components = resolver.components(components)

    def _attachments(self, message: Message, payload: Json, uploads: list[Upload]) -> list[Attachment]:
        if any(len(upload.data) > self._world.knobs.size_limit for upload in uploads):
            raise ApiError(413, 40005, "Request entity too large")
        listed: list[Json] | None = payload.get("attachments")
        new = {re.sub(r"\D", "", upload.field): upload for upload in uploads}
        existing = {attachment.id: attachment for attachment in message.attachments}
        entries = {str(entry["id"]): entry for entry in listed or []}
        for index in set(entries) - set(new) - set(existing):
            raise invalid_form("attachments", f"There is no file and no attachment with the id {index}")
        kept = [a for a in existing.values() if listed is None or a.id in entries]
        if len(kept) + len(new) > MAX_FILES:
            raise invalid_form("attachments", "Must be 10 or fewer in length.")
        place = self._world.application_id if message.ephemeral else message.channel_id
        return kept + [
            self._cdn.keep(
                entries.get(index, {}).get("filename") or upload.filename,
                upload.data,
                place=place,
                ephemeral=message.ephemeral,
                description=entries.get(index, {}).get("description"),
                voice={name: entries.get(index, {}).get(name) for name in ("duration_secs", "waveform")},
            )
            for index, upload in new.items()
        ]


def _check_voice_message(payload: Json, attachments: list[Attachment], *, edited: bool) -> None:
    """By the documentation of messages, section on voice messages."""
    if edited:
        raise ApiError(403, 50161, "Cannot edit a voice message")
    if payload.get("content") or payload.get("embeds") or payload.get("components"):
        raise ApiError(400, 50159, "Voice messages do not support additional content.")
    if len(attachments) != 1:
        raise ApiError(400, 50160, "Voice messages must have a single audio attachment.")
    (sound,) = attachments
    told = len(base64.b64decode(sound.voice.get("waveform") or "", validate=True))
    if not sound.voice.get("duration_secs") or not 1 <= told <= 256:
        raise ApiError(400, 50161, "Voice messages must have supporting metadata.")
    if not sound.content_type.startswith("audio/"):
        raise ApiError(400, 50160, "Voice messages must have a single audio attachment.")


def _check_text(content: str, embeds: list[Json], components: list[Json], *, v2: bool) -> None:
    """The limits that span several fields; those of one field are in Discord's description."""
    if len(content) > MAX_CONTENT:
        raise invalid_form("content", "Must be 2000 or fewer in length.")
    if sum(len(text) for text in shapes.texts([], embeds)) > MAX_EMBED_TEXT:
        raise invalid_form("embeds", "Embed size exceeds maximum size of 6000")
    everything = shapes.walk(components)
    identifiers = [c["custom_id"] for c in everything if c.get("custom_id")]
    if len(set(identifiers)) < len(identifiers):
        raise invalid_form("components", "Component custom id cannot be duplicated")
    if not v2:
        if any(component["type"] >= 9 for component in components):
            raise invalid_form("components", "Value of field type must be 1: the message has no components flag.")
        return
    if content or embeds:
        raise invalid_form("content", "Cannot be used together with MessageFlags.IS_COMPONENTS_V2")
    if len(everything) > MAX_V2_COMPONENTS:
        raise invalid_form("components", "Must be 40 or fewer in length.")
    if sum(len(c.get("content") or "") for c in everything) > MAX_V2_TEXT:
        raise invalid_form("components", "Displayable text exceeds maximum size of 4000")


class _Resolver:
    """Writes a request's embeds and components as an answer shows them."""

    def __init__(self, attachments: list[Attachment]) -> None:
        self._files = {attachment.filename: attachment for attachment in attachments}
        self._next = 0

    def _attachment(self, url: str) -> Attachment | None:
        if not url.startswith("attachment://"):
            return None
        name = url.removeprefix("attachment://")
        if name not in self._files:
            raise invalid_form("components", f"The attachment {name} does not exist")
        return self._files[name]

    def _media(self, sent: Json) -> Json:
        attachment = self._attachment(sent["url"])
        if attachment is None:
            return {"id": "1", "proxy_url": sent["url"], **sent}
        return {
            "id": attachment.id,
            "url": attachment.url,
            "proxy_url": attachment.url,
            "content_type": attachment.content_type,
            "attachment_id": attachment.id,
        }

    def embed(self, sent: Json) -> Json:
        """An embed of an answer."""
        shown: Json = {key: value for key, value in sent.items() if value is not None} | {"type": "rich"}
        for key in ("image", "thumbnail"):
            if key in shown:
                attachment = self._attachment(shown[key]["url"])
                url = shown[key]["url"] if attachment is None else attachment.url
                shown[key] = {"url": url, "proxy_url": url}
        return shown

    def components(self, sent: list[Json]) -> list[Json]:
        """Components of an answer, each with an id."""
        return [self._component(component) for component in sent]

    def _component(self, sent: Json) -> Json:
        self._next += 1
        shown: dict[str, Any] = dict(DEFAULTS.get(sent["type"], {}))
        shown |= {key: value for key, value in sent.items() if value is not None}
        shown["id"] = sent.get("id") or self._next
        if "components" in shown:
            shown["components"] = self.components(shown["components"])
        if shown.get("accessory"):
            shown["accessory"] = self._component(shown["accessory"])
        for key in ("file", "media"):
            if key in shown:
                shown[key] = self._media(shown[key])
        if sent["type"] == 13:
            attachment = self._attachment(sent["file"]["url"])
            shown |= {"name": attachment.filename, "size": attachment.size} if attachment else {}
        if sent["type"] == 12:
            shown["items"] = [
                {"description": None, "spoiler": False, **item, "media": self._media(item["media"])}
                for item in shown["items"]
            ]
        return shown
