"""The upload page and the tus protocol below it: https://tus.io/protocols/resumable-upload, version 1.0.0."""

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, aclosing
from http import HTTPStatus
from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bot.exceptions import PageError, RefusedError
from bot.i18n.translator import Translator, translator_for
from bot.messages.errors import error_message
from bot.messages.formatting import format_size
from bot.uploads.folder import UploadFolder
from bot.uploads.intake import UploadIntake
from bot.uploads.records import UploadInfo, with_outcome
from bot.uploads.tickets import UploadTicket, UploadTickets
from bot.web.pages import PageContext, PageRenderer

TUS_VERSION: Final = "1.0.0"
MAX_NAME_CHARS: Final = 200
CHUNK_BYTES: Final = 256 * 1024
_NUMBER: Final = re.compile(r"[0-9]{1,15}")


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
        self._submitting: set[asyncio.Task[None]] = set()

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
        _check_encoding(request)
        info = UploadInfo(
            name=_read_name(request),
            length=_read_number(request, "Upload-Length"),
            user_id=ticket.user_id,
            expires=float(ticket.expires),
        )
        with self._folder.hold(ticket.id):
            known = await self._folder.info(ticket.id)
            if known is not None and known.done:
                raise RefusedError("upload-used", "upload-used-hint")
            if known != info:
                await self._intake.check(ticket, info.name, info.length)
                await self._folder.create(ticket.id, info)
            is_whole = await self._folder.offset(ticket.id) == info.length
        if is_whole:
            # The bot was stopped before it took the clip over.
            self._take(ticket, info)
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
        _check_encoding(request)
        if request.content_type != "application/offset+octet-stream":
            raise PageError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "upload-type")
        given = _read_number(request, "Upload-Offset")
        with self._folder.hold(ticket.id):
            info = await self._require(ticket)
            if info.done:
                raise PageError(HTTPStatus.CONFLICT, "upload-used")
            async with aclosing(_chunks(request)) as chunks:
                offset = await self._folder.append(ticket.id, info, given, chunks)
        if offset == info.length:
            self._take(ticket, info)
        return _answer(HTTPStatus.NO_CONTENT, headers={"Upload-Offset": str(offset)})

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        ticket = self._read(request)
        with self._folder.hold(ticket.id):
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
        """Submit a whole upload in the background, once: the browser has all it needs.

        From here on nothing else changes it; there is no await between this and the end of what held it before.
        """
        held = ExitStack()
        held.enter_context(self._folder.hold(ticket.id, "upload-submitting"))
        task = asyncio.create_task(self._submit(ticket, info), name=f"upload-{ticket.id}")
        self._submitting.add(task)

        def let_go(ended: asyncio.Task[None]) -> None:
            held.close()
            self._submitting.discard(ended)

        task.add_done_callback(let_go)

    async def _submit(self, ticket: UploadTicket, info: UploadInfo) -> None:
        refusal = ""
        try:
            await self._intake.submit(ticket, info.name, self._folder.path(ticket.id))
        except Exception as error:  # noqa: BLE001 - whoever waits at the page is told
            structlog.get_logger(__name__).warning("upload_refused", error=type(error).__name__)
            refusal = self._describe(ticket, error)
        await self._folder.finish(ticket.id, with_outcome(info, refusal))

    @staticmethod
    def _describe(ticket: UploadTicket, error: BaseException) -> str:
        translator = translator_for(ticket.locale)
        return error_message(error, ticket.id[:8], translator).text(translator).replace("\\", "")


def _answer(
    status: HTTPStatus, *, text: str | None = None, headers: dict[str, str] | None = None
) -> web.StreamResponse:
    always = {"Tus-Resumable": TUS_VERSION, "Cache-Control": "no-store"}
    return web.Response(status=status, text=text, headers={**always, **(headers or {})})


def _check_encoding(request: web.Request) -> None:
    """Refuse bytes that are packed for the way: their number would not be that of the clip."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise PageError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "upload-encoding")


def _read_number(request: web.Request, header: str) -> int:
    given = request.headers.get(header, "")
    if _NUMBER.fullmatch(given) is None:
        raise PageError(HTTPStatus.BAD_REQUEST, "upload-number")
    return int(given)


async def _chunks(request: web.Request) -> AsyncGenerator[bytes]:
    try:
        async for chunk in request.content.iter_chunked(CHUNK_BYTES):
            yield chunk
    except (web.RequestPayloadError, HttpProcessingError) as error:
        raise PageError(HTTPStatus.BAD_REQUEST, "page-bad-request") from error


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
