"""Sends all files of a result as one zip, which is made while it is sent."""

import asyncio
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Final

from stream_zip import ZIP_AUTO, AsyncMemberFile, async_stream_zip

from bot.web.sources.base import ResultSource
from pipeline.types import Artefact

FILE_MODE: Final = 0o600
MAX_ZIPS_AT_ONCE: Final = 2
"""Each zip holds a thread of the pool that also reads files; with all of them held nothing would be read."""


class ZipStreamer:
    """Makes a few zips at once."""

    def __init__(self, source: ResultSource) -> None:
        self._source = source
        self._turn = asyncio.Semaphore(MAX_ZIPS_AT_ONCE)

    async def stream(self, files: Mapping[str, Artefact]) -> AsyncGenerator[bytes]:
        """Stream a zip without compression, since media do not get smaller. Raises `StoreError`."""
        modified = datetime.now(UTC)

        async def members() -> AsyncIterator[AsyncMemberFile]:
            for name, artefact in files.items():
                content = self._source.stream(artefact, 0, artefact.size)
                yield name, modified, FILE_MODE, ZIP_AUTO(artefact.size, level=0), content

        async with self._turn:
            async for chunk in async_stream_zip(
                members(), get_compressobj=lambda: zlib.compressobj(wbits=-zlib.MAX_WBITS, level=0)
            ):
                yield chunk
