"""The envelope of a sound for a picture: lowest and highest sample of each column, in constant memory."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio import io as audio_io


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The lowest and highest sample of each column, full scale at ±1, shape (columns,)."""

    low: NDArray[np.float32]
    high: NDArray[np.float32]
    duration: float
    """Seconds."""


def measure_envelope(path: Path, columns: int, on_progress: Callable[[float], None]) -> Envelope:
    """Measure the envelope over all channels of a sound file.

    Args:
        path: The sound file.
        columns: Number of columns of the picture.
        on_progress: Called after each block with the fraction that is done.

    Raises:
        MediaError: The file cannot be read.
    """
    info = audio_io.info(path)
    low, high = np.zeros(columns, np.float32), np.zeros(columns, np.float32)
    done = 0
    for block in audio_io.read_blocks(path):
        column = (np.arange(done, done + len(block)) * columns // max(1, info.frames)).astype(np.intp)
        first, starts = np.unique(column, return_index=True)
        low[first] = np.minimum(low[first], np.minimum.reduceat(block.min(axis=1), starts))
        high[first] = np.maximum(high[first], np.maximum.reduceat(block.max(axis=1), starts))
        done += len(block)
        on_progress(done / max(1, info.frames))
    return Envelope(low=low, high=high, duration=info.duration)
