"""Discord's sign-in: a person allows an application, which exchanges the code for a token (RFC 6749 with RFC 7636)."""

import hashlib
import secrets
from base64 import b64decode, urlsafe_b64encode
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

from aiohttp import web

from tests.wire.reading import PREFIX

AUTHORIZE_URL = "https://discord.com/oauth2/authorize"


@dataclass(frozen=True)
class Code:
    """What a person allowed."""

    user_id: str
    redirect_uri: str
    challenge: str


class OAuth:
    """The codes and tokens of one application."""

    def __init__(self, client_id: str, client_secret: str = "a secret of the portal") -> None:
        self.client_id = client_id
        self.client_secret = client_secret
        self.tokens: dict[str, str] = {}
        """Users by token."""
        self._codes: dict[str, Code] = {}

    def allow(self, address: str, user_id: str) -> str:
        """A person is sent to this address and allows it; gives the address that Discord sends the browser to."""
        assert address.startswith(AUTHORIZE_URL + "?")
        asked = {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}
        assert (asked["response_type"], asked["client_id"]) == ("code", self.client_id)
        assert (asked["scope"], asked["code_challenge_method"]) == ("identify", "S256")
        code = secrets.token_urlsafe(8)
        self._codes[code] = Code(user_id, asked["redirect_uri"], asked["code_challenge"])
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def add_routes(self, app: web.Application) -> None:
        """Add what Discord's description of its API leaves out."""
        app.router.add_post(PREFIX + "/oauth2/token", self._exchange)

    async def _exchange(self, request: web.Request) -> web.Response:
        kind, _, basic = request.headers.get("Authorization", "").partition(" ")
        if (kind, b64decode(basic).decode()) != ("Basic", f"{self.client_id}:{self.client_secret}"):
            return web.json_response({"error": "invalid_client"}, status=401)
        form = await request.post()
        code = self._codes.pop(str(form["code"]), None)
        challenge = urlsafe_b64encode(hashlib.sha256(str(form["code_verifier"]).encode()).digest()).rstrip(b"=")
        if code is None or form["redirect_uri"] != code.redirect_uri or challenge.decode() != code.challenge:
            return web.json_response({"error": "invalid_grant"}, status=400)
        token = secrets.token_urlsafe(16)
        self.tokens[token] = code.user_id
        return web.json_response(
            {"access_token": token, "token_type": "Bearer", "expires_in": 604800, "scope": "identify"}
        )
