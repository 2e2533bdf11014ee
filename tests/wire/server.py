"""The fake Discord as a test holds it: start it, act as a person, wait for what the bot does."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.wire import shapes
from tests.wire.callbacks import Callbacks
from tests.wire.cdn import Cdn
from tests.wire.composer import Composer
from tests.wire.gateway import Gateway
from tests.wire.objects import Attachment, Interaction, Message
from tests.wire.openapi import Description
from tests.wire.recorder import Recorder
from tests.wire.rest import PREFIX, Rest
from tests.wire.shapes import Json
from tests.wire.world import Knobs, World

HOST = "127.0.0.1"
COMMAND, COMPONENT, AUTOCOMPLETE = 2, 3, 4
CHAT_INPUT, MESSAGE_MENU = 1, 3
ATTACHMENT_OPTION, SUBCOMMANDS = 11, (1, 2)
REDIRECT = Path(__file__).parent / "redirect"


class FakeDiscord:
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
        self.origin = ""

    @classmethod
    @asynccontextmanager
    async def start(cls, knobs: Knobs | None = None) -> AsyncIterator["FakeDiscord"]:
        """A listening fake; every socket is closed at the end."""
        fake = cls(knobs)
        app = fake._rest.application()
        app.router.add_get("/gateway/", fake.gateway.serve)
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

    async def post(self, content: str = "", *, files: Iterable[Path] = (), name: str | None = None) -> Message:
        """The person posts a message in the channel; `name` overrides the name of a single file."""
        world = self.world
        attachments = [self.cdn.keep(name or path.name, path.read_bytes(), place=world.channel_id) for path in files]
        message = Message(
            id=world.new_id(),
            channel_id=world.channel_id,
            author=world.person,
            content=content,
            attachments=attachments,
        )
        world.messages[message.id] = message
        await self._rest.show("MESSAGE_CREATE", message)
        return message

    def command(self, name: str, kind: int = CHAT_INPUT) -> Json:
        """A command that the bot registered."""
        for command in self.world.all_commands():
            if command["name"] == name and command["type"] == kind:
                return command
        raise LookupError(f"the bot registered no command {name!r} of type {kind}")

    async def slash(
        self, name: str, *, locale: str = "en-US", private: bool = False, timeout: float = 4.0, **options: Any
    ) -> Interaction:
        """The person uses a slash command; a path as a value is uploaded. Returns once it is acknowledged.

        The options are checked as Discord's own client does: known names, required ones, choices, bounds.
        A name with spaces is a subcommand.
        """
        root, *branches = name.split(" ")
        command = self.command(root)
        described: list[Json] = command.get("options") or []
        for branch in branches:
            described = next(o for o in described if o["name"] == branch and o["type"] in SUBCOMMANDS)["options"]
        attachments: list[Attachment] = []
        values = [self._option(described, key, value, attachments) for key, value in options.items()]
        missing = [o["name"] for o in described if o.get("required") and o["name"] not in options]
        if missing:
            raise LookupError(f"/{name} needs {missing}")
        for branch in reversed(branches):
            values = [{"name": branch, "type": 1, "options": values}]
        data: Json = {"id": command["id"], "name": root, "type": CHAT_INPUT, "options": values}
        if attachments:
            data["resolved"] = {"attachments": {a.id: a.to_json() for a in attachments}}
        return await self._act(COMMAND, {"data": data, "locale": locale}, private=private, timeout=timeout)

    async def autocomplete(self, name: str, option: str, typed: str, *, timeout: float = 3.0) -> list[Json]:
        """The choices that are offered while the person types into an option of a slash command."""
        command = self.command(name)
        described = next(o for o in command["options"] if o["name"] == option)
        value: Json = {"name": option, "type": described["type"], "value": typed, "focused": True}
        data: Json = {"id": command["id"], "name": name, "type": CHAT_INPUT, "options": [value]}
        interaction = await self._act(AUTOCOMPLETE, {"data": data, "locale": "en-US"}, timeout=timeout)
        assert interaction.callback is not None
        return interaction.callback["data"]["choices"]

    def _option(self, described: list[Json], name: str, value: Any, attachments: list[Attachment]) -> Json:
        option = next((o for o in described if o["name"] == name), None)
        if option is None:
            raise LookupError(f"no option {name!r} among {[o['name'] for o in described]}")
        if option["type"] == ATTACHMENT_OPTION:
            if isinstance(value, Path):
                value = self.cdn.keep(value.name, value.read_bytes(), place=self.world.application_id, ephemeral=True)
            attachments.append(value)
            value = value.id
        choices = option.get("choices")
        if choices and value not in [choice["value"] for choice in choices]:
            raise ValueError(f"{name}={value!r} is none of the choices {choices}")
        low, high = option.get("min_value"), option.get("max_value")
        if (low is not None and value < low) or (high is not None and value > high):
            raise ValueError(f"{name}={value!r} is not within {low} and {high}")
        return {"name": name, "type": option["type"], "value": value}

    async def context_menu(
        self, name: str, message: Message, *, locale: str = "en-US", timeout: float = 4.0
    ) -> Interaction:
        """The person uses a command of a message's menu."""
        command = self.command(name, MESSAGE_MENU)
        data: Json = {
            "id": command["id"],
            "name": name,
            "type": MESSAGE_MENU,
            "target_id": message.id,
            "resolved": {"messages": {message.id: message.to_json()}},
        }
        return await self._act(COMMAND, {"data": data, "locale": locale}, timeout=timeout)

    async def click(
        self, custom_id: str, message: Message, *, locale: str = "en-US", timeout: float = 4.0
    ) -> Interaction:
        """The person presses a button of a message as it is now."""
        button = message.buttons.get(custom_id)
        if button is None or button.get("disabled"):
            raise LookupError(f"no enabled button {custom_id!r} among {list(message.buttons)}")
        data: Json = {"custom_id": custom_id, "component_type": 2, "id": button["id"]}
        payload: Json = {"data": data, "message": message.to_json(), "locale": locale}
        return await self._act(COMPONENT, payload, timeout=timeout)

    async def _act(self, kind: int, payload: Json, *, timeout: float, private: bool = False) -> Interaction:
        """Sends INTERACTION_CREATE and waits for the acknowledgement."""
        world = self.world
        place = world.private_channel(world.person["id"]) if private else world.channels[world.channel_id]
        interaction = Interaction(
            id=world.new_id(),
            token=secrets.token_urlsafe(120),
            kind=kind,
            user=world.person,
            channel_id=place["id"],
        )
        interaction.payload = {
            "id": interaction.id,
            "application_id": world.application_id,
            "type": kind,
            "token": interaction.token,
            "version": 1,
            "channel": place,
            "channel_id": place["id"],
            "app_permissions": shapes.ALL_PERMISSIONS,
            "entitlements": [],
            "attachment_size_limit": self.knobs.size_limit,
            "authorizing_integration_owners": {"0": "0" if private else world.guild_id},
            "context": 1 if private else 0,
            **(self._private_actor() if private else self._guild_actor()),
            **payload,
        }
        world.interactions[interaction.token] = interaction
        await self.gateway.dispatch("INTERACTION_CREATE", interaction.payload)
        await self.wait(lambda: interaction.acknowledged is not None, timeout, "the acknowledgement")
        return interaction

    def _private_actor(self) -> Json:
        return {"user": self.world.person}

    def _guild_actor(self) -> Json:
        world = self.world
        return {
            "guild_id": world.guild_id,
            "guild": {"id": world.guild_id, "locale": "en-US", "features": []},
            "guild_locale": "en-US",
            "member": {**shapes.member(world.person, world.guild_id), "permissions": shapes.ALL_PERMISSIONS},
        }

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
