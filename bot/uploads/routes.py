"""The upload page and the tus protocol below it: https://tus.io/protocols/resumable-upload, version 1.0.0."""

import asyncio
import base64
import binascii
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import structlog
from aiohttp import web

from bot.exceptions import PageError, RefusedError
from bot.i18n.translator import Translator, translator_for
from bot.messages.errors import error_message
from bot.messages.formatting import format_size
from bot.uploads.folder import UploadFolder, UploadInfo
from bot.uploads.intake import UploadIntake
from bot.uploads.tickets import UploadTicket, UploadTickets
from bot.web.pages import PageContext, PageRenderer

TUS_VERSION: Final = "1.0.0"
MAX_NAME_CHARS: Final = 200
CHUNK_BYTES: Final = 256 * 1024


class UploadRoutes:
    """Takes uploads for tickets.

    Args:
        tickets: Reads them.
        folder: Where unfinished uploads lie.
        intake: Checks and submits clips.

    """

    def __init__(self, tickets: UploadTickets, folder: UploadFolder, intake: UploadIntake) -> None:
        self._tickets = tickets
        self._folder = folder
        self._intake = intake
        self._submitting: dict[str, asyncio.Task[None]] = {}

    def add_to(
        self,
        app: web.Application,
        base: str,
        pages: PageRenderer,
        context: Callable[[web.Request], PageContext],
        translator: Callable[[web.Request], Translator],
    ) -> None:
        """Add the routes below a base path; each page is rendered for its reader."""

        async def show(request: web.Request) -> web.StreamResponse:
            self._read(request)
            limit = format_size(self._folder.max_size)
            return web.Response(text=pages.upload(context(request), limit), content_type="text/html")

        async def create(request: web.Request) -> web.StreamResponse:
            return await self._answered(self._create(request), translator(request))

        page = f"{base}/u/{{token}}"
        app.router.add_get(page + "/", show)
        app.router.add_options(page + "/files", self._options)
        app.router.add_post(page + "/files", create)
        app.router.add_head(page + "/files/clip", self._head)
        app.router.add_patch(page + "/files/clip", self._patch)
        app.router.add_delete(page + "/files/clip", self._delete)
        app.router.add_get(page + "/state", self._state)

    def _read(self, request: web.Request) -> UploadTicket:
        return self._tickets.read(request.match_info["token"])

    async def _answered(self, work: Any, translator: Translator) -> web.StreamResponse:  # noqa: ANN401 - a coroutine
        try:
            return await work
        except RefusedError as error:
            text = error_message(error, "", translator).text(translator).replace("\\", "")
            return _answer(HTTPStatus.BAD_REQUEST, text=text)

    async def _options(self, request: web.Request) -> web.StreamResponse:
        headers = {"Tus-Version": TUS_VERSION, "Tus-Extension": "creation,termination"}
        return _answer(HTTPStatus.NO_CONTENT, headers={**headers, "Tus-Max-Size": str(self._folder.max_size)})

    async def _create(self, request: web.Request) -> web.StreamResponse:
        ticket = self._read(request)
        length, name = _read_length(request), _read_name(request)
        known = await self._folder.info(ticket.id)
        if known is not None and known.done:
            raise RefusedError("upload-used", "upload-used-hint")
        if known is None or (known.name, known.length) != (name, length):
            await self._intake.check(ticket, name, length)
            await self._folder.create(ticket.id, UploadInfo(name=name, length=length))
        return _answer(HTTPStatus.CREATED, headers={"Location": "files/clip"})

    async def _head(self, request: web.Request) -> web.StreamResponse:
        ticket = self._read(request)
        info = await self._require(ticket)
        offset = info.length if info.done else await self._folder.offset(ticket.id)
        return _answer(HTTPStatus.OK, headers={"Upload-Offset": str(offset), "Upload-Length": str(info.length)})

    async def _require(self, ticket: UploadTicket) -> UploadInfo:
        info = await self._folder.info(ticket.id)
        if info is None:
            raise PageError(HTTPStatus.NOT_FOUND, "page-none")
        return info

    async def _patch(self, request: web.Request) -> web.StreamResponse:
        ticket = self._read(request)
        info = await self._require(ticket)
        given = request.headers.get("Upload-Offset", "")
        if request.content_type != "application/offset+octet-stream" or not given.isdecimal() or info.done:
            raise PageError(HTTPStatus.BAD_REQUEST, "page-bad-request")
        chunks = request.content.iter_chunked(CHUNK_BYTES)
        offset = await self._folder.append(ticket.id, info, int(given), aiter(chunks))
        if offset == info.length:
            self._take(ticket, info)
        return _answer(HTTPStatus.NO_CONTENT, headers={"Upload-Offset": str(offset)})

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        ticket = self._read(request)
        await self._folder.remove(ticket.id)
        return _answer(HTTPStatus.NO_CONTENT)

    async def _state(self, request: web.Request) -> web.StreamResponse:
        ticket = self._read(request)
        info = await self._folder.info(ticket.id)
        state = "none" if info is None else "refused" if info.refusal else "done" if info.done else "under-way"
        offset = 0 if info is None or info.done else await self._folder.offset(ticket.id)
        name, length = ("", 0) if info is None else (info.name, info.length)
        told = {"state": state, "offset": offset, "name": name, "length": length}
        return web.json_response(told | {"text": "" if info is None else info.refusal})

    def _take(self, ticket: UploadTicket, info: UploadInfo) -> None:
        """Submit a whole upload in the background, once: the browser has all it needs."""
        if ticket.id not in self._submitting:
            task = asyncio.create_task(self._submit(ticket, info), name=f"upload-{ticket.id}")
            self._submitting[ticket.id] = task
            task.add_done_callback(lambda _: self._submitting.pop(ticket.id, None))

    async def _submit(self, ticket: UploadTicket, info: UploadInfo) -> None:
        refusal = ""
        try:
            await self._intake.submit(ticket, info.name, self._folder.path(ticket.id))
        except Exception as error:  # noqa: BLE001 - whoever waits at the page is told
            structlog.get_logger(__name__).warning("upload_refused", error=type(error).__name__)
            refusal = self._describe(ticket, error)
        await self._folder.finish(ticket.id, UploadInfo(name=info.name, length=info.length, done=True, refusal=refusal))

    @staticmethod
    def _describe(ticket: UploadTicket, error: BaseException) -> str:
        translator = translator_for(ticket.locale)
        return error_message(error, ticket.id[:8], translator).text(translator).replace("\\", "")


def _answer(
    status: HTTPStatus, *, text: str | None = None, headers: dict[str, str] | None = None
) -> web.StreamResponse:
    always = {"Tus-Resumable": TUS_VERSION, "Cache-Control": "no-store"}
    return web.Response(status=status, text=text, headers={**always, **(headers or {})})


def _read_length(request: web.Request) -> int:
    given = request.headers.get("Upload-Length", "")
    if not given.isdecimal() or len(given) > 15:
        raise PageError(HTTPStatus.BAD_REQUEST, "page-bad-request")
    return int(given)


def _read_name(request: web.Request) -> str:
    """Return the name of the file from the metadata: pairs of a key and a value in base64, between commas."""
    for pair in request.headers.get("Upload-Metadata", "").split(","):
        key, _, value = pair.strip().partition(" ")
        if key == "filename":
            try:
                return base64.b64decode(value, validate=True).decode()[:MAX_NAME_CHARS]
            except (binascii.Error, UnicodeDecodeError) as error:
                raise PageError(HTTPStatus.BAD_REQUEST, "page-bad-request") from error
    raise PageError(HTTPStatus.BAD_REQUEST, "page-bad-request")
