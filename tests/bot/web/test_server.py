"""The pages inside of the bot's process: where they listen, and how it is told when they cannot."""

import asyncio
import io
import os
import socket
import sys
import time
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from bot.web import app, files
from bot.web.app import Site
from bot.web.server import PortError, serve
from bot.web.signed_links import PageToken, SecretError, TokenSigner, read_secret
from bot.web.sources.folder import FolderSource
from tests.bot.web.test_site import STEMS, write_result

START_LIMIT = 60
NEVER = 1 << 40
"""Unix time far away."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as line:
        return line.getsockname()[1]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    write_result(tmp_path / "result")
    return Site(FolderSource(tmp_path / "result"), TokenSigner(b"a secret of this test"), public_url="http://127.0.0.1")


async def test_it_serves_until_the_block_ends(site: Site) -> None:
    port = free_port()
    async with aiohttp.ClientSession() as session:
        async with serve(site, "127.0.0.1", port):
            assert (await session.get(f"http://127.0.0.1:{port}/r/forged/")).status == 403
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(f"http://127.0.0.1:{port}/r/forged/")


@pytest.mark.parametrize("host", ["127.0.0.1", "203.0.113.1"])
async def test_an_address_that_cannot_be_used_is_told(site: Site, host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as line:
        port = line.getsockname()[1]
        with pytest.raises(PortError, match=f"port {port} of {host}"):
            async with serve(site, host, port):
                pass


async def test_a_bot_whose_port_is_taken_ends_with_one_line(broker_url: str, tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STEMCORD_", "DISCORD_"))}
    with socket.create_server(("127.0.0.1", 0)) as line:
        port = line.getsockname()[1]
        settings = {
            "DISCORD_TOKEN": "x",
            "STEMCORD_REDIS_URL": broker_url,
            "STEMCORD_HOME": str(tmp_path),
            "STEMCORD_PUBLIC_URL": "https://stems.example",
            "STEMCORD_WEB_PORT": str(port),
        }
        command = (sys.executable, "-m", "bot")
        process = await asyncio.create_subprocess_exec(*command, env=kept | settings, stderr=asyncio.subprocess.PIPE)
        _, said = await asyncio.wait_for(process.communicate(), START_LIMIT)
    assert process.returncode == 1
    assert [told for told in said.decode().splitlines() if not told.startswith("{")] == [
        f"stemcord bot: PortError: The pages cannot be served on port {port} of 127.0.0.1. "
        "Set STEMCORD_WEB_HOST and STEMCORD_WEB_PORT to a free address of this machine."
    ]


SERVER_WITH_FEW_DESCRIPTORS = """
import asyncio, resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
from bot.web.app import Site
from bot.web.server import serve
from bot.web.signed_links import TokenSigner
from bot.web.sources.folder import FolderSource

async def main():
    site = Site(FolderSource(Path(sys.argv[1])), TokenSigner(b"a secret of this test"), public_url="http://127.0.0.1")
    async with serve(site, "127.0.0.1", int(sys.argv[2])):
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


@asynccontextmanager
async def connected(port: int) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to the pages that reads as little ahead as it can, closed at the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


async def test_idle_connections_keep_nobody_out(site: Site, tmp_path: Path) -> None:
    port = free_port()
    command = (sys.executable, "-c", SERVER_WITH_FEW_DESCRIPTORS, str(tmp_path / "result"), str(port))
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    async with asyncio.timeout(START_LIMIT):
        while (line := await process.stdout.readline()) != b"ready\n":
            assert line, "it ended"
    address = site.page_url(PageToken(link_id="local", expires=NEVER, edit=True)).replace(
        "127.0.0.1", f"127.0.0.1:{port}"
    )
    async with AsyncExitStack() as idle, aiohttp.ClientSession() as session:
        for number in range(400):
            _, writer = await idle.enter_async_context(connected(port))
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n" if number % 2 else b"")
        for path in ("", f"files/{STEMS[0]}", "all.zip"):
            async with session.get(address + path, timeout=aiohttp.ClientTimeout(total=10)) as answer:
                assert answer.status == 200
                await answer.read()
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 20) == 0


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
async def test_a_connection_without_a_whole_request_is_closed(
    site: Site, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr("bot.web.server.IDLE_TIMEOUT_S", 1.0)
    port = free_port()
    async with serve(site, "127.0.0.1", port), connected(port) as (reader, writer):
        writer.write(sent)
        began = time.monotonic()
        for _ in range(20):
            # A header that never ends is no sign of life.
            writer.write(b"X-More: 1\r\n" if sent else b"")
            if reader.at_eof():
                break
            await asyncio.sleep(0.3)
        assert await asyncio.wait_for(reader.read(), 10) == b""
        assert time.monotonic() - began < 6


@asynccontextmanager
async def slow_reader(address: str, port: int) -> AsyncGenerator[asyncio.StreamReader]:
    """Ask for the zip and read no more than its first line."""
    async with connected(port) as (reader, writer):
        path = address.partition(str(port))[2]
        writer.write(f"GET {path}all.zip HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        yield reader


@pytest.fixture
async def large(tmp_path: Path) -> AsyncIterator[tuple[str, int]]:
    """The address of a page whose files fit into no buffer, and its port."""
    folder = tmp_path / "large"
    write_result(folder)
    for name in STEMS:
        (folder / name).write_bytes(os.urandom(1024) * 16 * 1024)
    port = free_port()
    site = Site(FolderSource(folder), TokenSigner(b"a secret of this test"), public_url=f"http://127.0.0.1:{port}")
    async with serve(site, "127.0.0.1", port):
        yield site.page_url(PageToken(link_id="local", expires=NEVER, edit=True)), port


async def test_slow_readers_of_zips_hold_up_nobody(large: tuple[str, int]) -> None:
    address, port = large
    async with AsyncExitStack() as slow, aiohttp.ClientSession() as session:
        for _ in range(3):
            await slow.enter_async_context(slow_reader(address, port))
        async with session.get(address + "all.zip", timeout=aiohttp.ClientTimeout(total=30)) as answer:
            packed = zipfile.ZipFile(io.BytesIO(await answer.read()))
    assert packed.testzip() is None
    assert {*STEMS} <= {*packed.namelist()}


async def test_a_reader_that_is_too_slow_is_cut_off(large: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "SLOW_GRACE_S", 0.5)
    monkeypatch.setattr(app, "MIN_ZIP_RATE", 1e9)
    async with slow_reader(*large) as reader:
        await asyncio.sleep(1.0)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(32 * 1024 * 1024), 20)


def test_a_secret_that_is_given_is_used(tmp_path: Path) -> None:
    assert read_secret(tmp_path / "home", "given by the settings") == b"given by the settings"
    assert not (tmp_path / "home").exists()


def test_a_secret_that_is_damaged_or_cannot_be_kept_is_told(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"")
    with pytest.raises(SecretError, match="damaged"):
        read_secret(tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SecretError, match="cannot be stored"):
        read_secret(tmp_path / "file" / "home")
