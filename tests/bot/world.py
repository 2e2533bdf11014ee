"""What the tests of the bot share: clips on a loopback host, a worker played by the test, results to post."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
import simcord
from aiohttp import web
from simcord.backend.cdn import CdnStore

from pipeline.errors import AudioProcessingError
from pipeline.types import (
    Artefact,
    AudioStream,
    Loudness,
    MediaInfo,
    Progress,
    Request,
    Result,
    Route,
    RouteName,
    Speaker,
    Task,
)
from worker.protocol import Event, Failed, Finished, Job, Progressed, Started, Stopped
from worker.queue import Queue
from worker.queue.keys import MEDIA
from worker.queue.lease import Lease
from worker.store import Store

INTERVAL = 10.0
"""Seconds between progress edits in these tests: more than simcord waits for timers by itself."""


class Outside:
    """Runs what waits for sockets apart from the bot's own work, so that simcord sees the bot at rest."""

    def __init__(self) -> None:
        self._orders: asyncio.Queue[tuple[Awaitable[Any], asyncio.Future[Any]]] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        while True:
            task = asyncio.create_task(self._perform(*await self._orders.get()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def wait(self, work: Awaitable[Any]) -> asyncio.Future[Any]:
        answer = asyncio.get_running_loop().create_future()
        self._orders.put_nowait((work, answer))
        return answer

    @staticmethod
    async def _perform(work: Awaitable[Any], answer: asyncio.Future[Any]) -> None:
        try:
            value = await work
        except AudioProcessingError as error:
            if not answer.done():
                answer.set_exception(error)
        else:
            if not answer.done():
                answer.set_result(value)


class PatientQueue(Queue):
    """The real queue; waiting for the next event is declared to simcord as a wait for the outside.

    Not so for a job that has ended: its events are there, and the bot answers a person with them.
    """

    outside: Outside
    env: simcord.Env
    loses_all = False
    """The broker forgets everything once a job is in."""

    async def submit(self, job: Job) -> None:
        await super().submit(job)
        if self.loses_all:
            await self.connection.run("redis.call('FLUSHALL')", [], [])

    async def events(self, job_id: str, *, after: str = "0") -> AsyncIterator[Event]:
        state = await self.state(job_id)
        ended = state is not None and state.status not in ("queued", "running")
        source = super().events(job_id, after=after)
        while True:
            following = self.outside.wait(anext(source, None))
            event = await (following if ended else self.env.external_wait(following, reason="the next event of a job"))
            if event is None:
                return
            yield event


class LoopbackCdn(CdnStore):
    """Attachments are served by a real web server on this machine."""

    def __init__(self, origin: str) -> None:
        super().__init__()
        self.origin = origin
        self.bytes: dict[str, bytes] = {}
        self.lie: bytes | int | None = None
        """What the host answers instead: other bytes, or a status."""

    def store_attachment(
        self, attachment_id: int, channel_id: int, filename: str, data: bytes, description: str | None
    ) -> dict[str, Any]:
        payload = super().store_attachment(attachment_id, channel_id, filename, data, description)
        path = f"/attachments/{channel_id}/{attachment_id}/{filename}"
        self.bytes[path] = data
        return payload | {"url": self.origin + path, "proxy_url": self.origin + path}


class Host:
    """The web server behind `LoopbackCdn`."""

    def __init__(self) -> None:
        self.cdn: LoopbackCdn | None = None
        self.asked: list[str] = []
        self.origin = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        body = None if self.cdn is None else self.cdn.lie or self.cdn.bytes.get(request.path)
        if isinstance(body, bytes):
            return web.Response(body=body)
        return web.Response(status=body or 404, headers={"Location": "/elsewhere"})

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncIterator["Host"]:
        app = web.Application()
        app.router.add_get("/{path:.*}", self.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self
        finally:
            await runner.cleanup()


class PlayedWorker:
    """The test in the part of a worker, through the worker's own lease."""

    def __init__(self, queue: Queue, store: Store, folder: Path) -> None:
        self.queue = queue
        self.store = store
        self.folder = folder

    async def job(self) -> Job:
        states = await self.queue.jobs()
        (state,) = [state for state in states if state.status in ("queued", "running")] or states
        return state.job

    async def take(self) -> Lease:
        job = await self.job()
        lease = await Lease.acquire(self.queue, MEDIA, job.id, "played")
        assert lease.outcome == "acquired"
        await lease.emit(Started(attempt=lease.attempt, worker="played"))
        return lease

    async def report(self, lease: Lease, stage: str, fraction: float, *, cost: float = 0.0) -> None:
        await lease.emit(Progressed(progress=Progress(stage=stage, fraction=fraction, cost=cost)))

    async def finish(self, lease: Lease, files: dict[str, bytes], **changes: Any) -> Result:
        job = await self.job()
        artefacts = tuple([await self.keep(name, data) for name, data in files.items()])
        result = replace(make_result(job.request), artefacts=artefacts, **changes)
        await lease.end("finished", Finished(result=result))
        return result

    async def fail(self, lease: Lease, error: Any) -> None:
        await lease.end("failed", Failed(failure=error.to_failure()))

    async def stop(self, lease: Lease) -> None:
        await lease.end("stopped", Stopped())

    async def wait_for_confirmation(self) -> None:
        """Until the bot has confirmed every answer."""
        async with asyncio.timeout(30):
            while await self.queue.undelivered():
                await asyncio.sleep(0.02)

    async def keep(self, name: str, data: bytes) -> Artefact:
        path = self.folder / name.replace("/", "-")
        path.write_bytes(data)
        return await self.store.put(path, name=name)


def make_result(request: Request | None = None) -> Result:
    return Result(
        request=request or Request(task=Task.SEPARATE),
        media=MediaInfo(
            container="mp4",
            duration=61.4,
            audio=AudioStream(codec="aac", sample_rate=48000, channels=2, layout="stereo", start=0.0),
        ),
        route=Route(
            name=RouteName.DIALOGUE,
            engine="deepfilternet",
            model="deepfilternet3",
            reason="Speech is heard in 92 % of the clip.",
            asked=False,
        ),
        artefacts=(),
        speakers=(Speaker(id="A", name="Speaker 1"), Speaker(id="B", name="Speaker 2")),
        language="en",
        loudness={"original": Loudness(integrated=-20.0, peak=-1.0), "final": Loudness(integrated=-16.2, peak=-1.0)},
    )


def card_text(message: Any) -> str:
    """Every word of a message, as people read it."""
    parts = [message.content or ""]
    for embed in message.embeds:
        parts += [embed.title or "", embed.description or ""]
        parts += [f"{field.name}: {field.value}" for field in embed.fields]
    # Without the marks of bold labels, so that an embed and a card read alike.
    parts += [
        str(component["content"]).replace(":** ", ": ").removeprefix("**")
        for component in walk(message.components)
        if component.get("content")
    ]
    return "\n".join(part for part in parts if part)


def walk(components: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Components of a message and those inside of them, as JSON objects."""
    for component in components:
        shown = component if isinstance(component, dict) else component.to_dict()
        yield shown
        yield from walk(shown.get("components") or ())
        if shown.get("accessory"):
            yield shown["accessory"]


async def until(env: simcord.Env, condition: Callable[[], bool], limit: float = 30.0) -> None:
    """Let sockets and the bot work until the condition holds."""
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, f"did not come about\n{env.transcript()}"
        await asyncio.sleep(0.02)
        # On a busy machine it may not settle in the seconds that simcord allows; the limit here decides.
        with contextlib.suppress(TimeoutError):
            await env.settle()


async def pass_time_until(env: simcord.Env, condition: Callable[[], bool], ticks: int = 12) -> None:
    """Let so much time pass, in steps of the interval between edits, that the condition holds."""
    for _ in range(ticks):
        await asyncio.sleep(0.05)
        await env.advance_time(INTERVAL)
        if condition():
            return
    raise AssertionError(f"did not come about\n{env.transcript()}")


async def let_token_end(env: simcord.Env) -> None:
    """Let the quarter of an hour pass in which an interaction can be answered, in steps for a busy machine."""
    for _ in range(15):
        await env.advance_time(60)


def has_cancel_button(message: Any) -> bool:
    return any(str(item.get("custom_id", "")).startswith("stemcord:cancel:") for item in walk(message.components))


def discord_message(result: simcord.InteractionResult) -> discord.Message:
    assert result.response is not None
    return result.response.message


def acknowledgement(env: simcord.Env) -> Any:
    """What the bot answered first."""
    return next(entry.json for entry in env.http_requests if entry.path.endswith("/callback"))


def edits(env: simcord.Env, pattern: str) -> list[simcord.HttpLogEntry]:
    """Edits of messages below that part of the path."""
    return [entry for entry in env.http_requests if entry.method == "PATCH" and pattern in entry.path]
