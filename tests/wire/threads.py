"""Threads: opened from a message or on their own, known to the bot by an event."""

from typing import Any

from aiohttp import web

from tests.wire import rights, shapes
from tests.wire.gateway import Gateway
from tests.wire.objects import ApiError
from tests.wire.recorder import Exchange
from tests.wire.shapes import Json
from tests.wire.world import World


class Created:
    """An answer with the status 201."""

    def __init__(self, body: Json) -> None:
        self.body = body


class Threads:
    """The routes of threads."""

    def __init__(self, world: World, gateway: Gateway) -> None:
        self._world = world
        self._gateway = gateway

    def routes(self) -> list[tuple[Any, ...]]:
        """As `Rest` lists its own."""
        channel = "/channels/{channel_id}"
        return [
            ("POST", channel + "/messages/{message_id}/threads", self._from_message),
            ("POST", channel + "/threads", self._alone),
        ]

    def _place(self, request: web.Request) -> Json:
        channel = self._world.channel(request.match_info["channel_id"])
        if channel["type"] != 0:
            raise ApiError(400, 50024, "Cannot execute action on this channel type")
        rights.need(self._world.rights(self._world.application_id, channel["id"]), rights.OPEN_THREADS)
        return channel

    async def _from_message(self, request: web.Request, exchange: Exchange) -> Any:
        channel = self._place(request)
        message = self._world.visible_message(request.match_info["message_id"], channel["id"])
        if message.id in self._world.channels:
            raise ApiError(400, 160004, "A thread has already been created for this message")
        message.flags |= shapes.HAS_THREAD
        return await self._open(message.id, channel, exchange)

    async def _alone(self, request: web.Request, exchange: Exchange) -> Any:
        if exchange.payload.get("type") != rights.THREAD:
            raise ApiError(400, 50024, "Cannot execute action on this channel type")
        return await self._open(self._world.new_id(), self._place(request), exchange)

    async def _open(self, thread_id: str, parent: Json, exchange: Exchange) -> Created:
        world = self._world
        thread = shapes.thread(thread_id, parent, exchange.payload["name"], world.application_id)
        world.channels[thread_id] = thread
        await self._gateway.dispatch("THREAD_CREATE", {**thread, "newly_created": True})
        return Created(thread)
