"""`stemcord up`: run the broker, both workers and, with a token, the bot on this machine."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import repeat
from typing import Annotated, Final

import typer
from rich.console import Console

from deploy.cli.errors import exit_on_failure
from deploy.local.embedded_broker import EmbeddedBroker
from deploy.local.supervisor import running_workers
from worker.protocol import WorkerKind
from worker.settings import WorkerSettings

MAX_WORKERS: Final = 64
"""Of one kind on one machine."""
BOT_STOP_TIMEOUT_S = 15.0
"""Seconds that the bot may take to say goodbye."""


def up(
    workers: Annotated[
        int,
        typer.Option("--workers", min=1, max=MAX_WORKERS, help="Media workers, which compute beside each other."),
    ] = 1,
    asr_workers: Annotated[
        int, typer.Option("--asr-workers", min=1, max=MAX_WORKERS, help="Workers that transcribe.")
    ] = 1,
) -> None:
    """Start everything on one machine and stay until Ctrl-C."""
    further: list[WorkerKind] = [*repeat("media", workers - 1), *repeat("asr", asr_workers - 1)]
    with exit_on_failure():
        code = asyncio.run(_up(WorkerSettings(), Console(), further))
    raise typer.Exit(code)


async def _up(settings: WorkerSettings, console: Console, further: Sequence[WorkerKind]) -> int:
    asked_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked_to_stop.set)
    async with AsyncExitStack() as stack:
        url = settings.redis_url or await stack.enter_async_context(EmbeddedBroker(settings.home))
        console.print(f"broker   {url}", highlight=False)
        await stack.enter_async_context(running_workers(settings, url, further=further))
        console.print(f"workers  {', '.join(('media', 'asr', *further))}")
        if not os.environ.get("DISCORD_TOKEN"):
            console.print("bot      not started: set DISCORD_TOKEN to bring it to Discord")
            await asked_to_stop.wait()
            return 0
        return await _run_bot(url, asked_to_stop, console)


async def _run_bot(url: str, asked_to_stop: asyncio.Event, console: Console) -> int:
    """Run the bot and return its exit code, or 0 when it was asked to stop."""
    bot = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", env=os.environ | {"STEMCORD_REDIS_URL": url}, start_new_session=True
    )
    console.print("bot      started; stop everything with Ctrl-C")
    ended = asyncio.create_task(bot.wait())
    stopping = asyncio.create_task(asked_to_stop.wait())
    try:
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            console.print("[red]The bot ended on its own; its last lines above say why.[/red]")
            return ended.result() or 1
        bot.terminate()
        await asyncio.wait({ended}, timeout=BOT_STOP_TIMEOUT_S)
        return 0
    finally:
        if bot.returncode is None:
            bot.kill()
            await bot.wait()
        stopping.cancel()
