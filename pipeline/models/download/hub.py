"""HTTP requests to model hubs: who receives the token, which redirects are followed, what a refusal means."""

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
    """The hub did not respond, broke off, or asked to retry after `seconds`."""

    def __init__(self, message: str, *, unreached: bool = False, seconds: float = 0.0) -> None:
        super().__init__(message)
        self.unreached = unreached
        self.seconds = seconds


class FileUnavailableError(Exception):
    """The hub responds, but without the file."""


class ForbiddenError(Exception):
    """The hub requires a token or an accepted licence."""

    def __init__(self, message: str, refusal: ModelMissingError) -> None:
        super().__init__(message)
        self.refusal = refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class HubAccess:
    """The hub token and the origins that may receive it."""

    token: str | None = field(default=None, repr=False)
    origins: frozenset[str] = TOKEN_ORIGINS

    @classmethod
    def find(cls) -> "HubAccess":
        """Return the token of `STEMCORD_HUB_TOKEN`, else of `HF_TOKEN`, else the one that `hf auth login` stored."""
        from huggingface_hub import get_token

        return cls(token=os.environ.get("STEMCORD_HUB_TOKEN", "").strip() or get_token())

    def may_see_token(self, url: httpx2.URL) -> bool:
        """Return whether the token may be sent to this URL."""
        return _origin(url) in self.origins

    def headers(self, url: httpx2.URL) -> dict[str, str]:
        """Return the authorization header for a URL; empty where the token must not be sent."""
        return {"Authorization": f"Bearer {self.token}"} if self.token and self.may_see_token(url) else {}


def open_client(*, read_timeout_s: float, connect_timeout_s: float) -> httpx2.Client:
    """Open an HTTP client with these time limits."""
    limits = httpx2.Timeout(read_timeout_s, connect=connect_timeout_s)
    return httpx2.Client(timeout=limits, follow_redirects=False, headers={"User-Agent": "stemcord"})


@contextmanager
def open_file(
    client: httpx2.Client, address: str, headers: Mapping[str, str], access: HubAccess, model: Model
) -> Generator[httpx2.Response]:
    """Request a file or a part of it, and give the response with its body unread.

    The status is 200, 206, or 416 for a range that does not exist. Redirects are followed here, so that each address
    receives only what it may see.

    Raises:
        HubUnavailableError: Another attempt may succeed.
        FileUnavailableError: The hub does not have the file.
        ForbiddenError: The hub refuses.
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
    """Return where a redirect leads.

    Raises:
        FileUnavailableError: The redirect would leave https.
    """
    following = url.join(location)
    if url.scheme == "https" and following.scheme != "https":
        raise FileUnavailableError(f"{url.host} leads to an address that is not encrypted")
    return following


def read_extent(answer: httpx2.Response) -> tuple[int, int]:
    """Return the offset of the response's first byte and the size of the whole file; 0 where it is not given."""
    if answer.status_code == 206:
        _, _, text = answer.headers.get("Content-Range", "").partition("bytes ")
        span, _, total = text.partition("/")
        start = span.partition("-")[0]
        # A part that does not say where it belongs fits nowhere.
        return int(start) if start.isdecimal() else -1, int(total) if total.isdecimal() else 0
    length = answer.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() else 0


def read_validator(answer: httpx2.Response) -> str:
    """Return the value for `If-Range`: a strong ETag, else the date of the last change."""
    tag = answer.headers.get("ETag", "")
    return tag if tag.startswith('"') else answer.headers.get("Last-Modified", "")


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
    """Make the error that says what to do so that the hub gives the model."""
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
    """Return the seconds of a `Retry-After` header; 0 without one or for a date."""
    wish = response.headers.get("Retry-After", "")
    return min(float(wish), MAX_RETRY_AFTER_S) if wish.isdecimal() else 0.0


def _origin(url: httpx2.URL) -> str:
    """Return scheme, host and, unless it is the scheme's default, port (RFC 6454)."""
    return f"{url.scheme}://{url.host}" + ("" if url.port is None else f":{url.port}")
