"""The pages inside of the bot's process: where they listen, and how it is told when they cannot."""

import asyncio
import os
import socket
import sys
from pathlib import Path

import aiohttp
import pytest

from bot.web.app import Site
from bot.web.server import PortError, serve
from bot.web.signed_links import SecretError, TokenSigner, read_secret
from bot.web.sources.folder import FolderSource
from tests.bot.web.test_site import write_result

START_LIMIT = 60


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
