"""The outline of a stem for its waveform, so that a browser need not decode an hour of sound to draw it."""

import asyncio
import tempfile
from collections import OrderedDict
from pathlib import Path
from typing import Final

from bot.web.source import ResultSource
from pipeline.errors import StoreError
from pipeline.types import Artefact

POINTS: Final = 1000
KEPT: Final = 200
"""Outlines in memory, 8 kB each."""
BLOCK: Final = 1 << 20
"""Frames read at once."""


class Outlines:
    """Measures stems, each once."""

    def __init__(self, source: ResultSource) -> None:
        self._source = source
        self._known: OrderedDict[str, list[float]] = OrderedDict()
        self._turn = asyncio.Semaphore(1)

    async def of(self, artefact: Artefact) -> list[float]:
        """Highest samples of equal stretches, 0 to 1. Raises `StoreError` when it is no sound that can be read."""
        async with self._turn:
            if artefact.digest not in self._known:
                self._known[artefact.digest] = await self._measure(artefact)
                if len(self._known) > KEPT:
                    self._known.popitem(last=False)
            self._known.move_to_end(artefact.digest)
            return self._known[artefact.digest]

    async def _measure(self, artefact: Artefact) -> list[float]:
        folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="stemcord-")
        try:
            path = Path(folder.name) / "sound"
            with await asyncio.to_thread(path.open, "wb") as file:
                async for chunk in self._source.stream(artefact, 0, artefact.size):
                    await asyncio.to_thread(file.write, chunk)
            return await asyncio.to_thread(_outline, path)
        # What soundfile raises is a RuntimeError.
        except (RuntimeError, OSError) as error:
            raise StoreError("A stem cannot be read.", detail=repr(error)) from error
        finally:
            await asyncio.to_thread(folder.cleanup)


def _outline(path: Path) -> list[float]:
    import numpy as np
    import soundfile  # pyright: ignore[reportMissingTypeStubs] - it has types, but no stubs; 20 MB that few need

    with soundfile.SoundFile(path) as sound:
        step = max(1, -(-sound.frames // POINTS))
        peaks: list[float] = []
        for block in sound.blocks(blocksize=step * max(1, BLOCK // step), dtype="float32", always_2d=True):
            loudest = np.abs(block).max(axis=1)
            starts = np.arange(0, len(loudest), step)
            peaks += [round(float(peak), 3) for peak in np.maximum.reduceat(loudest, starts)]
    return peaks
