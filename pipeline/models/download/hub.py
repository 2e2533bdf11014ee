"""Model hubs over HTTP: who is sent the token, where a redirect may lead, what a refusal means."""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import httpx2

from pipeline.errors import ModelMissingError
from pipeline.models.entries import Model

TOKEN_ORIGINS: Final = frozenset({"https://huggingface.co"})
"""Who may see the token; the hosts that it redirects to sign their addresses instead."""
TOKEN_PAGE: Final = "https://huggingface.co/settings/tokens"  # noqa: S105 - a page, no secret
MAX_REDIRECTS: Final = 10
RETRIED_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that another try may mend (RFC 9110, RFC 6585, RFC 8470)."""
MAX_RETRY_AFTER_S: Final = 30.0
"""Seconds that a hub may ask to be left alone."""


class HubUnavailableError(Exception):
    """The hub did not answer, broke off, or asked to come again; `seconds` is how long it wants to be left alone."""

    def __init__(self, message: str, *, unreached: bool = False, seconds: float = 0.0) -> None:
        super().__init__(message)
        self.unreached = unreached
        self.seconds = seconds


class FileUnavailableError(Exception):
    """The hub answers, but not with the file."""


class ForbiddenError(Exception):
    """The hub wants to know who asks."""

    def __init__(self, message: str, refusal: ModelMissingError) -> None:
        super().__init__(message)
        self.refusal = refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class HubAccess:
    """The hub token and who may see it."""

    token: str | None = field(default=None, repr=False)
    origins: frozenset[str] = TOKEN_ORIGINS

    @classmethod
    def find(cls) -> "HubAccess":
        """The token of `STEMCORD_HUB_TOKEN`, else of `HF_TOKEN`, else the one that `hf auth login` stored."""
        from huggingface_hub import get_token

        return cls(token=os.environ.get("STEMCORD_HUB_TOKEN", "").strip() or get_token())

    def may_see_token(self, url: httpx2.URL) -> bool:
        """Whether the token may be sent there."""
        return _origin(url) in self.origins

    def headers(self, url: httpx2.URL) -> dict[str, str]:
        """What to tell an address about who asks."""
        return {"Authorization": f"Bearer {self.token}"} if self.token and self.may_see_token(url) else {}


def open_client(*, read_timeout_s: float, connect_timeout_s: float) -> httpx2.Client:
    """A client that waits so many seconds for bytes, and for a connection."""
    limits = httpx2.Timeout(read_timeout_s, connect=connect_timeout_s)
    return httpx2.Client(timeout=limits, follow_redirects=False, headers={"User-Agent": "stemcord"})


@contextmanager
def open_file(
    client: httpx2.Client, address: str, headers: Mapping[str, str], access: HubAccess, model: Model
) -> Generator[httpx2.Response]:
    """The hub's answer with the file or a part of it (200, 206) or with none of the range (416), body unread.

    Redirects are followed here, so that each address is sent what it may see. Raises `AwayError`, `GoneError` or
    `ForbiddenError`.
    """
    url = httpx2.URL(address)
    try:
        for _ in range(MAX_REDIRECTS):
            request = client.build_request("GET", url, headers={**headers, **access.headers(url)})
            response = client.send(request, stream=True)
            try:
                if not response.has_redirect_location:
                    _check(response, access, model)
                    yield response
                    return
                url = resolve_redirect(url, response.headers["Location"])
            finally:
                response.close()
    except httpx2.TransportError as error:
        unreached = isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout)
        raise HubUnavailableError(f"{url.host}: {type(error).__name__} {error}", unreached=unreached) from error
    except (httpx2.InvalidURL, ValueError) as error:
        raise FileUnavailableError(f"{url.host} leads to an address that cannot be used: {error}") from error
    raise FileUnavailableError(f"{url.host} leads from address to address")


def resolve_redirect(url: httpx2.URL, location: str) -> httpx2.URL:
    """Where a redirect leads; raises `GoneError` when that would give up encryption."""
    following = url.join(location)
    if url.scheme == "https" and following.scheme != "https":
        raise FileUnavailableError(f"{url.host} leads to an address that is not encrypted")
    return following


def _check(response: httpx2.Response, access: HubAccess, model: Model) -> None:
    status, host = response.status_code, response.url.host
    if status in (200, 206, 416):
        return
    if status in RETRIED_STATUSES:
        raise HubUnavailableError(f"{host} answers {status}", seconds=_retry_after(response))
    if status in (401, 403):
        raise ForbiddenError(f"{host} answers {status}", _refusal(response, access, model))
    raise FileUnavailableError(f"{host} answers {status}")


def _refusal(response: httpx2.Response, access: HubAccess, model: Model) -> ModelMissingError:
    """What the person has to do so that the hub gives the model."""
    host = response.url.host
    if not access.may_see_token(response.url):
        return ModelMissingError(
            f"{host} does not give out the weights of {model.name}.", hint=f"Look at {model.source} for the reason."
        )
    if not access.token:
        return ModelMissingError(
            f"{host} gives the weights of {model.name} only to people it knows.",
            hint=f"Accept the conditions at {model.source}, make a token at {TOKEN_PAGE}, and set it as HF_TOKEN.",
        )
    if response.status_code == 401:
        return ModelMissingError(
            f"{host} does not accept the token that is set.",
            hint=f"Make a new one at {TOKEN_PAGE} and set it as HF_TOKEN.",
        )
    return ModelMissingError(
        f"{host} does not give the weights of {model.name} to the account of the token that is set.",
        hint=f"Log in with that account, accept the conditions at {model.source}, and try again.",
    )


def _retry_after(response: httpx2.Response) -> float:
    """Seconds of a `Retry-After` that gives seconds."""
    wish = response.headers.get("Retry-After", "")
    return min(float(wish), MAX_RETRY_AFTER_S) if wish.isdecimal() else 0.0


def _origin(url: httpx2.URL) -> str:
    """Scheme, host and, unless it is the scheme's own, port (RFC 6454)."""
    return f"{url.scheme}://{url.host}" + ("" if url.port is None else f":{url.port}")
