"""`stemcord page` and `stemcord run --page`: show a result folder in a browser on this machine."""

import asyncio
import os
import secrets
import signal
import socket
import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer
from aiohttp import web
from rich.console import Console

from bot.web.app import Site
from bot.web.signed_links import PageToken, TokenSigner
from bot.web.sources.folder import FolderSource
from deploy.cli.errors import exit_on_failure
from pipeline.errors import AudioProcessingError

NEVER_EXPIRES = 1 << 40
"""Unix time far away: the address holds as long as the command runs."""


def page(
    folder: Annotated[Path, typer.Argument(help="A folder that `stemcord run --out` wrote.")],
    port: Annotated[int, typer.Option(help="Port on this machine; 0: any that is free.")] = 0,
) -> None:
    """Show a result in the browser: player, stems, transcript, files. Ends with Ctrl-C."""
    with exit_on_failure():
        show_folder(folder, Console(), port=port)


def show_folder(folder: Path, console: Console, *, port: int = 0) -> None:
    """Serve a folder to this machine alone until SIGINT or SIGTERM.

    Raises:
        AudioProcessingError: The folder holds no result, or the port cannot be used.
    """
    asyncio.run(_serve(folder, console, port))


async def _serve(folder: Path, console: Console, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    source = FolderSource(folder)
    # Another program on this machine would have to guess the address.
    signer = TokenSigner(secrets.token_bytes(32))
    line = _listen(port)
    site = Site(source, signer, public_url=f"http://127.0.0.1:{line.getsockname()[1]}", shared=False)
    runner = web.AppRunner(site.application(), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.SockSite(runner, line).start()
        address = site.page_url(PageToken(link_id="local", expires=NEVER_EXPIRES, edit=True))
        console.print(f"[bold]Page[/bold]      {address} (until Ctrl-C)", highlight=False, soft_wrap=True)
        if _has_screen(console):
            await asyncio.to_thread(webbrowser.open, address)
        await stop.wait()
    finally:
        await runner.cleanup()


def _has_screen(console: Console) -> bool:
    """Return whether there is a desktop; elsewhere a text browser could take over the terminal."""
    desktop = sys.platform in ("darwin", "win32") or any(os.environ.get(n) for n in ("DISPLAY", "WAYLAND_DISPLAY"))
    return console.is_terminal and desktop and "SSH_CONNECTION" not in os.environ


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        raise AudioProcessingError(
            f"Port {port} cannot be used.", hint="Choose another with --port.", detail=repr(error)
        ) from error
