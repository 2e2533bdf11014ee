"""The web application: routes, headers and error pages."""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

import msgspec
import structlog
from aiohttp import web

from bot.exceptions import PageError, ResultPendingError
from bot.i18n.translator import Translator, translator_for
from bot.transcripts.naming import MAX_SPEAKER_NAME_CHARS
from bot.uploads.routes import UploadRoutes
from bot.web.captions import rename_speakers
from bot.web.edit_routes import EditRoutes, check_may_change
from bot.web.files import MIN_ZIP_RATE, STALL_TIMEOUT_S, disposition, send_file, send_stream
from bot.web.legal import LegalPages
from bot.web.live_exports import LiveExports, is_live
from bot.web.pages import PageContext, PageRenderer, files_with_waveform
from bot.web.sign_in import CALLBACK_PATH, SignIn
from bot.web.signed_links import PageToken, TokenSigner, page_url
from bot.web.sources.base import MAX_TRANSCRIPT_BYTES, PageData, ResultSource
from bot.web.waveform import Waveforms
from bot.web.zip_stream import ZipStreamer
from pipeline.errors import StemcordError
from pipeline.types import Artefact

STATIC_FOLDER: Final = Path(__file__).parent / "static"
MAX_BODY_BYTES: Final = 64 * 1024
EDITED_FILES: Final = (
    *(f"transcript.{suffix}" for suffix in ("json", "rttm", "docx", "xlsx", "edl")),
    *("final.mp4", "final.mkv", "report.png"),
)
"""Files that follow the transcript, beside those that are written while a person waits."""
NONCE: Final = web.RequestKey("nonce", str)
"""Nonce of the page's own style block."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """Serves the pages of one source.

    Args:
        source: Where the results are.
        signer: Reads and signs tokens.
        public_url: Address under which people reach the site; a proxy may remove its path or not.
        shared: Whether people give addresses to each other.
        sign_in: Tells who opens a page; None: whoever has the address sees it.
        uploads: Takes clips that Discord does not; None: there is no such page.
        legal: The terms and the privacy policy; None: neither is served.

    """

    def __init__(
        self,
        source: ResultSource,
        signer: TokenSigner,
        *,
        public_url: str,
        shared: bool = True,
        sign_in: SignIn | None = None,
        legal: LegalPages | None = None,
        uploads: UploadRoutes | None = None,
    ) -> None:
        self._uploads = uploads
        self._legal = legal
        self._source = source
        self._signer = signer
        self._public_url = public_url.rstrip("/")
        self._base = urlsplit(self._public_url).path
        self._shared = shared
        self._sign_in = sign_in
        self._pages = PageRenderer()
        self._zipper = ZipStreamer(source)
        self._waveforms = Waveforms(source)
        self._live_exports = LiveExports()
        self._edit_routes = EditRoutes(source, self._open, self._viewer, _translator)

    def page_url(self, token: PageToken) -> str:
        """Return the full address of a page."""
        return page_url(self._public_url, self._signer.sign(token))

    def application(self) -> web.Application:
        """Build the application. Its addresses are secrets, so it must be served without an access log."""
        app = web.Application(middlewares=[self._answer_failures], client_max_size=MAX_BODY_BYTES)
        app.on_response_prepare.append(_protect)
        for base in dict.fromkeys(("", self._base)):
            page = f"{base}/r/{{token}}"
            app.router.add_get(page, self._add_slash)
            app.router.add_get(page + "/", self._show)
            app.router.add_get(page + "/files/{name:.+}", self._file)
            app.router.add_get(page + "/waveform/{name:.+}", self._waveform)
            app.router.add_get(page + "/captions.vtt", self._captions)
            app.router.add_get(page + "/all.zip", self._zip)
            app.router.add_post(page + "/names", self._rename)
            self._edit_routes.add_to(app, page)
            if self._sign_in is not None:
                app.router.add_get(base + CALLBACK_PATH, self._sign_in.finish)
            if self._uploads is not None:
                self._uploads.add_to(app, base, self._pages, self._context, _translator)
            if self._legal is not None:
                app.router.add_get(base + "/{document:terms|privacy}", self._document)
            app.router.add_static(base + "/static", STATIC_FOLDER)
        return app

    def _context(self, request: web.Request) -> PageContext:
        return PageContext(translator=_translator(request), base=self._base, nonce="")

    async def _document(self, request: web.Request) -> web.StreamResponse:
        assert self._legal is not None
        shown = await asyncio.to_thread(self._legal.render, request.match_info["document"])
        if shown is None:
            raise PageError(HTTPStatus.NOT_FOUND, "page-none")
        return web.Response(text=self._pages.document(self._context(request), shown), content_type="text/html")

    async def _open(self, request: web.Request) -> tuple[PageToken, PageData]:
        token = self._signer.read(request.match_info["token"])
        return token, await self._source.load(token.link_id, self._viewer(request))

    async def _open_settled(self, request: web.Request) -> PageData:
        """Open a page to read a file that may still be written anew with the latest edits."""
        token, data = await self._open(request)
        name = request.match_info.get("name", "")
        if data.is_stale and not is_live(name) and (not name or name in EDITED_FILES):
            await self._source.settle(token.link_id)
            _, data = await self._open(request)
        return data

    def _viewer(self, request: web.Request) -> str | None:
        """Return who has signed in; None where nobody needs to."""
        if self._sign_in is None:
            return None
        person = self._sign_in.person(request)
        if person is None:
            raise PageError(HTTPStatus.UNAUTHORIZED, "page-sign-in")
        return person

    async def _add_slash(self, request: web.Request) -> web.StreamResponse:
        # Relative, so that it works behind any proxy.
        return web.Response(
            status=HTTPStatus.PERMANENT_REDIRECT, headers={"Location": f"{quote(request.match_info['token'])}/"}
        )

    async def _show(self, request: web.Request) -> web.StreamResponse:
        if self._sign_in is not None and self._sign_in.person(request) is None:
            self._signer.read(request.match_info["token"])
            return self._sign_in.begin(request.match_info["token"])
        try:
            token, data = await self._open(request)
        except ResultPendingError as pending:
            document = self._pages.pending(self._context(request), pending.title, pending.progress)
            return web.Response(text=document, content_type="text/html", headers={"Cache-Control": "no-store"})
        nonce = secrets.token_urlsafe(16)
        context = PageContext(
            translator=_translator(request),
            base=self._base,
            nonce=nonce,
            edit=token.edit and data.edit,
            view_only=self.page_url(replace(token, edit=False)) if token.edit and self._shared else "",
            operator=not self._shared,
        )
        document = await asyncio.to_thread(self._pages.result, data, context)
        request[NONCE] = nonce
        return web.Response(text=document, content_type="text/html", headers={"Cache-Control": "no-store"})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        try:
            data = await self._open_settled(request)
        except ResultPendingError as pending:
            files = {file.name: file for file in pending.progress.files}
            return await send_file(request, _find(request, files), self._source, save=False)
        artefact, save = _find(request, data.files()), "save" in request.query
        live = await self._live_exports.get(data, artefact.name)
        if live is None:
            return await send_file(request, artefact, self._source, save=save)
        headers = {"Content-Disposition": disposition(artefact.name, save=save), "Cache-Control": "no-store"}
        return web.Response(body=live, content_type=artefact.media_type, headers=headers)

    async def _waveform(self, request: web.Request) -> web.StreamResponse:
        _, data = await self._open(request)
        artefact = _find(request, data.files())
        if artefact.name not in files_with_waveform(data):
            raise PageError(HTTPStatus.NOT_FOUND, "page-no-file")
        return web.json_response(await self._waveforms.get(artefact))

    async def _captions(self, request: web.Request) -> web.StreamResponse:
        _, data = await self._open(request)
        live = await self._live_exports.get(data, "transcript.vtt")
        if live is not None:
            return web.Response(body=live, content_type="text/vtt")
        artefact = data.result.artefact("transcript.vtt")
        if artefact is None or artefact.size > MAX_TRANSCRIPT_BYTES:
            raise PageError(HTTPStatus.NOT_FOUND, "page-no-file")
        text = b"".join([chunk async for chunk in self._source.stream(artefact, 0, artefact.size)]).decode()
        old = {} if data.transcript is None else {speaker.id: speaker.name for speaker in data.transcript.speakers}
        names = {old[speaker]: name for speaker, name in data.speakers().items()}
        return web.Response(text=rename_speakers(text, names), content_type="text/vtt")

    async def _zip(self, request: web.Request) -> web.StreamResponse:
        data = await self._open_settled(request)
        headers = {
            "Content-Type": "application/zip",
            "Content-Disposition": disposition(f"{data.title}.zip", save=True),
            "Cache-Control": "no-store",
        }
        zipped = self._zipper.stream(data.files())
        return await send_stream(request, web.StreamResponse(headers=headers), zipped, min_rate=MIN_ZIP_RATE)

    async def _rename(self, request: web.Request) -> web.StreamResponse:
        token, data = await self._open(request)
        check_may_change(request, token, data)
        viewer = self._viewer(request)
        await self._source.rename(token.link_id, _read_names(await _read_body(request), data), viewer)
        changed = await self._source.load(token.link_id, viewer)
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
        except StemcordError as error:
            structlog.get_logger(__name__).warning("page_failed", error=type(error).__name__)
            status, key = HTTPStatus.SERVICE_UNAVAILABLE, "page-away"
        if status in (HTTPStatus.FORBIDDEN, HTTPStatus.GONE):
            structlog.get_logger(__name__).info("page_refused", status=int(status), reason=key)
        context = PageContext(translator=_translator(request), base=self._base, nonce="")
        document = self._pages.failure(context, status, key)
        answer = web.Response(
            status=status, text=document, content_type="text/html", headers={"Cache-Control": "no-store"}
        )
        if self._sign_in is not None and key == "page-not-for-you":
            self._sign_in.forget(answer)
        return answer


async def _protect(request: web.Request, answer: web.StreamResponse) -> None:
    """Set headers that allow nothing from other sites, nothing inline, and give no address away."""
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


def _find(request: web.Request, files: Mapping[str, Artefact]) -> Artefact:
    """Find the requested file by its exact name; the name is never opened as a path."""
    artefact = files.get(request.match_info["name"])
    if artefact is None:
        raise PageError(HTTPStatus.NOT_FOUND, "page-no-file")
    return artefact


async def _read_body(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(STALL_TIMEOUT_S):
            return await request.read()
    except TimeoutError as error:
        raise PageError(HTTPStatus.REQUEST_TIMEOUT, "page-bad-request") from error


def _read_names(body: bytes, data: PageData) -> dict[str, str]:
    try:
        given = msgspec.json.decode(body, type=dict[str, str])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise PageError(HTTPStatus.BAD_REQUEST, "page-bad-request") from error
    names = {speaker: " ".join(name.split()) for speaker, name in given.items()}
    wrong = any(not name.isprintable() or len(name) > MAX_SPEAKER_NAME_CHARS for name in names.values())
    if wrong or not names.keys() <= data.speakers().keys():
        raise PageError(HTTPStatus.BAD_REQUEST, "page-bad-request")
    return names


def _translator(request: web.Request) -> Translator:
    """Return the first language that the browser accepts."""
    found = re.match(r"\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)", request.headers.get("Accept-Language", ""))
    return translator_for(found[1].lower() if found else "en")
