"""Signed addresses of pages.

A token names a link, says until when it holds and whether its holder may rename speakers; it is
signed by HMAC-SHA256 (itsdangerous). Whoever has the address has what it allows: nothing else, such
as a cookie, gives rights, so another site cannot make a browser change anything.
"""

import os
import secrets
import time
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Final

import msgspec
from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from bot.web.sources.base import PageError
from pipeline.errors import AudioProcessingError

MIN_SECRET_BYTES: Final = 16
"""Bytes."""
MAX_TOKEN_CHARS: Final = 512
"""Characters."""


class SecretError(AudioProcessingError):
    """The key that signs addresses cannot be had."""

    default_hint = "Set STEMCORD_SECRET, or a STEMCORD_HOME that can be written to."


@dataclass(frozen=True, slots=True, kw_only=True)
class PageToken:
    """What an address allows."""

    link_id: str
    expires: int
    """Unix time."""
    edit: bool
    """Whether speakers may be renamed."""


class TokenSigner:
    """Makes tokens and reads them."""

    def __init__(self, secret: bytes) -> None:
        self._signer = Signer(secret, salt="stemcord.page", key_derivation="hmac", digest_method=sha256)

    def sign(self, token: PageToken) -> str:
        """Return the token as text for an address."""
        return self._signer.sign(base64_encode(msgspec.json.encode(token))).decode()

    def read(self, signed: str) -> PageToken:
        """Check a signed token. Raises `PageError`: 403 when it is forged, 410 when it has expired."""
        try:
            # Nothing is decoded before the signature holds.
            payload = self._signer.unsign(signed[:MAX_TOKEN_CHARS])
            token = msgspec.json.decode(base64_decode(payload), type=PageToken)
        except (BadData, msgspec.MsgspecError) as error:
            raise PageError(HTTPStatus.FORBIDDEN, "page-forged") from error
        if token.expires <= time.time():
            raise PageError(HTTPStatus.GONE, "page-expired")
        return token


def page_url(public_url: str, token: str) -> str:
    """The full address of a page."""
    return f"{public_url.rstrip('/')}/r/{token}/"


def read_secret(home: Path, given: str = "") -> bytes:
    """The secret of the settings, or the one in `<home>/secret`, made at the first start and read by nobody else.

    Raises `SecretError`.
    """
    if given:
        return given.encode()
    try:
        secret = _stored_secret(home)
    except OSError as error:
        raise SecretError("The secret of the pages cannot be kept.", detail=repr(error)) from error
    if len(secret) < MIN_SECRET_BYTES:
        raise SecretError("The secret of the pages is damaged.", hint=f"Delete {home / 'secret'}; old links end.")
    return secret


def _stored_secret(home: Path) -> bytes:
    home.mkdir(parents=True, exist_ok=True)
    path = home / "secret"
    if path.exists():
        return path.read_bytes()
    partial = home / f".secret.{secrets.token_hex(8)}"
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(32))
    try:
        # Of several processes that start at once, one wins and all read its secret.
        os.link(partial, path)
    except FileExistsError:
        pass
    finally:
        partial.unlink()
    return path.read_bytes()
