"""Signs the addresses of pages.

A token names a link, when it expires and whether its holder may rename speakers. It is signed with
HMAC-SHA256 by itsdangerous. Only the address gives rights, never a cookie, so another site cannot make
a browser change anything.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.database.page_links import PageLinks
from bot.exceptions import SecretError
from bot.signed_text import SignedText
from bot.uploads.tickets import UploadTickets

MIN_SECRET_BYTES: Final = 16
MAX_TOKEN_CHARS: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class PageToken:
    """What an address allows; the fields are part of the signed text."""

    link_id: str
    expires: int
    """Unix time."""
    edit: bool
    """Whether speakers may be renamed."""


class TokenSigner(SignedText[PageToken]):
    """Signs and reads tokens."""

    def __init__(self, secret: bytes) -> None:
        super().__init__(secret, PageToken, salt="stemcord.page", max_chars=MAX_TOKEN_CHARS, expired_key="page-expired")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAddress:
    """Address of the page of a result."""

    url: str
    expires: int
    """Unix time."""


class PageAddresses:
    """Creates and revokes addresses of pages for people who press the button.

    Args:
        links: Where links are recorded.
        signer: Signs their tokens.
        public_url: Address under which the pages are reached.
        hours: How long an address works.
        sign_in: Whether people sign in before they see a page.
        uploads: Addresses of the page that takes clips; None: there is none.

    """

    def __init__(
        self,
        links: PageLinks,
        signer: TokenSigner,
        *,
        public_url: str,
        hours: float,
        sign_in: bool = False,
        uploads: UploadTickets | None = None,
    ) -> None:
        self.sign_in = sign_in
        self.uploads = uploads
        self._links = links
        self._signer = signer
        self._public_url = public_url
        self._lifetime_s = hours * 3600

    async def create(self, job_id: str, user_id: str) -> PageAddress:
        """Create an address; its person may also rename speakers, while the person has that right."""
        link = await self._links.create(job_id, user_id, self._lifetime_s)
        token = self._signer.sign(PageToken(link_id=link.id, expires=int(link.expires), edit=True))
        return PageAddress(url=page_url(self._public_url, token), expires=int(link.expires))

    async def revoke(self, job_id: str) -> int:
        """Revoke every address of a result, whoever created it; return how many still worked."""
        return await self._links.revoke(job_id)


def page_url(public_url: str, token: str) -> str:
    """Return the full address of a page."""
    return f"{public_url.rstrip('/')}/r/{token}/"


def read_secret(home: Path, given: str = "") -> bytes:
    """Return the secret of the settings, or else the one in `<home>/secret`, created at the first start.

    Raises:
        SecretError: The file cannot be read or written.

    """
    if given:
        return given.encode()
    try:
        secret = _stored_secret(home)
    except OSError as error:
        raise SecretError("The secret of the pages cannot be stored.", detail=repr(error)) from error
    if len(secret) < MIN_SECRET_BYTES:
        raise SecretError(
            "The secret of the pages is damaged.",
            hint=f"Delete {home / 'secret'}; old links stop working.",
        )
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
        # When several processes start at once, one wins and all read its secret.
        os.link(partial, path)
    except FileExistsError:
        pass
    finally:
        partial.unlink()
    return path.read_bytes()
