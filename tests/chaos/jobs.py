"""The jobs that run while faults happen, and what became of each."""

import asyncio
import contextlib
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from pipeline.errors import QueueError, StoreError
from pipeline.types import Request, Task
from tests.chaos.stages import clip_content, expected_digest
from tests.chaos.system import ChaosSystem
from tests.wire.answers import FAILED
from tests.wire.objects import Interaction, Message
from worker.protocol import Failed, Finished, Job, Stopped
from worker.queue.keys import MEDIA

IN_FLIGHT = 4
LONGEST_STAGE_S = 0.6
SKEW_S = 60.0
"""By which the clock of a submitter is ahead or behind at most."""
BOT_SHARE, CANCELLED_SHARE = 0.3, 0.1
POLL_INTERVAL_S = 0.2
GIVEN_UP = ("restarted", "cannot reach", "not look this up in time", *FAILED)
"""Words of the sentences that say why there is no result."""

T = TypeVar("T")
End = Literal["finished", "stopped", "failed", "told", "unacknowledged"]


@dataclass
class Run:
    """One job, sent by a command or through Discord."""

    content: bytes
    job_id: str = ""
    interaction: Interaction | None = None
    length: int = 0
    """Events so far."""
    seen: float = field(default_factory=time.monotonic)
    """When something was last heard of it."""
    end: End | None = None
    why: str = ""
    digest: str = ""
    terminal_events: int = 1
    cancel_asked: float | None = None
    """When somebody wished to cancel it, while nothing was broken."""
    faults_before_cancel: int = 0
    """How many faults had begun when somebody wished to cancel it."""
    cancel_s: float | None = None
    """Seconds from that wish to the end; None where a fault began in between."""

    @property
    def is_right(self) -> bool:
        """Whether the result is what follows from the clip."""
        return self.end != "finished" or self.digest == expected_digest(self.content)


