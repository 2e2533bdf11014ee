"""The routes by which a page reads and changes its transcript; all answers are JSON."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final, TypeVar

import msgspec
from aiohttp import web

from bot.exceptions import EditConflictError, PageError, RefusedError
from bot.i18n.translator import Translator
from bot.transcripts.editor import Change
from bot.transcripts.json_forms import (
    SpeakerForm,
    SubmittedEdits,
    SubmittedWayBack,
    change_form,
    speaker_forms,
    transcript_form,
)
from bot.web.files import STALL_TIMEOUT_S
from bot.web.signed_links import PageToken
from bot.web.sources.base import PageData, ResultSource
from pipeline.errors import ValidationError

MAX_EDIT_BODY_BYTES: Final = 8 * 1024 * 1024
ZLIB_THREAD_BYTES: Final = 16 * 1024
"""From which size on an answer is compressed in a thread."""
OpenPage = Callable[[web.Request], Awaitable[tuple[PageToken, PageData]]]
"""Returns the token and the data of a page. Raises `PageError`."""
T = TypeVar("T")


class EditRoutes:
    """Answers the requests of a page's editor.

    Args:
        source: Where the results are.
        open_page: Reads the token of a request and loads its page.
        viewer: Tells who has signed in.
        translator: Tells the language of a request.

    """

    def __init__(
        self,
        source: ResultSource,
        open_page: OpenPage,
        viewer: Callable[[web.Request], str | None],
        translator: Callable[[web.Request], Translator],
    ) -> None:
        self._source = source
        self._open = open_page
        self._viewer = viewer
        self._translator = translator

    def add_to(self, app: web.Application, page: str) -> None:
        """Add the routes below the address of a page."""
        app.router.add_get(page + "/lines.json", self._lines)
        app.router.add_get(page + "/history.json", self._history)
        app.router.add_post(page + "/edits", self._edit)
        app.router.add_post(page + "/back", self._go_back)

    async def _lines(self, request: web.Request) -> web.Response:
        token, data = await self._open(request)
        if data.state is None:
            raise PageError(HTTPStatus.NOT_FOUND, "page-no-file")
        names = data.speakers()
        tag = _tag(data.state.revision, speaker_forms(data.state.transcript.speakers, names))
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers={"ETag": tag, "Cache-Control": "no-store"})
        form = await asyncio.to_thread(transcript_form, data.state, names, edit=token.edit and data.edit_words)
        answer = _json(form, tag=tag, body=await asyncio.to_thread(msgspec.json.encode, form))
        answer.enable_compression()
        return answer

    async def _history(self, request: web.Request) -> web.Response:
        token, _ = await self._open(request)
        return _json(await self._source.history(token.link_id, self._viewer(request)))

    async def _edit(self, request: web.Request) -> web.Response:
        token = await self._open_to_edit(request)
        given = await _read(request, SubmittedEdits)
        viewer = self._viewer(request)
        return await self._answer(
            request, token, lambda: self._source.change(token.link_id, given.edits, given.base, viewer)
        )

    async def _go_back(self, request: web.Request) -> web.Response:
        token = await self._open_to_edit(request)
        given = await _read(request, SubmittedWayBack)
        viewer = self._viewer(request)
        return await self._answer(
            request, token, lambda: self._source.go_back(token.link_id, given.revision, given.base, viewer)
        )

    async def _answer(
        self, request: web.Request, token: PageToken, make: Callable[[], Awaitable[Change]]
    ) -> web.Response:
        try:
            change = await make()
        except EditConflictError as error:
            author = await self._source.author(token.link_id, error.author)
            return _json({"author": author, "at": error.at}, HTTPStatus.CONFLICT)
        except RefusedError as error:
            translator = self._translator(request)
            hint = translator.format(error.hint_key) if error.hint_key else ""
            return _json(
                {"message": translator.format(error.key, **error.values), "hint": hint}, HTTPStatus.BAD_REQUEST
            )
        except ValidationError as error:
            return _json({"message": error.message, "hint": error.hint}, HTTPStatus.BAD_REQUEST)
        # With the names as they are now: the edits may have changed them.
        _, data = await self._open(request)
        form = await asyncio.to_thread(change_form, change, data.speakers())
        return _json(form, tag=_tag(form.revision, form.speakers))

    async def _open_to_edit(self, request: web.Request) -> PageToken:
        token, data = await self._open(request)
        check_may_change(request, token, data)
        if not data.edit_words:
            raise PageError(HTTPStatus.FORBIDDEN, "page-not-yours")
        if data.state is None:
            raise PageError(HTTPStatus.NOT_FOUND, "page-no-file")
        return token


def check_may_change(request: web.Request, token: PageToken, data: PageData) -> None:
    """Check that a request comes from a page of this site that may change its result. Raises `PageError`."""
    # The address gives the right; that this site's page sends the request is checked all the same.
    foreign = request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin"
    if not (token.edit and data.edit) or foreign or request.content_type != "application/json":
        raise PageError(HTTPStatus.FORBIDDEN, "page-not-yours")


async def _read(request: web.Request, kind: type[T]) -> T:
    try:
        async with asyncio.timeout(STALL_TIMEOUT_S):
            body = await request.clone(client_max_size=MAX_EDIT_BODY_BYTES).read()
        return await asyncio.to_thread(msgspec.json.decode, body, type=kind)
    except TimeoutError as error:
        raise PageError(HTTPStatus.REQUEST_TIMEOUT, "page-bad-request") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PageError(HTTPStatus.BAD_REQUEST, "page-bad-request") from error


def _tag(revision: int, speakers: tuple[SpeakerForm, ...]) -> str:
    """Return the tag of a transcript at a revision, with the names of its speakers."""
    return f'"{revision}-{hash(speakers) & 0xFFFFFFFF:x}"'


def _json(
    form: object, status: HTTPStatus = HTTPStatus.OK, *, tag: str | None = None, body: bytes | None = None
) -> web.Response:
    """Answer with a form, or with `body` where it was encoded before."""
    headers = {"Cache-Control": "no-store"} | ({} if tag is None else {"ETag": tag})
    return web.Response(
        status=status,
        body=msgspec.json.encode(form) if body is None else body,
        content_type="application/json",
        headers=headers,
        zlib_executor_size=ZLIB_THREAD_BYTES,
    )
