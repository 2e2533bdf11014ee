"""Downloads clips by a link, from the hosts that the operator allows and from nowhere else.

A name that leads to an inner address is refused where the connection is made, so that what was checked is what is
connected to. Redirects are followed only to other allowed hosts.
"""

import ipaddress
import socket
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

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
DOWNLOAD_LIMITS: Final = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=STALL_TIMEOUT_S)
"""Of one request for a clip, of whichever source."""
MAX_SHOWN_HOST_CHARS: Final = 100
PUBLIC_IPV6: Final = ipaddress.IPv6Network("2000::/3")
"""All that is given out for the public network: https://www.iana.org/assignments/ipv6-address-space"""
NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""Addresses whose last four bytes are an IPv4 address of the public network (RFC 6052)."""


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
        """Raise `RefusedError` for a link that leads to a host which is not allowed, or nowhere."""
        origin: Origin = origin_of(split_link(url))
        if origin not in self._origins or not (origin.host in self._exempt or _may_be_public(origin.host)):
            raise _refuse_host(origin.host)

    @asynccontextmanager
    async def open(self, url: str) -> AsyncGenerator[aiohttp.ClientResponse]:
        """Open a link and follow its redirects; the response is closed when the block ends.

        Raises:
            RefusedError: It leads to a host or an address that is not allowed.
            DownloadError: It is redirected without end, or to what is no address.

        """
        given = url
        connector = aiohttp.TCPConnector(resolver=PublicResolver(self._exempt), use_dns_cache=False)
        async with aiohttp.ClientSession(connector=connector, timeout=DOWNLOAD_LIMITS) as session:
            for _ in range(MAX_REDIRECTS + 1):
                self.check(url)
                async with await _get(session, url) as response:
                    if response.status not in REDIRECTS:
                        yield response
                        return
                    try:
                        url = urljoin(url, response.headers.get("Location", ""))
                        split_link(url)
                    except (ValueError, RefusedError) as error:
                        raise failed_download(given, "redirected to no address") from error
        raise failed_download(given, "redirected too often")


def split_link(url: str) -> SplitResult:
    """Split an address that a person or a server gave. Raises `RefusedError` when it cannot be read as one."""
    try:
        yarl.URL(url)  # asks for it later, and refuses some that the other reads
        return urlsplit(url)
    except ValueError as error:
        raise RefusedError("link-bad", "link-bad-hint") from error


def failed_download(url: str, detail: str) -> DownloadError:
    """Return the error of a link that could not be downloaded.

    Args:
        url: What the person gave.
        detail: For the log.

    """
    return DownloadError("link-failed", "link-failed-hint", detail=detail, host=_shown_host(url))


async def _get(session: aiohttp.ClientSession, url: str) -> aiohttp.ClientResponse:
    try:
        return await session.get(yarl.URL(url), allow_redirects=False)
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, InnerAddressError):
            raise _refuse_host(_shown_host(url)) from error
        raise


def _shown_host(url: str) -> str:
    return (split_link(url).hostname or "")[:MAX_SHOWN_HOST_CHARS]


def _refuse_host(host: str) -> RefusedError:
    return RefusedError("link-host", "link-host-hint", host=host[:MAX_SHOWN_HOST_CHARS])


def _may_be_public(host: str) -> bool:
    """Tell whether a host is a name, which is resolved later, or a public address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return _is_public(host)


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = _inner_ipv4(found)
        if inner is None:
            return found in PUBLIC_IPV6 and found.is_global
        found = inner
    return found.is_global and not found.is_multicast


def _inner_ipv4(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address to which a network may translate this one: mapped, 6to4 or NAT64."""
    if address in NAT64:
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour
