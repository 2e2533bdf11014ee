"""Where a window holds no speech: by its loudness, in the frames that the recogniser counts in.

Attention spends pauses on the words around them, mostly on the one that follows. Frames in which
nothing is loud enough to be speech belong to no word.
"""

import numpy as np
from numpy.typing import NDArray

MIN_PAUSE_SECONDS = 0.1
"""Seconds; shorter gaps are the closures of p, t and k."""
BELOW_SPEECH_DB = 30.0
"""dB under the loud frames of a window; what is softer is no speech."""
ABOVE_FLOOR_DB = 6.0
"""dB over the soft frames of a window; room noise stays below that."""
MIN_BELOW_SPEECH_DB = 20.0
"""dB under the loud frames; a floor that comes closer tells nothing."""
_FLOOR, _LOUD = 5, 95
"""Percentiles of the frames' loudness."""


def find_pauses(samples: NDArray[np.float32], frame_samples: int) -> NDArray[np.bool_]:
    """True for each frame of `frame` samples that lies in a pause of `SHORTEST` seconds at 16 kHz or more."""
    count = len(samples) // frame_samples
    if not count:
        return np.zeros(0, np.bool_)
    powers = np.square(samples[: count * frame_samples]).reshape(count, frame_samples).mean(axis=1, dtype=np.float64)
    levels = 10 * np.log10(powers + 1e-12)
    heard = levels[powers > 0.0]
    if not len(heard):
        return np.ones(count, np.bool_)
    floor, loud = np.percentile(heard, (_FLOOR, _LOUD))
    limit = max(loud - BELOW_SPEECH_DB, min(loud - MIN_BELOW_SPEECH_DB, floor + ABOVE_FLOOR_DB))
    return keep_runs(levels < limit, round(MIN_PAUSE_SECONDS * 16_000 / frame_samples))


def keep_runs(marked: NDArray[np.bool_], shortest: int) -> NDArray[np.bool_]:
    """The marks without runs of fewer than `shortest` frames."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], marked, [False])).astype(np.int8)))
    kept = np.zeros(len(marked), np.bool_)
    for start, end in edges.reshape(-1, 2):
        kept[start:end] = end - start >= shortest
    return kept
