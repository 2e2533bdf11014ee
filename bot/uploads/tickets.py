"""Signed links to the upload page. Each is for one clip of one person, and says where the result goes."""

import uuid
from typing import Final

import msgspec

from bot.signed_text import SignedText
from pipeline.types import Task

MAX_TOKEN_CHARS: Final = 1024


class UploadTicket(msgspec.Struct, frozen=True, kw_only=True):
    """What a link allows; its fields are part of the signed text. Ids are Discord's."""

    id: str
    """Of the upload."""
    expires: int
    """Unix time."""
    task: Task
    application_id: str
    channel_id: str
    user_id: str
    guild_id: str | None
    locale: str
    outside: bool
    """Whether the bot is no member of the place, so that the result comes as a direct message."""


class UploadTickets(SignedText[UploadTicket]):
    """Signs and reads tickets.

    Args:
        secret: Signs them.
        public_url: Address under which the pages are reached.
        hours: How long a link works.

    """

    def __init__(self, secret: bytes, *, public_url: str, hours: float) -> None:
        super().__init__(
            secret, UploadTicket, salt="stemcord.upload", max_chars=MAX_TOKEN_CHARS, expired_key="upload-expired"
        )
        self._public_url = public_url.rstrip("/")
        self.lifetime_s = hours * 3600

    def address(self, ticket: UploadTicket) -> str:
        """Return the address of the page of a ticket."""
        return f"{self._public_url}/u/{self.sign(ticket)}/"


def new_upload_id() -> str:
    """Return an id for an upload."""
    return uuid.uuid4().hex
