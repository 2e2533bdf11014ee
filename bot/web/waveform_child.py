"""Measures the outline of a sound file, as a program of its own: what it loads is nothing for a bot to carry about.

`python -m bot.web.waveform_child FILE` prints the highest samples of equal stretches, 0 to 1, as JSON.
"""

import json
import sys
from pathlib import Path
from typing import Final

import numpy as np
import soundfile  # pyright: ignore[reportMissingTypeStubs] - it has types, but no stubs

MAX_POINTS: Final = 1000
BLOCK_FRAMES: Final = 1 << 18
"""Frames read at once."""


def measure_peaks(path: Path) -> list[float]:
    """At most `POINTS` peaks; raises `RuntimeError` for what is no sound."""
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
