"""A server that answers like OpenAI's chat completions, on this machine."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from aiohttp import web

Json: TypeAlias = dict[str, Any]
Answer: TypeAlias = Json | web.Response | bytes


def completion(text: object) -> Json:
    """An answer of the model."""
    return {"id": "1", "object": "chat.completion", "choices": [{"index": 0, "message": {"content": text}}]}


class ModelServer:
    """Keeps what it was asked; answers with `answer`, or waits first."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Json] = []
        self.keys: list[str | None] = []
        self.answer: Answer = completion("They agreed on Friday.")
        self.wait_s = 0.0
        self.piece_bytes = 0
        """Size of the pieces in which answers come; 0: as a whole."""

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["ModelServer"]:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._complete)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
            yield self
        finally:
            await runner.cleanup()

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(await request.json())
        self.keys.append(request.headers.get("Authorization"))
        await asyncio.sleep(self.wait_s)
        match self.answer:
            case web.Response():
                return self.answer
            case bytes():
                return web.Response(body=self.answer)
            case _ if self.piece_bytes:
                return await self._send_in_pieces(request, json.dumps(self.answer).encode())
            case _:
                return web.json_response(self.answer)

    async def _send_in_pieces(self, request: web.Request, body: bytes) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for start in range(0, len(body), self.piece_bytes):
            await response.write(body[start : start + self.piece_bytes])
            await asyncio.sleep(0.01)
        return response

    def texts(self) -> list[str]:
        """What it was given to summarise."""
        return [str(asked["messages"][1]["content"]) for asked in self.asked]
