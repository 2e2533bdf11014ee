"""Sign in with Discord, so that a page knows who opens it: OAuth 2, authorization code with state and PKCE.

Discord is asked who the person is and nothing more; what the person may see the bot knows by itself. No token of
Discord's is kept: a signed cookie tells the person for some hours.
"""

import asyncio
import hashlib
import secrets
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import Final, TypeVar
from urllib.parse import urlencode, urlsplit

import aiohttp
import msgspec
from aiohttp import web
from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from bot.exceptions import DiscordUnavailableError, PageError

AUTHORIZE_URL: Final = "https://discord.com/oauth2/authorize"
CALLBACK_PATH: Final = "/sign-in"
PERSON_COOKIE: Final = "stemcord_person"
ATTEMPT_COOKIE: Final = "stemcord_sign_in"
PERSON_LIFETIME_S: Final = 8 * 3600
ATTEMPT_LIFETIME_S: Final = 600
ASK_TIMEOUT_S: Final = 10.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthClient:
    """The application as Discord's developer portal knows it."""

    client_id: str
    client_secret: str
    api_url: str
    """Address of Discord's API, with its version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Person:
    user_id: str
    expires: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """A sign-in that was begun in this browser."""

    state: str
    verifier: str
    page: str
    """Token of the page to go back to."""
    expires: int


class _Grant(msgspec.Struct):
    access_token: str


class _User(msgspec.Struct):
    id: str


class SignIn:
    """Sends browsers to Discord and remembers who came back.

    Args:
        client: The application.
        session: Client for Discord's API.
        secret: Signs the cookies.
        public_url: Address under which people reach the pages.

    """

    def __init__(self, client: OAuthClient, session: aiohttp.ClientSession, secret: bytes, *, public_url: str) -> None:
        self._client = client
        self._session = session
        self._people = Signer(secret, salt="stemcord.person", key_derivation="hmac", digest_method=sha256)
        self._attempts = Signer(secret, salt="stemcord.sign-in", key_derivation="hmac", digest_method=sha256)
        self._public_url = public_url.rstrip("/")
        self._redirect_uri = self._public_url + CALLBACK_PATH

    def person(self, request: web.Request) -> str | None:
        """Return the id of the person who signed in; None when nobody has, or too long ago."""
        found = _read(self._people, request.cookies.get(PERSON_COOKIE, ""), _Person)
        return None if found is None or found.expires <= time.time() else found.user_id

    def begin(self, page: str) -> web.Response:
        """Send the browser to Discord.

        Args:
            page: Token of the page to come back to; it has been checked.

        """
        attempt = _Attempt(
            state=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            page=page,
            expires=int(time.time()) + ATTEMPT_LIFETIME_S,
        )
        challenge = urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "scope": "identify",
            "redirect_uri": self._redirect_uri,
            "state": attempt.state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        answer = _redirect(f"{AUTHORIZE_URL}?{urlencode(query)}")
        self._set_cookie(answer, ATTEMPT_COOKIE, _write(self._attempts, attempt), ATTEMPT_LIFETIME_S)
        return answer

    async def finish(self, request: web.Request) -> web.Response:
        """Take the browser back to its page, with a cookie that says who the person is.

        Raises:
            PageError: The person refused, or this browser began no such sign-in.
            DiscordUnavailableError: Discord did not answer.

        """
        attempt = _read(self._attempts, request.cookies.get(ATTEMPT_COOKIE, ""), _Attempt)
        code, state = request.query.get("code", ""), request.query.get("state", "")
        if attempt is None or attempt.expires <= time.time() or not code:
            raise PageError(HTTPStatus.FORBIDDEN, "page-sign-in-failed")
        if not secrets.compare_digest(state.encode(), attempt.state.encode()):
            raise PageError(HTTPStatus.FORBIDDEN, "page-sign-in-failed")
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                user_id = await self._ask(code, attempt.verifier)
        except (aiohttp.ClientError, TimeoutError, msgspec.MsgspecError) as error:
            raise DiscordUnavailableError(
                "Discord cannot be reached right now.", detail=type(error).__name__
            ) from error
        answer = _redirect(f"{self._public_url}/r/{attempt.page}/")
        person = _Person(user_id=user_id, expires=int(time.time()) + PERSON_LIFETIME_S)
        self._set_cookie(answer, PERSON_COOKIE, _write(self._people, person), PERSON_LIFETIME_S)
        self._set_cookie(answer, ATTEMPT_COOKIE, "", 0)
        return answer

    def forget(self, answer: web.StreamResponse) -> None:
        """Let the person sign in anew, with another account."""
        self._set_cookie(answer, PERSON_COOKIE, "", 0)

    async def _ask(self, code: str, verifier: str) -> str:
        """Exchange the code and return the person's id."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": verifier,
        }
        secret = aiohttp.BasicAuth(self._client.client_id, self._client.client_secret)
        async with self._session.post(f"{self._client.api_url}/oauth2/token", data=form, auth=secret) as answer:
            if answer.status == HTTPStatus.BAD_REQUEST:
                raise PageError(HTTPStatus.FORBIDDEN, "page-sign-in-failed")
            answer.raise_for_status()
            grant = msgspec.json.decode(await answer.read(), type=_Grant)
        headers = {"Authorization": f"Bearer {grant.access_token}"}
        async with self._session.get(f"{self._client.api_url}/users/@me", headers=headers) as answer:
            answer.raise_for_status()
            return msgspec.json.decode(await answer.read(), type=_User).id

    def _set_cookie(self, answer: web.StreamResponse, name: str, value: str, lifetime_s: int) -> None:
        secure = self._public_url.startswith("https:")
        path = (urlsplit(self._public_url).path or "") + "/"
        # Lax, since Discord sends the browser back.
        answer.set_cookie(name, value, max_age=lifetime_s, path=path, secure=secure, httponly=True, samesite="Lax")


def _redirect(address: str) -> web.Response:
    return web.Response(status=HTTPStatus.FOUND, headers={"Location": address, "Cache-Control": "no-store"})


def _write(signer: Signer, value: object) -> str:
    return signer.sign(base64_encode(msgspec.json.encode(value))).decode()


def _read(signer: Signer, signed: str, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(base64_decode(signer.unsign(signed)), type=kind)
    except (BadData, msgspec.MsgspecError):
        return None
