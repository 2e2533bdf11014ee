"""The whole system as separate processes: Valkey, a media worker, an asr worker, the bot, and the fake Discord."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from deploy.local.embedded_broker import EmbeddedBroker
from tests.wire.processes import ROOT, Program, ready_or_dead, run_program
from tests.wire.server import FakeDiscord
from worker.queue import Queue

ASR_PYTHON = ROOT / ".venv-asr" / "bin" / "python"
COMMANDS = ("separate", "transcribe", "remix", "Separate this", "Transcribe this", "Remix this")
WORKERS_LIMIT = 120.0
"""Seconds until both workers must have said that they live."""


class Stack:
    """The running system."""

    def __init__(self, fake: FakeDiscord, folder: Path, environment: dict[str, str], stack: AsyncExitStack) -> None:
        self.fake = fake
        self.folder = folder
        self._environment = environment
        self.broker_url = environment["STEMCORD_REDIS_URL"]
        self._stack = stack
        self._starts = 0
        self._bot_settings: dict[str, str] = {}
        self.bot: Program | None = None
        self.workers: dict[str, Program] = {}

    @classmethod
    @asynccontextmanager
    async def start(
        cls,
        folder: Path,
        *,
        page_port: int | None = None,
        settings: Mapping[str, str] | None = None,
        bot_settings: Mapping[str, str] | None = None,
    ) -> AsyncIterator["Stack"]:
        """Everything up and answering, pages too where they have a port; every process is ended at the end."""
        async with AsyncExitStack() as exits:
            home = folder / "home"
            home.mkdir()
            url = await exits.enter_async_context(EmbeddedBroker(home))
            environment = {
                "STEMCORD_HOME": str(home),
                "STEMCORD_REDIS_URL": url,
                "STEMCORD_LOOK_AHEAD": "false",
                **(settings or {}),
            }
            if page_port is not None:
                environment |= {
                    "STEMCORD_PUBLIC_URL": f"http://127.0.0.1:{page_port}",
                    "STEMCORD_WEB_PORT": str(page_port),
                }
            fake = await exits.enter_async_context(FakeDiscord.start())
            stack = cls(fake, folder, environment, exits)
            stack._bot_settings = dict(bot_settings or {})
            for kind, python in (("media", sys.executable), ("asr", ASR_PYTHON)):
                program = run_program(f"worker-{kind}", [python, "-m", "worker", kind], environment, folder)
                stack.workers[kind] = await exits.enter_async_context(program)
            await stack.start_bot()
            await stack._wait_for_workers(url)
            yield stack

    async def start_bot(self) -> Program:
        """Starts a bot process and waits until it listens with its commands registered."""
        self._starts += 1
        command = [sys.executable, "-m", "bot"]
        environment = self._environment | self.fake.environment | self._bot_settings
        program = run_program(f"bot-{self._starts}", command, environment, self.folder)
        self.bot = await self._stack.enter_async_context(program)
        await ready_or_dead(self.fake, self.bot, commands=COMMANDS)
        return self.bot

    async def stop_bot(self) -> int:
        """Asks the bot to end, as a service manager does; its exit code."""
        assert self.bot is not None
        self.bot.process.send_signal(signal.SIGTERM)
        code = await self.bot.wait(30)
        await self.fake.wait(lambda: not self.fake.gateway.connected, 10, "the gateway to notice")
        return code

    @property
    def store_url(self) -> str:
        """Of the store that bot and workers share."""
        return f"file://{self.folder / 'home' / 'store'}"

    async def kill_bot(self) -> None:
        """Ends the bot as a crash would."""
        assert self.bot is not None
        self.bot.signal_group(signal.SIGKILL)
        await self.bot.process.wait()
        await self.fake.wait(lambda: not self.fake.gateway.connected, 10, "the gateway to notice")

    async def _wait_for_workers(self, url: str) -> None:
        end = time.monotonic() + WORKERS_LIMIT
        async with Queue.connect(url) as queue:
            alive: set[str] = set()
            while not {"media", "asr"} <= alive:
                alive = {worker.kind for worker in await queue.workers()}
                ended = [program for program in self.workers.values() if not program.running]
                if ended or time.monotonic() > end:
                    raise AssertionError(f"workers alive: {alive}\n{self.report()}")
                await asyncio.sleep(0.2)

    @property
    def programs(self) -> list[Program]:
        """The workers and the bot."""
        return [*self.workers.values(), *([self.bot] if self.bot else [])]

    def report(self) -> str:
        """What every process wrote last."""
        return "\n".join(f"-- {program.name}\n{program.output[-3000:]}" for program in self.programs)
