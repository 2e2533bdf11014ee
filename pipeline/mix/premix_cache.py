"""A mix that is made once and read again from a temporary file, as long as it is short."""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TypeAlias

import numpy as np

from pipeline.audio import io as audio_io

Premix: TypeAlias = Callable[[], audio_io.Blocks]

MAX_CACHE_BYTES = 512 * 2**20
"""Bytes on the disk: 25 minutes of stereo at 44.1 kHz. To make the mix again costs seconds only for long clips."""


class CachedPremix:
    """Gives the blocks that `make` gives; after the first time, from a file without a name in `folder`.

    Used as a context manager, which removes the file. Where the disk has no room, the mix is made anew.
    """

    def __init__(self, make: Premix, clip_info: audio_io.SoundInfo, folder: Path) -> None:
        self._make = make
        self._like = clip_info
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._open = ExitStack()

    def __call__(self) -> audio_io.Blocks:
        """Return the blocks from the first on."""
        if self._file is not None:
            return self._read(self._file)
        fits = 4 * self._like.channels * self._like.frames <= MAX_CACHE_BYTES
        return self._store() if fits else self._make()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def _store(self) -> audio_io.Blocks:
        file = self._open.enter_context(tempfile.TemporaryFile(dir=self._folder))  # noqa: SIM115 - the stack closes it
        room = True
        for block in self._make():
            try:
                file.write(np.ascontiguousarray(block, np.float32).data if room else b"")
            except OSError:
                room = False
            yield block
        self._file = file if room else None

    def _read(self, file: IO[bytes]) -> audio_io.Blocks:
        file.seek(0)
        size = 4 * self._like.channels * audio_io.BLOCK_FRAMES
        while data := file.read(size):
            yield np.frombuffer(data, np.float32).reshape(-1, self._like.channels)
