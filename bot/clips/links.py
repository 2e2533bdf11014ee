"""Downloads clips by a link, from the hosts that the operator allows and from nowhere else.

A name that leads to an inner address is refused where the connection is made, so that what was checked is what is
connected to. Redirects are followed only to other allowed hosts.
"""

import ipaddress
import socket
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urljoin, urlsplit

import aiohttp
import yarl
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from bot.clips.origin_of_url import Origin, allowed_origin, origin_of
from bot.exceptions import DownloadError, RefusedError

MAX_REDIRECTS: Final = 5
REDIRECTS: Final = (301, 302, 303, 307, 308)
CONNECT_TIMEOUT_S: Final = 10.0
STALL_TIMEOUT_S: Final = 20.0


class InnerAddressError(OSError):
    """A name leads to an address that is not of the public network."""


class PublicResolver(AbstractResolver):
    """Resolves names to public addresses only.

    Args:
        exempt: Hosts that the operator allowed with their scheme, such as one of the own network.

    """

    def __init__(self, exempt: Iterable[str]) -> None:
        self._exempt = frozenset(exempt)
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a host. Raises `InnerAddressError` when one of them is not public."""
        found = await self._resolver.resolve(host, port, family)
        if host not in self._exempt and not all(_is_public(each["host"]) for each in found):
            raise InnerAddressError(host)
        return found

    async def close(self) -> None:
        """Close the resolver."""
        await self._resolver.close()


class LinkSource:
    """Opens links.

    Args:
        hosts: As in STEMCORD_LINK_HOSTS: names that are reached by https, or whole origins.

    """

    def __init__(self, hosts: Iterable[str]) -> None:
        given = list(hosts)
        self._origins = frozenset(map(allowed_origin, given))
        self._exempt = frozenset(origin.host for origin in map(allowed_origin, (h for h in given if "://" in h)))

    def check(self, url: str) -> None:
        """Raise `RefusedError` for a link that leads to a host which is not allowed."""
        origin: Origin = origin_of(urlsplit(url))
        if origin not in self._origins or not (origin.host in self._exempt or _may_be_public(origin.host)):
            raise RefusedError("link-host", "link-host-hint", host=origin.host[:100])

    @asynccontextmanager
    async def open(self, url: str) -> AsyncGenerator[aiohttp.ClientResponse]:
        """Open a link and follow its redirects.

        Raises:
            RefusedError: It leads to a host or an address that is not allowed.
            DownloadError: It is redirected without end.

        """
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=STALL_TIMEOUT_S)
        connector = aiohttp.TCPConnector(resolver=PublicResolver(self._exempt), use_dns_cache=False)
        async with aiohttp.ClientSession(connector=connector, timeout=limits) as session:
            for _ in range(MAX_REDIRECTS + 1):
                self.check(url)
                try:
                    response = await session.get(yarl.URL(url), allow_redirects=False)
                except aiohttp.ClientConnectorError as error:
                    if isinstance(error.os_error, InnerAddressError):
                        host = urlsplit(url).hostname or ""
                        raise RefusedError("link-host", "link-host-hint", host=host[:100]) from error
                    raise
                if response.status not in REDIRECTS:
                    yield response
                    return
                url = urljoin(url, response.headers.get("Location", ""))
                response.release()
        raise DownloadError("download-failed", "try-later", detail="redirected too often")


def _may_be_public(host: str) -> bool:
    """Tell whether a host is a name, which is resolved later, or a public address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return _is_public(host)


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    inner = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (inner or found).is_global and not (inner or found).is_multicast
