"""The fake Discord as a test holds it: start it, act as a person, wait for what the bot does."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from tests.wire.acts import Acts
from tests.wire.callbacks import Callbacks
from tests.wire.cdn import Cdn
from tests.wire.composer import Composer
from tests.wire.gateway import Gateway
from tests.wire.objects import Message
from tests.wire.openapi import Description
from tests.wire.reading import PREFIX
from tests.wire.recorder import Recorder
from tests.wire.rest import Rest
from tests.wire.shapes import HAS_SNAPSHOT, Json
from tests.wire.world import Knobs, World

HOST = "127.0.0.1"
REDIRECT = Path(__file__).parent / "redirect"


class FakeDiscord(Acts):
    """One guild, one channel, one person, one bot; REST and gateway on one port, the CDN on another."""

    def __init__(self, knobs: Knobs | None = None) -> None:
        self.knobs = Knobs() if knobs is None else knobs
        self.world = World(self.knobs)
        self.recorder = Recorder()
        self.gateway = Gateway(self.world, self.recorder)
        self.cdn = Cdn(self.world, self.recorder)
        composer = Composer(self.world, self.cdn)
        self._rest = Rest(self.world, self.recorder, self.gateway, composer, Callbacks(self.world, composer))
        self.faults = self._rest.faults
        self.oauth = self._rest.oauth
        self.origin = ""

    @classmethod
    @asynccontextmanager
    async def start(cls, knobs: Knobs | None = None) -> AsyncIterator["FakeDiscord"]:
        """A listening fake; every socket is closed at the end."""
        fake = cls(knobs)
        app = fake._rest.application()
        app.router.add_get("/gateway/", fake.gateway.serve)
        fake.oauth.add_routes(app)
        async with _listen(app) as fake.origin, _listen(fake.cdn.application()) as fake.cdn.origin:
            fake.gateway.url = fake.origin.replace("http", "ws", 1) + "/gateway/"
            try:
                yield fake
            finally:
                await fake.gateway.close()

    @property
    def environment(self) -> dict[str, str]:
        """What the bot's process needs in its environment to come here; PYTHONPATH is the caller's to join."""
        return {
            "DISCORD_TOKEN": self.world.token,
            "FAKE_DISCORD_API": self.origin + PREFIX,
            "FAKE_DISCORD_GATEWAY": self.gateway.url,
            "FAKE_DISCORD_CDN": self.cdn.origin,
            "STEMCORD_ATTACHMENT_HOSTS": self.cdn.origin,
            "PYTHONPATH": str(REDIRECT),
        }

    async def wait(self, condition: Callable[[], bool], timeout: float, what: str) -> None:
        """Waits until the condition holds; fails with the recorded traffic when it does not in time."""
        end = time.monotonic() + timeout
        while not condition():
            left = end - time.monotonic()
            if left <= 0:
                raise AssertionError(f"waited {timeout} s for {what}\n{self.summary()}")
            try:
                # The short limit serves conditions on time and on things outside this world.
                await asyncio.wait_for(self.world.changed(), min(left, 0.25))
            except TimeoutError:
                continue

    def summary(self) -> str:
        """The latest traffic and messages, for a failing test."""
        shown = [f"[{m.id} {'ephemeral' if m.ephemeral else ''} {sorted(m.files)}] {m.text!r}" for m in self.messages]
        return "\n".join(["-- traffic", self.recorder.transcript(), "-- messages", *shown[-10:]])

    @property
    def messages(self) -> list[Message]:
        """All messages, oldest first."""
        return self.world.in_order

    async def wait_for_message(self, predicate: Callable[[Message], bool], timeout: float = 30.0) -> Message:
        """The first message of the bot that the predicate holds for."""

        def found() -> list[Message]:
            return [m for m in self.messages if m.author is self.world.bot and not m.loading and predicate(m)]

        await self.wait(lambda: bool(found()), timeout, "a message")
        return found()[0]

    async def post(
        self,
        content: str = "",
        *,
        files: Iterable[Path] = (),
        name: str | None = None,
        by: Json | None = None,
        at: str | None = None,
        private: bool = False,
        mention: bool = False,
        reply_to: Message | None = None,
        forward: Message | None = None,
    ) -> Message:
        """The person posts a message in the channel; `name` overrides the name of a single file.

        `mention` names the bot; a reply notifies the one whom it answers; `forward` is shown in it.
        """
        world = self.world
        author = by or world.person
        place = world.private_channel(author["id"])["id"] if private else at or world.channel_id
        mentioned = {user["id"]: user for user in ([world.bot] if mention else [])}
        message = Message(
            id=world.new_id(),
            channel_id=place,
            author=author,
            content=f"<@{world.application_id}> {content}".strip() if mention else content,
            attachments=[self.cdn.keep(name or path.name, path.read_bytes(), place=place) for path in files],
        )
        if reply_to is not None:
            mentioned[reply_to.author["id"]] = reply_to.author
            message.kind = 19
            message.reference = {"type": 0, "channel_id": reply_to.channel_id, "message_id": reply_to.id}
        if forward is not None:
            message.flags |= HAS_SNAPSHOT
            message.reference = {"type": 1, "channel_id": forward.channel_id, "message_id": forward.id}
            message.snapshots = [forward.snapshot()]
        message.mentions = list(mentioned.values())
        world.messages[message.id] = message
        await self._rest.show("MESSAGE_CREATE", message)
        return message

    def violations(self, description: Description) -> list[str]:
        """What of all traffic so far breaks Discord's own description."""
        return description.check(self.recorder.exchanges)


@asynccontextmanager
async def _listen(app: web.Application) -> AsyncIterator[str]:
    """The origin at which an application is served on a port that was free."""
    runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, 0)
        await site.start()
        port = runner.addresses[0][1]
        yield f"http://{HOST}:{port}"
    finally:
        await runner.cleanup()
