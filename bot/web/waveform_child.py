"""Program that prints the peaks of a sound file, so that the bot itself does not load numpy.

`python -m bot.web.waveform_child FILE` prints the peak of each of at most `MAX_POINTS` equal sections, 0 to 1, as JSON.
"""

import json
import sys
from pathlib import Path
from typing import Final

import numpy as np
import soundfile  # pyright: ignore[reportMissingTypeStubs] - it has types, but no stubs

MAX_POINTS: Final = 1000
BLOCK_FRAMES: Final = 1 << 18
"""Frames that are read at once."""


def measure_peaks(path: Path) -> list[float]:
    """Return at most `MAX_POINTS` peaks. Raises `RuntimeError` for a file that is not sound."""
    with soundfile.SoundFile(path) as sound:
        step = max(1, -(-sound.frames // MAX_POINTS))
        peaks: list[float] = []
        for block in sound.blocks(blocksize=step * max(1, BLOCK_FRAMES // step), dtype="float32", always_2d=True):
            loudest = np.abs(block).max(axis=1)
            starts = np.arange(0, len(loudest), step)
            peaks += [round(float(peak), 3) for peak in np.maximum.reduceat(loudest, starts)]
    return peaks


if __name__ == "__main__":
    json.dump(measure_peaks(Path(sys.argv[1])), sys.stdout)
