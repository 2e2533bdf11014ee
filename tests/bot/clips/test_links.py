"""Links are closed when they were read, and those that lead nowhere or inside get a word."""

import gc
import warnings
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import aiohttp
import pytest
from aiohttp import web

from bot.clips.attachments import AttachmentDownloader, clip_from_link
from bot.clips.links import LinkSource
from bot.exceptions import DownloadError, RefusedError
from worker.store import Store

CLIP = b"0" * 1_000_000
REDIRECTS = {
    "/bracket.mp4": "http://[",
    "/sign.mp4": "https://ex\u2100mple.com/a.mp4",
    "/round.mp4": "/round.mp4",
}


async def answer(request: web.Request) -> web.StreamResponse:
    if request.path in REDIRECTS:
        return web.Response(status=302, headers={"Location": REDIRECTS[request.path]})
    return web.Response(body=CLIP) if request.path == "/film.mp4" else web.Response(status=500)


@pytest.fixture
async def origin() -> AsyncIterator[str]:
    async with AsyncExitStack() as exits:
        app = web.Application()
        app.router.add_get("/{path:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        exits.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"


@pytest.fixture
def downloader(session: aiohttp.ClientSession, store: Store, origin: str) -> AttachmentDownloader:
    return AttachmentDownloader(session, store, hosts=(), max_size=len(CLIP), link_hosts=[origin])


async def test_a_link_leaves_nothing_open(downloader: AttachmentDownloader, origin: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert (await downloader.download(clip_from_link(f"{origin}/film.mp4"))).size == len(CLIP)
        gc.collect()
    assert [str(warning.message) for warning in caught] == []


async def test_a_response_is_closed_though_it_was_not_read(origin: str) -> None:
    async with LinkSource([origin]).open(f"{origin}/film.mp4") as response:
        assert not response.closed
    assert response.closed


@pytest.mark.parametrize("path", [*REDIRECTS, "/error.mp4"])
async def test_a_link_that_fails_names_its_host(downloader: AttachmentDownloader, origin: str, path: str) -> None:
    with pytest.raises(DownloadError) as caught:
        await downloader.download(clip_from_link(origin + path))
    assert "127.0.0.1" in caught.value.message
    assert "Discord" not in caught.value.message


@pytest.mark.parametrize(
    "link",
    [
        "https://[",
        "https://ex\u2100mple.com/a.mp4",
        "https://[::1/a.mp4",
        "https://@example.org/a.mp4",
        "https://ann:secret@example.org/a.mp4",
        "https://",
        "ftp://example.org/a.mp4",
        f"https://example.org/{'a' * 2000}.mp4",
    ],
)
def test_what_is_no_link(link: str) -> None:
    with pytest.raises(RefusedError) as caught:
        clip_from_link(link)
    assert caught.value.key == "link-bad"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::10.0.0.1",
        "64:ff9b:1::8.8.8.8",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "2001:0:7f00:1::",
        "fe80::1%1",
        "fec0::1",
        "fc00::1",
        "5f00::1",
        "ff0e::1",
    ],
)
def test_inner_addresses_are_not_connected_to(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(RefusedError, match="takes no clips from"):
        LinkSource([host]).check(f"https://{host}/a.mp4")


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::"]
)
def test_public_addresses_may_be_connected_to(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    LinkSource([host]).check(f"https://{host}/a.mp4")
