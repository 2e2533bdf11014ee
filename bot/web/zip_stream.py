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
MAX_CHUNKS_AT_ONCE: Final = 2
"""Chunks that are made at once: each holds a thread of the pool that also reads files meanwhile."""


class ZipStreamer:
    """Makes zips, each no faster than it is read; one that is read slowly holds up no other."""

    def __init__(self, source: ResultSource) -> None:
        self._source = source
        self._turn = asyncio.Semaphore(MAX_CHUNKS_AT_ONCE)

    async def stream(self, files: Mapping[str, Artefact]) -> AsyncGenerator[bytes]:
        """Stream a zip without compression, since media do not get smaller. Raises `StoreError`."""
        modified = datetime.now(UTC)

        async def members() -> AsyncIterator[AsyncMemberFile]:
            for name, artefact in files.items():
                content = self._source.stream(artefact, 0, artefact.size)
                yield name, modified, FILE_MODE, ZIP_AUTO(artefact.size, level=0), content

        chunks = aiter(
            async_stream_zip(members(), get_compressobj=lambda: zlib.compressobj(wbits=-zlib.MAX_WBITS, level=0))
        )
        while True:
            async with self._turn:
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            yield chunk
