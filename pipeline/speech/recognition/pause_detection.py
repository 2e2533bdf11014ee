"""Pauses of a window, in the frames in which the recogniser counts, by their energy.

Attention spends pauses on the words around them, mostly on the one that follows. Frames in which
nothing is loud enough to be speech belong to no word.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.voice_activity import drop_short_runs, frame_powers, speech_threshold

SAMPLE_RATE = 16_000
MIN_PAUSE_SECONDS = 0.1
"""Shorter gaps are the closures of p, t and k."""
BELOW_SPEECH_DB = 30.0
"""Under the loud frames of a window; what is softer is no speech."""
ABOVE_FLOOR_DB = 6.0
"""Over the soft frames of a window; room noise stays below that."""
MIN_BELOW_SPEECH_DB = 20.0
"""Under the loud frames; a floor that comes closer tells nothing."""
FLOOR_PERCENTILE = 5


def find_pauses(samples: NDArray[np.float32], frame_samples: int) -> NDArray[np.bool_]:
    """Mark the frames that lie in a pause of at least `MIN_PAUSE_SECONDS`.

    Args:
        samples: Mono sound at 16 kHz, shape (samples,).
        frame_samples: Length of a frame.

    Returns:
        Shape (frames,), without a last frame that is not full.
    """
    powers = frame_powers(samples.astype(np.float64), frame_samples)
    levels = 10 * np.log10(powers + 1e-12)
    audible = levels[powers > 0.0]
    if not len(audible):
        return np.ones(len(powers), np.bool_)
    threshold = speech_threshold(
        audible,
        floor_percentile=FLOOR_PERCENTILE,
        above_floor=ABOVE_FLOOR_DB,
        below_loud=BELOW_SPEECH_DB,
        min_below_loud=MIN_BELOW_SPEECH_DB,
    )
    return drop_short_runs(levels < threshold, round(MIN_PAUSE_SECONDS * SAMPLE_RATE / frame_samples))
