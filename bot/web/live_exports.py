"""Writes the transcript's files as it is now, while those of the result are still written anew."""

import asyncio
import hashlib
from typing import Final

import msgspec
from cachetools import LRUCache

from bot.web.child_process import run_module
from bot.web.sources.base import PageData

LIVE_SUFFIXES: Final = ("txt", "md", "srt", "vtt", "ass", "TextGrid", "csv", "talktime.csv")
"""Files that follow from the transcript alone; the others follow when they are written."""
MAX_CACHED: Final = 16
WRITE_TIMEOUT_S: Final = 30.0
"""Two hours of talk take 7 s in the slowest format."""
_FILE_PREFIX: Final = "transcript."


class LiveExports:
    """Writes files of transcripts in a child process, one at a time."""

    def __init__(self) -> None:
        self._cache: LRUCache[tuple[str, str], bytes] = LRUCache(MAX_CACHED)
        self._turn = asyncio.Semaphore(1)

    async def get(self, data: PageData, name: str) -> bytes | None:
        """Return a file of the result as the transcript is now; None when the file itself is right.

        Raises:
            StoreError: It could not be written.

        """
        if not data.is_stale or data.state is None or not is_live(name):
            return None
        suffix = name.removeprefix(_FILE_PREFIX)
        # By content: transcripts of two results may have the same recognised file and as many edits.
        order, digest = await asyncio.to_thread(_encode, data)
        async with self._turn:
            if (digest, suffix) not in self._cache:
                self._cache[digest, suffix] = await run_module(
                    "pipeline.export", suffix, given=order, timeout_s=WRITE_TIMEOUT_S
                )
            return self._cache[digest, suffix]


def is_live(name: str) -> bool:
    """Tell whether a file is written from the transcript as it is now."""
    return name in {f"{_FILE_PREFIX}{suffix}" for suffix in LIVE_SUFFIXES}


def _encode(data: PageData) -> tuple[bytes, str]:
    """Return what the child process reads, and its digest."""
    order = msgspec.json.encode({"transcript": data.named_transcript(), "style": data.result.request.subtitles})
    return order, hashlib.sha256(order).hexdigest()
