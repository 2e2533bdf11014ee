"""The bot as a process with its queue, its store and the fake Discord; the test plays the worker, through its lease."""

import asyncio
import json
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from deploy.local.embedded_broker import EmbeddedBroker
from pipeline.types import Result, Transcript
from tests.bot.world import make_result
from tests.wire.objects import Interaction
from tests.wire.processes import Program, ready_or_dead, run_program
from tests.wire.server import FakeDiscord
from tests.wire.world import Knobs
from worker.protocol import Finished, Job, Progressed, Started
from worker.queue import Queue
from worker.queue.keys import MEDIA
from worker.queue.lease import Lease
from worker.store import Store

FILES: Mapping[str, bytes] = {"report.png": b"p" * 50, "stems/vocals.flac": b"v" * 900, "stems/background.flac": b"b"}
COMMANDS = ("separate", "transcribe", "remix", "process")


class LightStack:
    """The running bot."""

    def __init__(self, fake: FakeDiscord, folder: Path, environment: dict[str, str], exits: AsyncExitStack) -> None:
        self.fake = fake
        self.folder = folder
        self.environment = environment
        self.broker_url = environment["STEMCORD_REDIS_URL"]
        self.store = Store.open(f"file://{folder / 'home' / 'store'}")
        self._exits = exits
        self._starts = 0
        self.bot: Program | None = None
        self.queue: Queue

    @classmethod
    @asynccontextmanager
    async def start(
        cls, folder: Path, *, knobs: Knobs | None = None, settings: Mapping[str, str] | None = None
    ) -> AsyncIterator["LightStack"]:
        """The bot up and answering, with settings beside the usual ones; everything is ended at the end."""
        async with AsyncExitStack() as exits:
            home = folder / "home"
            home.mkdir()
            url = await exits.enter_async_context(EmbeddedBroker(home))
            environment = {"STEMCORD_HOME": str(home), "STEMCORD_REDIS_URL": url} | dict(settings or {})
            fake = await exits.enter_async_context(FakeDiscord.start(knobs))
            stack = cls(fake, folder, environment, exits)
            stack.queue = await exits.enter_async_context(Queue.connect(url))
            await stack.start_bot()
            yield stack

    async def start_bot(self, **settings: str) -> Program:
        """Starts a bot process and waits until it listens with its commands registered."""
        self.bot = await self.start_beside(**settings)
        await ready_or_dead(self.fake, self.bot, commands=COMMANDS)
        return self.bot

    async def start_beside(self, **settings: str) -> Program:
        """Starts a bot process beside what there is, and waits for nothing."""
        self._starts += 1
        command = [sys.executable, "-m", "bot"]
        environment = self.environment | self.fake.environment | settings
        program = run_program(f"bot-{self._starts}", command, environment, self.folder)
        return await self._exits.enter_async_context(program)

    async def kill_bot(self) -> None:
        """Ends the bot as a crash would."""
        assert self.bot is not None
        self.bot.signal_group(signal.SIGKILL)
        await self.bot.process.wait()
        await self.fake.wait(lambda: not self.fake.gateway.connected, 10, "the gateway to notice")

    def report(self) -> str:
        """What was said last, and what the bot wrote."""
        return f"{self.fake.summary()}\n{self.bot.output[-3000:] if self.bot else ''}"

    async def job(self, *, of: Interaction | str, limit: float = 20.0) -> Job:
        """The open job of an interaction, or of a person by id, once the queue has it."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            for state in await self.queue.jobs():
                reply = state.job.reply_to
                if reply is None or state.status not in ("queued", "running"):
                    continue
                if (reply.user_id if isinstance(of, str) else reply.interaction_token) == (
                    of if isinstance(of, str) else of.token
                ):
                    return state.job
            await asyncio.sleep(0.05)
        raise AssertionError(f"no job came of it\n{self.report()}")

    async def take(self, job: Job) -> Lease:
        """A worker begins with a job."""
        lease = await Lease.acquire(self.queue, MEDIA, job.id, "played")
        assert lease.outcome == "acquired"
        await lease.emit(Started(attempt=lease.attempt, worker="played"))
        return lease

    async def report_progress(self, lease: Lease, stage: str, fraction: float) -> None:
        """The worker says how far it is."""
        from pipeline.types import Progress

        await lease.emit(Progressed(progress=Progress(stage=stage, fraction=fraction)))

    async def finish(self, lease: Lease, job: Job, files: Mapping[str, bytes] = FILES, **changes: Any) -> Result:
        """The worker ends a job with these files, and other fields of the usual result."""
        artefacts = tuple([await self._keep(name, data) for name, data in files.items()])
        result = replace(make_result(job.request), artefacts=artefacts, **changes)
        await lease.end("finished", Finished(result=result))
        return result

    async def _keep(self, name: str, data: bytes) -> Any:
        path = self.folder / name.replace("/", "-")
        path.write_bytes(data)
        return await self.store.put(path, name=name)

    async def confirmed(self, limit: float = 20.0) -> None:
        """Waits until no job is left whose person has no answer."""
        end = time.monotonic() + limit
        while left := await self.queue.undelivered():
            assert time.monotonic() < end, f"unconfirmed: {[job.id for job in left]}\n{self.report()}"
            await asyncio.sleep(0.05)

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The bot's log lines about an event."""
        assert self.bot is not None
        lines = [json.loads(line) for line in self.bot.output.splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]


def transcript_bytes(transcript: Transcript) -> bytes:
    """The file of a transcript."""
    import msgspec

    return msgspec.json.encode(transcript)


def pages_of() -> dict[str, str]:
    """Settings with which the bot serves pages on a port that was free."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return {"STEMCORD_PUBLIC_URL": f"http://127.0.0.1:{port}", "STEMCORD_WEB_PORT": str(port)}
