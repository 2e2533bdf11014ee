"""Measures the peaks of stems, so that a browser can draw a waveform without decoding an hour of sound."""

import asyncio
import tempfile
from pathlib import Path
from typing import Final

import msgspec
from cachetools import LRUCache

from bot.web.child_process import run_module
from bot.web.sources.base import ResultSource
from pipeline.errors import StoreError
from pipeline.types import Artefact

MAX_CACHED: Final = 100
"""Some 30 kB each."""
MEASURE_TIMEOUT_S: Final = 120.0
"""For fetching a stem, and again for measuring it: the others wait meanwhile."""


class Waveforms:
    """Measures each stem once."""

    def __init__(self, source: ResultSource) -> None:
        self._source = source
        self._cache: LRUCache[str, list[float]] = LRUCache(MAX_CACHED)
        self._turn = asyncio.Semaphore(1)

    async def get(self, artefact: Artefact) -> list[float]:
        """Return the peak of each of at most 1000 equal sections, 0 to 1.

        Raises:
            StoreError: The file cannot be read as sound.

        """
        async with self._turn:
            if artefact.digest not in self._cache:
                self._cache[artefact.digest] = await self._measure(artefact)
            return self._cache[artefact.digest]

    async def _measure(self, artefact: Artefact) -> list[float]:
        folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="stemcord-")
        try:
            path = Path(folder.name) / "sound"
            with await asyncio.to_thread(path.open, "wb") as file:
                async with asyncio.timeout(MEASURE_TIMEOUT_S):
                    async for chunk in self._source.stream(artefact, 0, artefact.size):
                        await asyncio.to_thread(file.write, chunk)
            said = await run_module("bot.web.waveform_child", str(path), timeout_s=MEASURE_TIMEOUT_S)
            return msgspec.json.decode(said, type=list[float])
        except (OSError, msgspec.MsgspecError) as error:
            raise StoreError("A stem cannot be read.", detail=repr(error)) from error
        finally:
            await asyncio.to_thread(folder.cleanup)
