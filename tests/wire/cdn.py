"""Discord's CDN as far as the bot needs it: signed addresses that expire, and plain downloads."""

import asyncio
import hashlib
import hmac
import mimetypes
import secrets
import time
from pathlib import PurePosixPath
from urllib.parse import quote

from aiohttp import web

from tests.wire.objects import Attachment
from tests.wire.recorder import Recorder
from tests.wire.shapes import Json
from tests.wire.world import World

URL_LIFE = 24 * 3600.0
"""Seconds that a signed address is good for."""
BLOCK = 64 * 1024


class Cdn:
    """Keeps files and gives them to whoever has a good address."""

    def __init__(self, world: World, recorder: Recorder) -> None:
        self._world = world
        self._recorder = recorder
        self._secret = secrets.token_bytes(16)
        self.origin = ""
        """Set once the server listens."""

    def application(self) -> web.Application:
        """The server."""
        app = web.Application()
        app.router.add_get("/{kind:attachments|ephemeral-attachments}/{place}/{id}/{filename}", self._serve)
        return app

    def keep(
        self,
        filename: str,
        data: bytes,
        *,
        place: str,
        ephemeral: bool = False,
        description: str | None = None,
        voice: Json | None = None,
    ) -> Attachment:
        """Stores a file and gives it an address."""
        kind = "ephemeral-attachments" if ephemeral else "attachments"
        attachment = Attachment(
            id=self._world.new_id(),
            filename=PurePosixPath(filename.replace(" ", "_")).name,
            content_type=mimetypes.guess_type(filename)[0] or "application/octet-stream",
            data=data,
            folder=f"{kind}/{place}",
            description=description,
            ephemeral=ephemeral,
            voice={key: value for key, value in (voice or {}).items() if value is not None},
        )
        attachment.url = self.sign(attachment, time.time() + URL_LIFE)
        self._world.attachments[attachment.id] = attachment
        return attachment

    def sign(self, attachment: Attachment, expires: float) -> str:
        """The address of a file, good until that Unix time."""
        path = f"/{attachment.folder}/{attachment.id}/{quote(attachment.filename)}"
        until = f"{int(expires):x}"
        return f"{self.origin}{path}?ex={until}&is=0&hm={self._signature(attachment.id, until)}"

    def _signature(self, attachment_id: str, until: str) -> str:
        return hmac.new(self._secret, f"{attachment_id} {until}".encode(), hashlib.sha256).hexdigest()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self._recorder.downloads.append(request.path)
        attachment = self._world.attachments.get(request.match_info["id"])
        until, signature = request.query.get("ex", "0"), request.query.get("hm", "")
        if attachment is None or attachment.filename != request.match_info["filename"]:
            raise web.HTTPNotFound(text="")
        good = hmac.compare_digest(signature, self._signature(attachment.id, until))
        if not good or int(until, 16) < time.time():
            raise web.HTTPNotFound(text="This content is no longer available.")
        headers = {"Content-Type": attachment.content_type, "Content-Length": str(attachment.size)}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        rate = self._world.knobs.download_rate
        for start in range(0, attachment.size, BLOCK):
            block = attachment.data[start : start + BLOCK]
            await response.write(block)
            if rate is not None:
                await asyncio.sleep(len(block) / rate)
        await response.write_eof()
        return response
