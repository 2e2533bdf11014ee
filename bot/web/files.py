"""Sends files with byte ranges, ETags and safe names."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote

import structlog
from aiohttp import web

from bot.web.sources.base import ResultSource
from pipeline.errors import StoreError
from pipeline.types import Artefact

INLINE_TYPES: Final = ("audio/", "video/", "image/png", "text/vtt")
"""Media types that the page shows; everything else is saved and never opened as a page of this site."""
STALL_TIMEOUT_S: Final = 60.0
"""Time that the store and the browser may take for one chunk."""
MIN_ZIP_RATE: Final = 16 * 1024.0
"""Bytes a second at which a zip must be read; a player may read a sound more slowly."""
SLOW_GRACE_S: Final = 30.0
"""Time after which the rate of a reader counts."""
WHOLE_FILE: Final = slice(None, None, 1)


async def send_file(
    request: web.Request, artefact: Artefact, source: ResultSource, *, save: bool
) -> web.StreamResponse:
    """Send a file, or the range of it that the request names.

    Args:
        request: The request, with its `Range`, `If-Range` and `If-None-Match`.
        artefact: The file.
        source: Where its bytes are.
        save: Whether the browser saves it instead of showing it.

    """
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
    if any(tag.value in (artefact.digest, "*") for tag in request.if_none_match or ()):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    wanted = _requested_range(request, etag)
    start, end, _ = wanted.indices(artefact.size)
    status = HTTPStatus.OK
    if wanted != WHOLE_FILE:
        if start >= end:
            headers["Content-Range"] = f"bytes */{artefact.size}"
            return web.Response(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{artefact.size}"
        status = HTTPStatus.PARTIAL_CONTENT
    headers["Content-Length"] = str(end - start)
    if request.method == "HEAD":
        return web.Response(status=status, headers=headers)
    return await send_stream(
        request, web.StreamResponse(status=status, headers=headers), source.stream(artefact, start, end)
    )


async def send_stream(
    request: web.Request, answer: web.StreamResponse, stream: AsyncGenerator[bytes], *, min_rate: float = 0.0
) -> web.StreamResponse:
    """Send a stream of bytes; its first chunk is awaited before the status, so that a failing store gives an error.

    When the stream fails or either side stalls later, the connection is aborted: half a file must not look complete.

    Args:
        request: The request.
        answer: Its answer, not yet prepared.
        stream: The bytes.
        min_rate: Bytes a second below which the browser counts as stalled, on average after a while.

    Raises:
        StoreError: The first chunk did not arrive.

    """
    async with aclosing(stream):
        try:
            async with asyncio.timeout(STALL_TIMEOUT_S):
                chunk = await anext(stream, None)
        except TimeoutError as error:
            raise StoreError("The store did not send a file in time.") from error
        await answer.prepare(request)
        began, sent = time.monotonic(), 0
        try:
            while chunk is not None:
                async with asyncio.timeout(STALL_TIMEOUT_S):
                    await answer.write(chunk)
                    sent += len(chunk)
                    chunk = await anext(stream, None)
                _check_rate(sent, time.monotonic() - began, min_rate)
        except (StoreError, TimeoutError) as error:
            structlog.get_logger(__name__).warning("page_stream_failed", error=type(error).__name__)
            if request.transport is not None:
                request.transport.abort()
            return answer
    await answer.write_eof()
    return answer


def _check_rate(sent: int, took: float, min_rate: float) -> None:
    """Raise `TimeoutError` when the browser reads too slowly."""
    if took > SLOW_GRACE_S and sent < min_rate * took:
        raise TimeoutError


def disposition(name: str, *, save: bool) -> str:
    """Build Content-Disposition (RFC 6266) for the last part of a name; nothing in the name can end the header."""
    last = PurePosixPath(name.replace("\\", "/")).name
    clean = "".join(letter for letter in last if letter.isprintable()) or "file"
    plain = "".join(letter if letter.isascii() and letter not in '"\\%;' else "_" for letter in clean)
    return f"{'attachment' if save else 'inline'}; filename=\"{plain}\"; filename*=UTF-8''{quote(clean, safe='')}"


def _requested_range(request: web.Request, etag: str) -> slice:
    """Return the requested range; an unreadable one, several, or one of another version mean the whole file."""
    # aiohttp reads If-Range only as a date.
    if request.headers.get("If-Range", etag) != etag:
        return WHOLE_FILE
    try:
        return request.http_range
    except ValueError:
        return WHOLE_FILE
