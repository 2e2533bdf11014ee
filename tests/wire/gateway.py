"""Discord's gateway, version 10: one bot, JSON, plain or zlib-stream."""

import asyncio
import json
import secrets
import zlib
from collections import deque
from contextlib import suppress
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from tests.wire.recorder import Frame, Recorder
from tests.wire.shapes import Json
from tests.wire.world import World

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID, HELLO, ACK = 0, 1, 2, 6, 7, 9, 10, 11
GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = 1 << 9, 1 << 12, 1 << 15
KEPT_EVENTS = 1000
CLOSE_LIMIT = 10.0
"""Seconds."""


class Connection:
    """One socket with its own compression stream."""

    def __init__(self, socket: web.WebSocketResponse, compression: str | None) -> None:
        self.socket = socket
        self._deflate = zlib.compressobj() if compression == "zlib-stream" else None

    async def send(self, payload: Json) -> None:
        """Sends one message."""
        text = json.dumps(payload)
        if self._deflate is None:
            await self.socket.send_str(text)
            return
        data = self._deflate.compress(text.encode()) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        await self.socket.send_bytes(data)


class Session:
    """What outlives a socket: the sequence and the events a client may have missed."""

    def __init__(self, intents: int) -> None:
        self.id = secrets.token_hex(16)
        self.intents = intents
        self.sequence = 0
        self.events: deque[Json] = deque(maxlen=KEPT_EVENTS)
        self.connection: Connection | None = None


class Gateway:
    """The socket server; at most one session lives at a time."""

    def __init__(self, world: World, recorder: Recorder) -> None:
        self._world = world
        self._recorder = recorder
        self._lock = asyncio.Lock()
        self.session: Session | None = None
        self.url = ""
        """Set once the server listens."""
        self.identified = 0
        self.resumed = 0

    @property
    def connected(self) -> bool:
        """True when a bot is listening."""
        return self.session is not None and self.session.connection is not None

    async def dispatch(self, event: str, data: Json, *, intents: int = 0) -> None:
        """Sends an event to the bot, or keeps it for when it resumes; any of the intents lets it through."""
        async with self._lock:
            session = self.session
            if session is None or (intents and not session.intents & intents):
                return
            session.sequence += 1
            payload: Json = {"op": DISPATCH, "t": event, "s": session.sequence, "d": data}
            session.events.append(payload)
            if session.connection is not None:
                await self._send(session.connection, payload)

    async def drop(self, *, code: int = 4000) -> None:
        """Closes the socket; the client is expected to resume."""
        if self.session is not None and self.session.connection is not None:
            connection, self.session.connection = self.session.connection, None
            # A client that reads nothing, such as a stopped one, never takes the last frames.
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_LIMIT):
                    await connection.socket.close(code=code)

    async def ask_to_reconnect(self) -> None:
        """Tells the client to come back on a new socket."""
        if self.session is not None and self.session.connection is not None:
            await self._send(self.session.connection, {"op": RECONNECT, "d": None})

    async def _send(self, connection: Connection, payload: Json) -> None:
        self._recorder.frames.append(Frame(sent=True, payload=payload))
        try:
            await connection.send(payload)
        except (ConnectionError, RuntimeError):
            # The client went away in between: the event stays for a resume.
            return

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One socket from HELLO to its end."""
        socket = web.WebSocketResponse(timeout=2.0, max_msg_size=4096)
        await socket.prepare(request)
        compression = request.query.get("compress")
        if request.query.get("v") != "10" or compression not in (None, "zlib-stream"):
            await socket.close(code=4012)
            return socket
        connection = Connection(socket, compression)
        await self._send(
            connection, {"op": HELLO, "d": {"heartbeat_interval": int(self._world.knobs.heartbeat * 1000)}}
        )
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    payload = json.loads(message.data)
                    self._recorder.frames.append(Frame(sent=False, payload=payload))
                    await self._receive(connection, payload)
        finally:
            if self.session is not None and self.session.connection is connection:
                self.session.connection = None
            self._world.touch()
        return socket

    async def _receive(self, connection: Connection, payload: Json) -> None:
        match payload.get("op"):
            case 1:
                await self._send(connection, {"op": ACK, "d": None})
            case 2:
                await self._identify(connection, payload["d"])
            case 6:
                await self._resume(connection, payload["d"])
            case _:
                pass

    async def _identify(self, connection: Connection, data: dict[str, Any]) -> None:
        if data["token"] != self._world.token:
            await connection.socket.close(code=4004, message=b"Authentication failed.")
            return
        self.session = Session(int(data["intents"]))
        self.session.connection = connection
        self.identified += 1
        ready: Json = {
            "v": 10,
            "user": {**self._world.bot, "mfa_enabled": False, "verified": True, "email": None},
            "guilds": [{"id": self._world.guild_id, "unavailable": True}],
            "session_id": self.session.id,
            "resume_gateway_url": self.url,
            "application": {"id": self._world.application_id, "flags": 0},
            "private_channels": [],
        }
        await self.dispatch("READY", ready)
        await self.dispatch("GUILD_CREATE", self._world.guild_with_all())
        self._world.touch()

    async def _resume(self, connection: Connection, data: dict[str, Any]) -> None:
        session = self.session
        if session is None or data["session_id"] != session.id or data["token"] != self._world.token:
            await self._send(connection, {"op": INVALID, "d": False})
            return
        async with self._lock:
            session.connection = connection
            for event in [event for event in session.events if event["s"] > (data["seq"] or 0)]:
                await self._send(connection, event)
        self.resumed += 1
        await self.dispatch("RESUMED", {})
        self._world.touch()

    async def close(self) -> None:
        """Ends the session for good, as when the service goes down."""
        if self.session is not None and self.session.connection is not None:
            await self.session.connection.socket.close(code=WSCloseCode.GOING_AWAY)
        self.session = None