class Load:
    """Keeps some jobs under way."""

    def __init__(self, system: ChaosSystem, rng: random.Random) -> None:
        self._system = system
        self._rng = rng
        self._open: set[asyncio.Task[None]] = set()
        self.runs: list[Run] = []
        self.calm = asyncio.Event()
        """Set while nothing is broken."""
        self.faults_begun = 0

    def disturb(self) -> None:
        """Note that a fault begins."""
        self.calm.clear()
        self.faults_begun += 1

    async def keep_going(self) -> None:
        """Send jobs until cancelled."""
        while True:
            while len(self._open) < IN_FLIGHT:
                task = asyncio.create_task(self._run_one())
                self._open.add(task)
                task.add_done_callback(self._open.discard)
            await asyncio.sleep(self._rng.uniform(0.1, 0.5))

    async def finish(self, limit: float) -> None:
        """Wait until all jobs have ended; those that have not after the limit stay without an end."""
        if self._open:
            await asyncio.wait(self._open, timeout=limit)
        for task in list(self._open):
            task.cancel()

    @property
    def under_way(self) -> list[Run]:
        """Jobs that the queue knows and that have not ended."""
        return [run for run in self.runs if run.end is None and run.job_id]

    async def _run_one(self) -> None:
        rng = self._rng
        plan = {"seconds": round(rng.uniform(0.05, LONGEST_STAGE_S), 2), "salt": rng.getrandbits(60)}
        run = Run(content=clip_content(plan))
        self.runs.append(run)
        if rng.random() < BOT_SHARE:
            await self._through_discord(run)
        else:
            await self._directly(run, cancelled=rng.random() < CANCELLED_SHARE)

    async def _directly(self, run: Run, *, cancelled: bool) -> None:
        path = self._system.folder / f"{uuid.uuid4().hex}.json"
        path.write_bytes(run.content)
        source = await _until_taken(lambda: self._system.store.put(path, name="clip.json"))
        path.unlink()
        skew = self._rng.uniform(-SKEW_S, SKEW_S)
        job = Job(id=uuid.uuid4().hex, request=Request(task=Task.ALL), source=source, submitted=time.time() + skew)
        await _until_taken(lambda: self._system.queue.submit(job))
        run.job_id = job.id
        canceller = asyncio.create_task(self._cancel(run)) if cancelled else None
        await self._follow(run)
        if canceller is not None:
            canceller.cancel()

    async def _cancel(self, run: Run) -> None:
        await asyncio.sleep(self._rng.uniform(0.0, 1.5))
        await self.calm.wait()
        asked, begun = time.monotonic(), self.faults_begun
        with contextlib.suppress(QueueError):
            if await self._system.queue.cancel(run.job_id):
                run.cancel_asked, run.faults_before_cancel = asked, begun

    async def _follow(self, run: Run) -> None:
        """Look at a job until it has ended, then at how it ended."""
        queue = self._system.queue
        while run.end is None:
            await asyncio.sleep(POLL_INTERVAL_S)
            with contextlib.suppress(QueueError):
                length = int(
                    await queue.connection.run("return redis.call('XLEN', KEYS[1])", [MEDIA.events(run.job_id)], [])
                )
                if length != run.length:
                    run.length, run.seen = length, time.monotonic()
                state = await queue.state(run.job_id)
                if state is not None and state.status not in ("queued", "running"):
                    await self._read_end(run)

    async def _read_end(self, run: Run) -> None:
        ends = [
            event
            async for event in self._system.queue.events(run.job_id)
            if isinstance(event, Finished | Failed | Stopped)
        ]
        run.terminal_events = len(ends)
        match ends[-1] if ends else None:
            case Finished(result=result):
                run.digest = result.artefacts[0].digest if result.artefacts else ""
                run.end = "finished"
            case Stopped():
                run.end = "stopped"
                if run.cancel_asked is not None and run.faults_before_cancel == self.faults_begun:
                    run.cancel_s = time.monotonic() - run.cancel_asked
            case Failed(failure=failure):
                run.why, run.end = f"{failure.type}: {failure.message} {failure.detail[-300:]}", "failed"
            case _:
                return
        run.seen = time.monotonic()

    async def _through_discord(self, run: Run) -> None:
        fake = self._system.fake
        path = self._system.folder / f"{uuid.uuid4().hex}.mp4"
        path.write_bytes(run.content)
        person = await fake.add_person(f"guest{uuid.uuid4().hex[:8]}")
        try:
            run.interaction = await fake.slash("separate", clip=path, by=person)
        except (AssertionError, LookupError):
            # Discord says that the application did not respond; the person tries again.
            run.end = "unacknowledged"
            return
        finally:
            path.unlink()
        while run.end is None:
            await asyncio.sleep(POLL_INTERVAL_S)
            with contextlib.suppress(QueueError):
                await self._look_at_answer(run, run.interaction)

    async def _look_at_answer(self, run: Run, interaction: Interaction) -> None:
        """See whether the person has files, or a sentence that says why there are none."""
        queue = self._system.queue
        if not run.job_id:
            run.job_id = next(
                (
                    state.job.id
                    for state in await queue.jobs()
                    if state.job.reply_to is not None and state.job.reply_to.interaction_token == interaction.token
                ),
                "",
            )
        answers = self.answers(run)
        if any(message.files for message in answers) and run.job_id:
            ends = [event async for event in queue.events(run.job_id) if isinstance(event, Finished | Failed | Stopped)]
            run.terminal_events = len(ends)
            run.digest = next((event.result.artefacts[0].digest for event in ends if isinstance(event, Finished)), "")
            run.end, run.seen = "finished", time.monotonic()
        elif said := [m.text for m in answers if any(word in m.text for word in GIVEN_UP)]:
            run.end, run.why, run.seen = "told", " ".join(said[0].splitlines()[1:])[:80], time.monotonic()

    def answers(self, run: Run) -> list[Message]:
        """List the bot's messages for a job that came through Discord, wherever they are."""
        world, interaction = self._system.fake.world, run.interaction
        assert interaction is not None
        direct = world.private_channel(interaction.user["id"])["id"]
        nonce = run.job_id[:25]
        return [
            message
            for message in world.in_order
            if message.author is world.bot
            and (
                message.interaction is interaction or message.channel_id == direct or (nonce and message.nonce == nonce)
            )
        ]

    def posts(self, run: Run) -> int:
        """Count the messages that give the person the result."""
        return sum(bool(message.files) for message in self.answers(run))


async def _until_taken(send: Callable[[], Awaitable[T]]) -> T:
    """Do something until nothing is broken that it needs, as a person would who tries again."""
    while True:
        try:
            return await send()
        except (QueueError, StoreError, OSError):
            await asyncio.sleep(0.3)
