"""Scheme, host and port of addresses, for lists of allowed hosts."""

from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit


class Origin(NamedTuple):
    """Where an address leads."""

    scheme: str
    host: str
    port: int | None


def allowed_origin(host: str) -> Origin:
    """Return the origin that an entry of a list allows: a name by https, or an origin as it is written."""
    return origin_of(urlsplit(host if "://" in host else f"https://{host}"))


def origin_of(url: SplitResult) -> Origin:
    """Return the origin of an address; one with a port that is none equals no other."""
    try:
        port = url.port
    except ValueError:
        port = -1
    return Origin(url.scheme, url.hostname or "", port or {"https": 443, "http": 80}.get(url.scheme))
