"""Texts that only this bot can have made, for addresses: signed with HMAC-SHA256 by itsdangerous."""

import time
from hashlib import sha256
from http import HTTPStatus
from typing import Generic, Protocol, TypeVar

import msgspec
from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from bot.exceptions import PageError


class Expiring(Protocol):
    """What is signed: it holds for a time."""

    @property
    def expires(self) -> int:
        """Unix time."""
        ...


T = TypeVar("T", bound=Expiring)


class SignedText(Generic[T]):
    """Signs and reads values of one type, whose fields are part of the signed text.

    Args:
        secret: Signs them.
        kind: The type.
        salt: Tells texts of one purpose from those of others.
        max_chars: More than any such text has.
        expired_key: Of the message for an expired one.
    """

    def __init__(self, secret: bytes, kind: type[T], *, salt: str, max_chars: int, expired_key: str) -> None:
        self._signer = Signer(secret, salt=salt, key_derivation="hmac", digest_method=sha256)
        self._kind = kind
        self._max_chars = max_chars
        self._expired_key = expired_key

    def sign(self, value: T) -> str:
        """Return the value as text for an address."""
        return self._signer.sign(base64_encode(msgspec.json.encode(value))).decode()

    def read(self, signed: str) -> T:
        """Check a signed text. Raises `PageError`: 403 when it is forged, 410 when it has expired."""
        try:
            # Nothing is decoded before the signature holds.
            payload = self._signer.unsign(signed[: self._max_chars])
            value = msgspec.json.decode(base64_decode(payload), type=self._kind)
        except (BadData, msgspec.MsgspecError) as error:
            raise PageError(HTTPStatus.FORBIDDEN, "page-forged") from error
        if value.expires <= time.time():
            raise PageError(HTTPStatus.GONE, self._expired_key)
        return value
