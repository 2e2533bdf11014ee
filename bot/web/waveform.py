"""The outline of a stem for its waveform, so that a browser need not decode an hour of sound to draw it."""

import asyncio
import sys
import tempfile
from collections import OrderedDict
from pathlib import Path
from typing import Final

import msgspec

from bot.web.sources.base import ResultSource
from pipeline.errors import StoreError
from pipeline.types import Artefact

MAX_CACHED: Final = 100
"""Outlines in memory, some 30 kB each."""
MEASURE_TIMEOUT_S: Final = 120.0
"""Seconds to fetch one, and again to measure it: the others wait meanwhile."""


class Waveforms:
    """Measures stems, each once."""

    def __init__(self, source: ResultSource) -> None:
        self._source = source
        self._known: OrderedDict[str, list[float]] = OrderedDict()
        self._turn = asyncio.Semaphore(1)

    async def get(self, artefact: Artefact) -> list[float]:
        """Highest samples of equal stretches, 0 to 1. Raises `StoreError` when it is no sound that can be read."""
        async with self._turn:
            if artefact.digest not in self._known:
                self._known[artefact.digest] = await self._measure(artefact)
                if len(self._known) > MAX_CACHED:
                    self._known.popitem(last=False)
            self._known.move_to_end(artefact.digest)
            return self._known[artefact.digest]

    async def _measure(self, artefact: Artefact) -> list[float]:
        folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="stemcord-")
        try:
            path = Path(folder.name) / "sound"
            with await asyncio.to_thread(path.open, "wb") as file:
                async with asyncio.timeout(MEASURE_TIMEOUT_S):
                    async for chunk in self._source.stream(artefact, 0, artefact.size):
                        await asyncio.to_thread(file.write, chunk)
            return await _run_child(path)
        except (OSError, msgspec.MsgspecError) as error:
            raise StoreError("A stem cannot be read.", detail=repr(error)) from error
        finally:
            await asyncio.to_thread(folder.cleanup)


async def _run_child(path: Path) -> list[float]:
    """What the program says; nothing that can be decoded when it fails."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.web.waveform_child", str(path)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(MEASURE_TIMEOUT_S):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return msgspec.json.decode(said, type=list[float])
