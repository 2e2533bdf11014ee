"""Answers that send bytes: ranges, ETags, names that are safe to save under."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote

import structlog
from aiohttp import web

from bot.web.ranges import RangeError, Span, read_range
from bot.web.sources.base import ResultSource
from pipeline.errors import StoreError
from pipeline.types import Artefact

INLINE_TYPES: Final = ("audio/", "video/", "image/png", "text/vtt")
"""Media types that the page itself plays; everything else is saved, never opened as a page of ours."""
STALL_TIMEOUT_S: Final = 60.0
"""Seconds that the store and a reader may take for one piece."""


async def send_file(
    request: web.Request, artefact: Artefact, source: ResultSource, *, save: bool
) -> web.StreamResponse:
    """The file, or the range of it that was asked for."""
    etag = f'"{artefact.digest}"'
    headers = {
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Type": artefact.media_type,
        "Content-Disposition": disposition(
            artefact.name, save=save or not artefact.media_type.startswith(INLINE_TYPES)
        ),
    }
    if _names(request.headers.get("If-None-Match"), etag):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    try:
        span = _span(request, etag, artefact.size)
    except RangeError:
        headers["Content-Range"] = f"bytes */{artefact.size}"
        return web.Response(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
    if span is not None:
        headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{artefact.size}"
    whole = span or Span(0, artefact.size)
    headers["Content-Length"] = str(whole.size)
    status = HTTPStatus.OK if span is None else HTTPStatus.PARTIAL_CONTENT
    if request.method == "HEAD":
        return web.Response(status=status, headers=headers)
    answer = web.StreamResponse(status=status, headers=headers)
    return await send_stream(request, answer, source.stream(artefact, whole.start, whole.end))


async def send_stream(
    request: web.Request, answer: web.StreamResponse, stream: AsyncGenerator[bytes]
) -> web.StreamResponse:
    """Send what comes; the first piece is waited for, so that a store that is away is still told by a status.

    A stream that breaks or stalls later, or a reader that stalls, ends the connection: half a file must not look whole.
    """
    async with aclosing(stream):
        try:
            async with asyncio.timeout(STALL_TIMEOUT_S):
                chunk = await anext(stream, None)
        except TimeoutError as error:
            raise StoreError("A file does not come from the store in time.") from error
        await answer.prepare(request)
        try:
            while chunk is not None:
                async with asyncio.timeout(STALL_TIMEOUT_S):
                    await answer.write(chunk)
                    chunk = await anext(stream, None)
        except (StoreError, TimeoutError) as error:
            structlog.get_logger(__name__).warning("page_stream_broke", error=type(error).__name__)
            if request.transport is not None:
                request.transport.abort()
            return answer
    await answer.write_eof()
    return answer


def disposition(name: str, *, save: bool) -> str:
    """Content-Disposition (RFC 6266) for the last part of a name; nothing in it can end the header."""
    last = PurePosixPath(name.replace("\\", "/")).name
    clean = "".join(letter for letter in last if letter.isprintable()) or "file"
    plain = "".join(letter if letter.isascii() and letter not in '"\\%;' else "_" for letter in clean)
    return f"{'attachment' if save else 'inline'}; filename=\"{plain}\"; filename*=UTF-8''{quote(clean, safe='')}"


def _span(request: web.Request, etag: str, size: int) -> Span | None:
    condition = request.headers.get("If-Range")
    if condition is not None and condition != etag:
        return None
    return read_range(request.headers.get("Range"), size)


def _names(header: str | None, etag: str) -> bool:
    tags = [] if header is None else [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return etag in tags or "*" in tags
