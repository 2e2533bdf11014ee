"""Discord's REST API, version 10: the part that a bot with commands and messages uses."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.wire import rights, shapes
from tests.wire.callbacks import Callbacks
from tests.wire.composer import Composer
from tests.wire.faults import Fault, Faults
from tests.wire.gateway import DIRECT_MESSAGES, GUILD_MESSAGES, MESSAGE_CONTENT, Gateway
from tests.wire.oauth import OAuth
from tests.wire.objects import ApiError, Message
from tests.wire.ratelimits import RateLimits
from tests.wire.reading import PREFIX, read_exchange
from tests.wire.recorder import Exchange, Recorder
from tests.wire.shapes import Json
from tests.wire.threads import Created, Threads
from tests.wire.world import World

Handler = Callable[[web.Request, Exchange], Awaitable[Any]]
NO_CONTENT = object()


class Rest:
    """The server; every request and answer goes to the recorder."""

    def __init__(
        self, world: World, recorder: Recorder, gateway: Gateway, composer: Composer, callbacks: Callbacks
    ) -> None:
        self._world = world
        self._recorder = recorder
        self._gateway = gateway
        self._composer = composer
        self._callbacks = callbacks
        self._limits = RateLimits(world.knobs)
        self._threads = Threads(world, gateway)
        self.faults = Faults()
        self.oauth = OAuth(world.application_id)

    def application(self) -> web.Application:
        """The server with all routes."""
        app = web.Application(client_max_size=2**31)
        for method, path, handler, *options in self._routes():
            app.router.add_route(method, PREFIX + path, self._wrap(handler, open_to_all="token" in options))
        app.router.add_route("*", PREFIX + "/{rest:.*}", self._wrap(self._unknown, open_to_all=True))
        return app

    def _routes(self) -> list[tuple[Any, ...]]:
        commands = "/applications/{application_id}/commands"
        guild_commands = "/applications/{application_id}/guilds/{guild_id}/commands"
        messages, message = "/channels/{channel_id}/messages", "/channels/{channel_id}/messages/{message_id}"
        webhook = "/webhooks/{webhook_id}/{token}"
        return [
            ("GET", "/users/@me", self._me, "token"),
            ("GET", "/oauth2/applications/@me", self._application),
            ("GET", "/applications/@me", self._application),
            ("GET", "/gateway", self._gateway_url),
            ("GET", "/gateway/bot", self._gateway_bot),
            ("GET", commands, self._list_commands),
            ("PUT", commands, self._set_commands),
            ("GET", guild_commands, self._list_commands),
            ("PUT", guild_commands, self._set_commands),
            ("POST", "/users/@me/channels", self._open_private_channel),
            ("GET", "/users/{user_id}", self._get_user),
            ("GET", "/guilds/{guild_id}", self._get_guild),
            ("GET", "/guilds/{guild_id}/channels", self._guild_channels),
            ("GET", "/guilds/{guild_id}/members/{user_id}", self._get_member),
            ("GET", "/guilds/{guild_id}/members", self._list_members),
            ("GET", "/channels/{channel_id}", self._get_channel),
            ("POST", "/channels/{channel_id}/typing", self._typing),
            ("GET", messages, self._list_messages),
            ("POST", messages, self._create_message),
            ("GET", message, self._get_message),
            ("PATCH", message, self._edit_message),
            ("DELETE", message, self._delete_message),
            *self._threads.routes(),
            ("POST", "/interactions/{interaction_id}/{token}/callback", self._callback, "token"),
            ("POST", webhook, self._follow_up, "token"),
            ("GET", webhook + "/messages/{message_id}", self._get_reply, "token"),
            ("PATCH", webhook + "/messages/{message_id}", self._edit_reply, "token"),
            ("DELETE", webhook + "/messages/{message_id}", self._delete_reply, "token"),
        ]

    def _wrap(self, handler: Handler, *, open_to_all: bool) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Reads the body, records, checks the token, injects faults, limits, and writes the answer."""

        async def serve(request: web.Request) -> web.Response:
            exchange = await read_exchange(request)
            self._recorder.exchanges.append(exchange)
            headers: dict[str, str] = {}
            try:
                answer = await self._answer(handler, request, exchange, headers, open_to_all=open_to_all)
                exchange.status = 204 if answer is NO_CONTENT else 201 if isinstance(answer, Created) else 200
                body = answer.body if isinstance(answer, Created) else answer
                exchange.answer = None if answer is NO_CONTENT else body
            except ApiError as error:
                exchange.status, exchange.answer = error.status, error.body
            exchange.seconds = time.monotonic() - exchange.started
            self._world.touch()
            if exchange.status == 204:
                return web.Response(status=204, headers=headers)
            text = json.dumps(exchange.answer).encode()
            return web.Response(status=exchange.status, body=text, content_type="application/json", headers=headers)

        return serve

    async def _answer(
        self, handler: Handler, request: web.Request, exchange: Exchange, headers: dict[str, str], *, open_to_all: bool
    ) -> Any:
        fault = self.faults.find(exchange)
        if fault is not None and not fault.after:
            await _fail(fault, exchange, headers)
        if not open_to_all and exchange.headers.get("Authorization") != f"Bot {self._world.token}":
            raise ApiError(401, 0, "401: Unauthorized")
        self._limit(request, exchange, headers)
        answer = await handler(request, exchange)
        if fault is not None and fault.after:
            await _fail(fault, exchange, headers)
        return answer

    def _limit(self, request: web.Request, exchange: Exchange, headers: dict[str, str]) -> None:
        place = request.match_info.get("token") or request.match_info.get("channel_id")
        writes = exchange.method in {"POST", "PATCH"} and (
            "/messages" in exchange.path or "/webhooks/" in exchange.path
        )
        if place is None or not writes:
            return
        wait, limits = self._limits.take(f"{exchange.method} {place}")
        headers |= limits
        if wait > 0:
            headers |= {"Retry-After": f"{wait:.3f}", "Via": "1.1 google", "X-RateLimit-Scope": "user"}
            error = ApiError(429, 0, "You are being rate limited.")
            error.body |= {"retry_after": round(wait, 3), "global": False}
            raise error

    async def _unknown(self, _request: web.Request, _exchange: Exchange) -> Any:
        raise ApiError(404, 0, "404: Not Found")

    async def _me(self, _request: web.Request, exchange: Exchange) -> Any:
        kind, _, token = exchange.headers.get("Authorization", "").partition(" ")
        if kind == "Bearer" and token in self.oauth.tokens:
            person = self._world.users[self.oauth.tokens[token]]
            return {**person, "mfa_enabled": False, "locale": "en-US"}
        if (kind, token) != ("Bot", self._world.token):
            raise ApiError(401, 0, "401: Unauthorized")
        return {**self._world.bot, "mfa_enabled": False, "locale": "en-US", "verified": True, "email": None}

    async def _application(self, _request: web.Request, _exchange: Exchange) -> Any:
        return self._world.application

    async def _gateway_url(self, _request: web.Request, _exchange: Exchange) -> Any:
        return {"url": self._gateway.url}

    async def _gateway_bot(self, _request: web.Request, _exchange: Exchange) -> Any:
        start = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        return {"url": self._gateway.url, "shards": 1, "session_start_limit": start}

    async def _list_commands(self, request: web.Request, _exchange: Exchange) -> Any:
        return self._world.commands.get(request.match_info.get("guild_id"), [])

    async def _set_commands(self, request: web.Request, exchange: Exchange) -> Any:
        world, guild_id = self._world, request.match_info.get("guild_id")
        if request.match_info["application_id"] != world.application_id:
            raise ApiError(403, 20012, "You are not authorized to perform this action on this application")
        known = {(c["name"], c["type"]): c["id"] for c in world.commands.get(guild_id, [])}
        world.commands[guild_id] = [
            shapes.command(
                known.get((sent["name"], sent.get("type", 1)), world.new_id()), world.application_id, guild_id, sent
            )
            for sent in exchange.payload or []
        ]
        return world.commands[guild_id]

    async def _open_private_channel(self, _request: web.Request, exchange: Exchange) -> Any:
        return self._world.private_channel(str(exchange.payload["recipient_id"]))

    async def _get_user(self, request: web.Request, _exchange: Exchange) -> Any:
        found = self._world.users.get(request.match_info["user_id"])
        if found is None:
            raise ApiError(404, 10013, "Unknown User")
        return found

    def _check_guild(self, request: web.Request) -> None:
        if request.match_info["guild_id"] != self._world.guild_id:
            raise ApiError(404, 10004, "Unknown Guild")

    async def _get_guild(self, request: web.Request, _exchange: Exchange) -> Any:
        self._check_guild(request)
        return self._world.guild

    async def _guild_channels(self, request: web.Request, _exchange: Exchange) -> Any:
        self._check_guild(request)
        return [channel for channel in self._world.channels.values() if channel["type"] == 0]

    async def _get_member(self, request: web.Request, _exchange: Exchange) -> Any:
        self._check_guild(request)
        if request.match_info["user_id"] not in self._world.users:
            raise ApiError(404, 10007, "Unknown Member")
        return self._world.member(request.match_info["user_id"])

    async def _list_members(self, request: web.Request, exchange: Exchange) -> Any:
        self._check_guild(request)
        if not self._world.tells_members:
            raise ApiError(403, 50001, "Missing Access")
        after, limit = (int(exchange.query.get(name, default)) for name, default in (("after", "0"), ("limit", "1")))
        here = [user_id for user_id in sorted(self._world.users, key=int) if int(user_id) > after]
        return [self._world.member(user_id) for user_id in here[:limit]]

    async def _get_channel(self, request: web.Request, _exchange: Exchange) -> Any:
        return self._world.open_channel(request.match_info["channel_id"])

    async def _typing(self, request: web.Request, _exchange: Exchange) -> Any:
        self._world.open_channel(request.match_info["channel_id"])
        return NO_CONTENT

    async def _list_messages(self, request: web.Request, exchange: Exchange) -> Any:
        channel_id = self._world.open_channel(request.match_info["channel_id"])["id"]
        here = [m.to_json() for m in self._world.in_order if m.channel_id == channel_id and not m.ephemeral]
        return here[::-1][: int(exchange.query.get("limit", "50"))]

    async def _create_message(self, request: web.Request, exchange: Exchange) -> Any:
        world = self._world
        channel = world.open_channel(request.match_info["channel_id"])
        self._check_sizes(exchange)
        wanted = rights.SEND | (rights.ATTACH if exchange.uploads else 0)
        rights.need(world.rights(world.application_id, channel["id"]), wanted)
        reference = exchange.payload.get("message_reference")
        message = Message(id=world.new_id(), channel_id=channel["id"], author=world.bot)
        if reference is not None:
            if reference.get("fail_if_not_exists", True):
                world.visible_message(str(reference["message_id"]), channel["id"])
            known = {key: str(reference[key]) for key in ("message_id", "channel_id", "guild_id") if reference.get(key)}
            message.kind, message.reference = 19, {"type": 0, "channel_id": channel["id"], **known}
        return await self.show("MESSAGE_CREATE", self._composer.create(message, exchange.payload, exchange.uploads))

    def _bots_message(self, request: web.Request) -> Message:
        return self._world.visible_message(request.match_info["message_id"], request.match_info["channel_id"])

    async def _get_message(self, request: web.Request, _exchange: Exchange) -> Any:
        return self._bots_message(request).to_json()

    async def _edit_message(self, request: web.Request, exchange: Exchange) -> Any:
        message = self._bots_message(request)
        self._check_sizes(exchange)
        if message.author is not self._world.bot:
            raise ApiError(403, 50005, "Cannot edit a message authored by another user")
        return await self.show("MESSAGE_UPDATE", self._composer.edit(message, exchange.payload, exchange.uploads))

    def _check_sizes(self, exchange: Exchange) -> None:
        limit = self._world.knobs.bots_size_limit
        if limit is not None and any(len(upload.data) > limit for upload in exchange.uploads):
            raise ApiError(413, 40005, "Request entity too large")

    async def _delete_message(self, request: web.Request, _exchange: Exchange) -> Any:
        self._bots_message(request).deleted = True
        return NO_CONTENT

    async def _callback(self, request: web.Request, exchange: Exchange) -> Any:
        wanted = exchange.query.get("with_response", "").lower() in {"1", "true"}
        ids = request.match_info["interaction_id"], request.match_info["token"]
        answer = self._callbacks.acknowledge(*ids, exchange.payload, exchange.uploads)
        return answer if wanted else NO_CONTENT

    async def _follow_up(self, request: web.Request, exchange: Exchange) -> Any:
        token = request.match_info["token"]
        message = self._callbacks.follow_up(token, exchange.payload, exchange.uploads)
        shown = await self.show("MESSAGE_CREATE", message)
        return shown if exchange.query.get("wait", "").lower() in {"1", "true"} else NO_CONTENT

    def _reply(self, request: web.Request) -> Message:
        return self._callbacks.reply(request.match_info["token"], request.match_info["message_id"])

    async def _get_reply(self, request: web.Request, _exchange: Exchange) -> Any:
        return self._reply(request).to_json()

    async def _edit_reply(self, request: web.Request, exchange: Exchange) -> Any:
        message = self._composer.edit(self._reply(request), exchange.payload, exchange.uploads)
        return await self.show("MESSAGE_UPDATE", message)

    async def _delete_reply(self, request: web.Request, _exchange: Exchange) -> Any:
        self._reply(request).deleted = True
        return NO_CONTENT

    async def show(self, event: str, message: Message) -> Json:
        """Tells a listening bot of a message, and gives the message object."""
        shown = message.to_json()
        if not message.ephemeral and message.channel_id not in self._world.outside:
            private = self._world.channel(message.channel_id)["type"] == 1
            author = message.author["id"]
            place = {} if private else {"guild_id": self._world.guild_id, "member": self._world.member(author)}
            told = {**shown, **place}
            if not private and not self._may_read(message):
                told |= {"content": "", "embeds": [], "attachments": [], "components": []}
                told.pop("message_snapshots", None)
            await self._gateway.dispatch(event, told, intents=DIRECT_MESSAGES if private else GUILD_MESSAGES)
        return shown

    def _may_read(self, message: Message) -> bool:
        """Whether the bot is shown what is in a message of a guild."""
        session, bot = self._gateway.session, self._world.bot
        asked = session is not None and bool(session.intents & MESSAGE_CONTENT)
        return asked or message.author is bot or bot in message.mentions


async def _fail(fault: Fault, exchange: Exchange, headers: dict[str, str]) -> None:
    """Waits, and raises what the fault answers, if it answers anything."""
    await asyncio.sleep(fault.delay)
    if fault.status:
        exchange.injected = True
        headers |= fault.headers
        raise ApiError(fault.status, fault.code, fault.message) if fault.body is None else _as_error(fault)


def _as_error(fault: Fault) -> ApiError:
    error = ApiError(fault.status, fault.code, fault.message)
    error.body = fault.body or error.body
    return error
