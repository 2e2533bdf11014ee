"""A whole system under faults: broker, workers, bot, store and Discord, of which each process is started again."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import psutil

from deploy.local.embedded_broker import EmbeddedBroker
from tests.wire.processes import Program, run_program
from tests.wire.server import FakeDiscord
from tests.wire.world import Knobs
from tests.worker.store.bucket import Bucket
from worker.queue import Queue
from worker.store import Store

RESTART_DELAY_S = 0.5
"""After which a process is started again, as a service manager does."""
DISK_BYTES = 512 * 1024 * 1024
"""Of the disk that is filled."""


class Keeper:
    """A program that is started again whenever it ends."""

    def __init__(self, name: str, command: Sequence[str | Path], environment: dict[str, str], folder: Path) -> None:
        self.name = name
        self._command = command
        self._environment = environment
        self._folder = folder
        self._starts = 0
        self.program: Program | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Keeper"]:
        """Keep it running during the block."""
        keeping = asyncio.create_task(self._keep())
        try:
            yield self
        finally:
            keeping.cancel()
            await asyncio.wait({keeping})

    async def _keep(self) -> None:
        while True:
            self._starts += 1
            name = f"{self.name}-{self._starts}"
            async with run_program(name, self._command, self._environment, self._folder) as program:
                self.program = program
                await program.process.wait()
            await asyncio.sleep(RESTART_DELAY_S)

    def signal(self, number: int) -> None:
        """Signal the process and all that it started."""
        if self.program is not None:
            self.program.signal_group(number)

    def engine(self) -> psutil.Process | None:
        """Find the engine process of a worker."""
        if self.program is None or not self.program.running:
            return None
        try:
            children = psutil.Process(self.program.process.pid).children(recursive=True)
            return next((child for child in children if "worker.engine.child" in child.cmdline()), None)
        except psutil.Error:
            return None


class ChaosSystem:
    """The running system; every process is ended at the end."""

    def __init__(self, folder: Path, fake: FakeDiscord, bucket: Bucket | None) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.temporary = folder / "tmp"
        self.fake = fake
        self.bucket = bucket
        self.disk = False
        """Whether the home lies on a small disk of its own."""
        self.broker_url = ""
        self.workers: dict[str, Keeper] = {}
        self.bot: Keeper
        self.second_bot: Keeper
        self.queue: Queue
        self.store: Store

    @classmethod
    @asynccontextmanager
    async def start(cls, folder: Path, *, s3: bool) -> AsyncIterator["ChaosSystem"]:
        """Start everything but the second bot."""
        async with AsyncExitStack() as stack:
            fake = await stack.enter_async_context(FakeDiscord.start(Knobs(edits_per_window=50)))
            bucket = await stack.enter_async_context(Bucket.start()) if s3 else None
            system = cls(folder, fake, bucket)
            for place in (system.home, system.temporary):
                place.mkdir(parents=True)
            system.disk = stack.enter_context(_small_disk(system.home))
            system.broker_url = await stack.enter_async_context(EmbeddedBroker(system.home))
            environment = system._environment()
            os.environ |= bucket.environment if bucket else {}
            system.store = Store.open(environment["STEMCORD_STORE_URL"])
            system.queue = await stack.enter_async_context(Queue.connect(system.broker_url))
            for name in ("media", "media-second", "asr"):
                command = [sys.executable, "-m", "tests.chaos.worker", name.partition("-")[0]]
                system.workers[name] = Keeper(f"worker-{name}", command, environment, folder)
            bot_environment = environment | fake.environment
            system.bot, system.second_bot = (
                Keeper(name, [sys.executable, "-m", "bot"], bot_environment, folder) for name in ("bot", "bot-second")
            )
            for keeper in (*system.workers.values(), system.bot):
                await stack.enter_async_context(keeper.running())
            await system._wait_until_ready()
            yield system

    def _environment(self) -> dict[str, str]:
        environment = {
            "STEMCORD_HOME": str(self.home),
            "STEMCORD_REDIS_URL": self.broker_url,
            "STEMCORD_STORE_URL": "s3://clips/team" if self.bucket else (self.home / "store").as_uri(),
            "STEMCORD_LOOK_AHEAD": "false",
            "STEMCORD_DRAIN": "2",
            "STEMCORD_JOBS_AT_ONCE": "0",
            "STEMCORD_MINUTES_PER_DAY_PERSON": "0",
            "STEMCORD_MINUTES_PER_DAY_GUILD": "0",
            "TMPDIR": str(self.temporary),
        }
        return environment | (self.bucket.environment if self.bucket else {})

    async def _wait_until_ready(self) -> None:
        async with asyncio.timeout(180):
            while not (self.fake.gateway.connected and any(self.fake.world.all_commands())):
                await asyncio.sleep(0.2)
            while not {"media", "asr"} <= {worker.kind for worker in await self.queue.workers()}:
                await asyncio.sleep(0.2)

    @property
    def broker_process(self) -> psutil.Process | None:
        """The process of the broker."""
        try:
            return psutil.Process(int((self.home / "broker" / "pid").read_text()))
        except (OSError, ValueError, psutil.Error):
            return None

    def report(self, characters: int = 2000) -> str:
        """What the newest process of each kind wrote last."""
        programs = [keeper.program for keeper in (*self.workers.values(), self.bot) if keeper.program]
        return "\n".join(f"-- {program.name}\n{program.output[-characters:]}" for program in programs)


@contextmanager
def _small_disk(place: Path) -> Iterator[bool]:
    """Mount a small disk in memory, where the system lets us; otherwise nothing is filled."""
    options = ["-t", "tmpfs", "-o", f"size={DISK_BYTES}"]
    done = subprocess.run(["mount", *options, "stemcord-chaos", str(place)], capture_output=True, timeout=10)
    mounted = done.returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(place)], capture_output=True, timeout=10, check=True)


def send(process: psutil.Process | None, number: int) -> None:
    """Signal a process that may be gone."""
    if process is not None:
        try:
            process.send_signal(number)
        except psutil.Error:
            return


def pause(process: psutil.Process | None) -> None:
    """Stop a process where it is."""
    send(process, signal.SIGSTOP)


def resume(process: psutil.Process | None) -> None:
    """Let a stopped process go on."""
    send(process, signal.SIGCONT)
