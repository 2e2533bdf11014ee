"""The web application: routes, headers, and a friendly page for whatever cannot be done."""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

import msgspec
import structlog
from aiohttp import web

from bot.i18n.translator import Speech, speech_for
from bot.web.captions import with_names
from bot.web.files import STALLED, disposition, send_file, send_stream
from bot.web.pages import Pages, Visit, tracks_of
from bot.web.signed_links import Ticket, Tickets, address_of
from bot.web.sources.base import LONGEST_NAME, TRANSCRIPT_SIZE, PageData, PageError, ResultSource
from bot.web.waveform import Outlines
from bot.web.zip_stream import Zipper
from pipeline.errors import AudioProcessingError
from pipeline.types import Artefact

STATIC: Final = Path(__file__).parent / "static"
BODY: Final = 64 * 1024
"""Bytes of a request."""
NONCE: Final = web.RequestKey("nonce", str)
"""Of the page's own style block."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """Serves the pages of one source.

    `public_url` is where people reach it; a proxy may cut off its path or not. `shared`: people may
    give addresses to each other.
    """

    def __init__(self, source: ResultSource, tickets: Tickets, *, public_url: str, shared: bool = True) -> None:
        self._source = source
        self._tickets = tickets
        self._public_url = public_url.rstrip("/")
        self._base = urlsplit(self._public_url).path
        self._shared = shared
        self._pages = Pages()
        self._zipper = Zipper(source)
        self._outlines = Outlines(source)

    def address(self, ticket: Ticket) -> str:
        """The full address of a page."""
        return address_of(self._public_url, self._tickets.sign(ticket))

    def application(self) -> web.Application:
        """The application, to be served by a runner; its addresses are secrets, so it must have no access log."""
        app = web.Application(middlewares=[self._answer_failures], client_max_size=BODY)
        app.on_response_prepare.append(_protect)
        for base in dict.fromkeys(("", self._base)):
            page = f"{base}/r/{{token}}"
            app.router.add_get(page, self._add_slash)
            app.router.add_get(page + "/", self._show)
            app.router.add_get(page + "/files/{name:.+}", self._file)
            app.router.add_get(page + "/outline/{name:.+}", self._outline)
            app.router.add_get(page + "/captions.vtt", self._captions)
            app.router.add_get(page + "/all.zip", self._zip)
            app.router.add_post(page + "/names", self._rename)
            app.router.add_static(base + "/static", STATIC)
        return app

    async def _open(self, request: web.Request) -> tuple[Ticket, PageData]:
        ticket = self._tickets.read(request.match_info["token"])
        return ticket, await self._source.load(ticket.link_id)

    async def _add_slash(self, request: web.Request) -> web.StreamResponse:
        # Relative, so that it holds behind any proxy.
        return web.Response(
            status=HTTPStatus.PERMANENT_REDIRECT, headers={"Location": f"{quote(request.match_info['token'])}/"}
        )

    async def _show(self, request: web.Request) -> web.StreamResponse:
        ticket, data = await self._open(request)
        nonce = secrets.token_urlsafe(16)
        visit = Visit(
            speech=_speech(request),
            base=self._base,
            nonce=nonce,
            edit=ticket.edit and data.edit,
            view_only=self.address(replace(ticket, edit=False)) if ticket.edit and self._shared else "",
            operator=not self._shared,
        )
        document = await asyncio.to_thread(self._pages.result, data, visit)
        request[NONCE] = nonce
        return web.Response(text=document, content_type="text/html", headers={"Cache-Control": "no-store"})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        _, data = await self._open(request)
        return await send_file(request, _find(request, data), self._source, save="save" in request.query)

    async def _outline(self, request: web.Request) -> web.StreamResponse:
        _, data = await self._open(request)
        artefact = _find(request, data)
        if artefact.name not in {track.name for track in tracks_of(data)}:
            raise PageError(HTTPStatus.NOT_FOUND, "page-no-file")
        return web.json_response(await self._outlines.of(artefact))

    async def _captions(self, request: web.Request) -> web.StreamResponse:
        _, data = await self._open(request)
        artefact = data.result.artefact("transcript.vtt")
        if artefact is None or artefact.size > TRANSCRIPT_SIZE:
            raise PageError(HTTPStatus.NOT_FOUND, "page-no-file")
        text = b"".join([chunk async for chunk in self._source.stream(artefact, 0, artefact.size)]).decode()
        old = {} if data.transcript is None else {speaker.id: speaker.name for speaker in data.transcript.speakers}
        names = {old[speaker]: name for speaker, name in data.speakers().items()}
        return web.Response(text=with_names(text, names), content_type="text/vtt")

    async def _zip(self, request: web.Request) -> web.StreamResponse:
        _, data = await self._open(request)
        headers = {
            "Content-Type": "application/zip",
            "Content-Disposition": disposition(f"{data.title}.zip", save=True),
            "Cache-Control": "no-store",
        }
        return await send_stream(request, web.StreamResponse(headers=headers), self._zipper.stream(data.files()))

    async def _rename(self, request: web.Request) -> web.StreamResponse:
        ticket, data = await self._open(request)
        # The address itself gives the right; that the page is ours which sends it is checked all the same.
        foreign = request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin"
        if not (ticket.edit and data.edit) or foreign or request.content_type != "application/json":
            raise PageError(HTTPStatus.FORBIDDEN, "page-not-yours")
        await self._source.rename(ticket.link_id, _read_names(await _read_body(request), data))
        changed = await self._source.load(ticket.link_id)
        return web.json_response(changed.speakers(), headers={"Cache-Control": "no-store"})

    @web.middleware
    async def _answer_failures(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except PageError as error:
            status, key = error.status, error.key
        except web.HTTPException as error:
            if error.status < HTTPStatus.BAD_REQUEST:
                raise
            status = HTTPStatus(error.status)
            key = "page-none" if status == HTTPStatus.NOT_FOUND else "page-bad-request"
        except AudioProcessingError as error:
            structlog.get_logger(__name__).warning("page_failed", error=type(error).__name__)
            status, key = HTTPStatus.SERVICE_UNAVAILABLE, "page-away"
        if status in (HTTPStatus.FORBIDDEN, HTTPStatus.GONE):
            structlog.get_logger(__name__).info("page_refused", status=int(status), reason=key)
        visit = Visit(speech=_speech(request), base=self._base, nonce="")
        document = self._pages.failure(visit, status, key)
        return web.Response(
            status=status, text=document, content_type="text/html", headers={"Cache-Control": "no-store"}
        )


async def _protect(request: web.Request, answer: web.StreamResponse) -> None:
    """Headers that keep the page to itself: nothing from elsewhere, nothing inline, no address given away."""
    nonce = request.get(NONCE)
    style = "'self'" + (f" 'nonce-{nonce}'" if nonce else "")
    answer.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'self'; style-src {style}; img-src 'self'; media-src 'self'; "
        "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    answer.headers.setdefault("Cache-Control", "no-cache")


def _find(request: web.Request, data: PageData) -> Artefact:
    """The file of that very name; a name is looked up, never opened as a path."""
    artefact = data.files().get(request.match_info["name"])
    if artefact is None:
        raise PageError(HTTPStatus.NOT_FOUND, "page-no-file")
    return artefact


async def _read_body(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(STALLED):
            return await request.read()
    except TimeoutError as error:
        raise PageError(HTTPStatus.REQUEST_TIMEOUT, "page-bad-request") from error


def _read_names(body: bytes, data: PageData) -> dict[str, str]:
    try:
        given = msgspec.json.decode(body, type=dict[str, str])
    except msgspec.MsgspecError as error:
        raise PageError(HTTPStatus.BAD_REQUEST, "page-bad-request") from error
    names = {speaker: " ".join(name.split()) for speaker, name in given.items()}
    wrong = any(not name.isprintable() or len(name) > LONGEST_NAME for name in names.values())
    if wrong or not names.keys() <= data.speakers().keys():
        raise PageError(HTTPStatus.BAD_REQUEST, "page-bad-request")
    return names


def _speech(request: web.Request) -> Speech:
    """The first language of the browser's list, as browsers put the dearest first."""
    found = re.match(r"\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)", request.headers.get("Accept-Language", ""))
    return speech_for(found[1].lower() if found else "en")
