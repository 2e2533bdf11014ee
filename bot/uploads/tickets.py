"""Signed links to the upload page. Each is for one clip of one person, and says where the result goes."""

import time
import uuid
from hashlib import sha256
from http import HTTPStatus
from typing import Final

import msgspec
from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from bot.exceptions import PageError
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


class UploadTickets:
    """Signs and reads tickets.

    Args:
        secret: Signs them.
        public_url: Address under which the pages are reached.
        hours: How long a link works.

    """

    def __init__(self, secret: bytes, *, public_url: str, hours: float) -> None:
        self._signer = Signer(secret, salt="stemcord.upload", key_derivation="hmac", digest_method=sha256)
        self._public_url = public_url.rstrip("/")
        self.lifetime_s = hours * 3600

    def address(self, ticket: UploadTicket) -> str:
        """Return the address of the page of a ticket."""
        token = self._signer.sign(base64_encode(msgspec.json.encode(ticket))).decode()
        return f"{self._public_url}/u/{token}/"

    def read(self, signed: str) -> UploadTicket:
        """Check a signed ticket. Raises `PageError`: 403 when it is forged, 410 when it has expired."""
        try:
            # Nothing is decoded before the signature holds.
            payload = self._signer.unsign(signed[:MAX_TOKEN_CHARS])
            ticket = msgspec.json.decode(base64_decode(payload), type=UploadTicket)
        except (BadData, msgspec.MsgspecError) as error:
            raise PageError(HTTPStatus.FORBIDDEN, "page-forged") from error
        if ticket.expires <= time.time():
            raise PageError(HTTPStatus.GONE, "upload-expired")
        return ticket


def new_upload_id() -> str:
    """Return an id for an upload."""
    return uuid.uuid4().hex
