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

    def __init__(self, intents: int, shard: tuple[int, int] = (0, 1)) -> None:
        self.id = secrets.token_hex(16)
        self.shard = shard
        """Number of the shard and how many there are."""
        self.intents = intents
        self.sequence = 0
        self.events: deque[Json] = deque(maxlen=KEPT_EVENTS)
        self.connection: Connection | None = None


class Gateway:
    """The socket server; at most one session lives at a time for each shard."""

    def __init__(self, world: World, recorder: Recorder) -> None:
        self._world = world
        self._recorder = recorder
        self._lock = asyncio.Lock()
        self.sessions: dict[int, Session] = {}
        """By number of the shard."""
        self.elders: list[Session] = []
        """Sessions that are connected still, though a later one is there for their shard: they get all events too."""
        self.url = ""
        """Set once the server listens."""
        self.identified = 0
        self.resumed = 0

    @property
    def connected(self) -> bool:
        """True when a bot is listening on all of its shards."""
        sessions = self.sessions.values()
        wanted = max((session.shard[1] for session in sessions), default=1)
        return len(sessions) == wanted and all(session.connection is not None for session in sessions)

    @property
    def session(self) -> Session | None:
        """The session of the first shard, which has the direct messages."""
        return self.sessions.get(0)

    async def dispatch(self, event: str, data: Json, *, intents: int = 0) -> None:
        """Sends an event to the bot, or keeps it for when it resumes; any of the intents lets it through.

        What is of a guild goes to the guild's shard, the rest to the first.
        """
        guild_id = data["id"] if event == "GUILD_CREATE" else data.get("guild_id")
        total = max((session.shard[1] for session in self.sessions.values()), default=1)
        shard = 0 if guild_id is None else (int(guild_id) >> 22) % total
        elders = [elder for elder in self.elders if elder.shard == (shard, total)]
        for session in filter(None, (*elders, self.sessions.get(shard))):
            if not intents or session.intents & intents:
                await self._dispatch(session, event, data)

    async def _dispatch(self, session: Session, event: str, data: Json) -> None:
        async with self._lock:
            session.sequence += 1
            payload: Json = {"op": DISPATCH, "t": event, "s": session.sequence, "d": data}
            session.events.append(payload)
            if session.connection is not None:
                await self._send(session.connection, payload)

    async def drop(self, *, code: int = 4000, shard: int = 0) -> None:
        """Closes the socket of a shard; the client is expected to resume."""
        session = self.sessions.get(shard)
        if session is not None and session.connection is not None:
            connection, session.connection = session.connection, None
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
            for session in (*self.sessions.values(), *self.elders):
                if session.connection is connection:
                    session.connection = None
            self.elders = [elder for elder in self.elders if elder.connection is not None]
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
        shard, total = data.get("shard") or (0, 1)
        if (earlier := self.sessions.get(shard)) is not None and earlier.connection is not None:
            self.elders.append(earlier)
        session = self.sessions[shard] = Session(int(data["intents"]), (shard, total))
        # An earlier process may have had another number of shards.
        self.sessions = {key: kept for key, kept in self.sessions.items() if kept.shard[1] == total}
        session.connection = connection
        self.identified += 1
        mine = (int(self._world.guild_id) >> 22) % total == shard
        ready: Json = {
            "v": 10,
            "user": {**self._world.bot, "mfa_enabled": False, "verified": True, "email": None},
            "guilds": [{"id": self._world.guild_id, "unavailable": True}] if mine else [],
            "session_id": session.id,
            "shard": [shard, total],
            "resume_gateway_url": self.url,
            "application": {"id": self._world.application_id, "flags": 0},
            "private_channels": [],
        }
        await self._dispatch(session, "READY", ready)
        if mine:
            await self._dispatch(session, "GUILD_CREATE", self._world.guild_with_all())
        self._world.touch()

    async def _resume(self, connection: Connection, data: dict[str, Any]) -> None:
        session = next((each for each in self.sessions.values() if each.id == data["session_id"]), None)
        if session is None or data["token"] != self._world.token:
            await self._send(connection, {"op": INVALID, "d": False})
            return
        async with self._lock:
            session.connection = connection
            for event in [event for event in session.events if event["s"] > (data["seq"] or 0)]:
                await self._send(connection, event)
        self.resumed += 1
        await self._dispatch(session, "RESUMED", {})
        self._world.touch()

    async def close(self) -> None:
        """Ends the session for good, as when the service goes down."""
        for session in self.sessions.values():
            if session.connection is not None:
                await session.connection.socket.close(code=WSCloseCode.GOING_AWAY)
        self.sessions = {}
