"""Stitching of the segmentation's overlapping windows into voices that go through the whole clip.

Each window numbers up to three voices in its own way. Neighbouring windows share most of their sound, so a
voice is followed from window to window by when it is active. A voice that was not active for a whole window
starts anew, and its number is used again: who is who over longer times is found in `resegmentation`.
"""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

INACTIVE = -2
"""pyannote's own cluster of a voice that is not active in its window."""
MIN_SHARED_FRAMES = 12
"""Frames, 0.2 s, that two windows must both give to a voice for it to be one."""


def stitch_windows(active: NDArray[np.float32], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find the voice of the clip that each voice of each window is.

    Args:
        active: 1 where a window hears a voice, else 0; shape (windows, frames, voices).
        starts: The frame of the clip at which each window begins, shape (windows,).

    Returns:
        The clip's voices, or `INACTIVE`; shape (windows, voices).
    """
    from scipy import optimize  # pyright: ignore[reportMissingTypeStubs]

    windows, frames, voices = active.shape
    votes = np.zeros((int(starts[-1]) + frames, voices), np.float32)
    seen = np.zeros((len(votes), 1), np.float32)
    last = np.full(votes.shape[1], -1)  # frame in which each voice of the clip was active last
    stitched = np.full((windows, voices), INACTIVE)
    for window, first in enumerate(starts):
        span = slice(int(first), int(first) + frames)
        own = active[window]
        shared = own.T @ (votes[span] / np.maximum(seen[span], 1.0))
        for local, voice in zip(*cast("Any", optimize).linear_sum_assignment(shared, maximize=True), strict=True):
            if shared[local, voice] >= MIN_SHARED_FRAMES:
                stitched[window, local] = voice
        for local in np.flatnonzero(own.any(axis=0)):
            if stitched[window, local] == INACTIVE:
                free = [voice for voice in np.flatnonzero(last < first) if voice not in stitched[window]]
                if not free:
                    votes, last = np.pad(votes, ((0, 0), (0, 1))), np.append(last, -1)
                stitched[window, local] = free[0] if free else len(last) - 1
            voice = stitched[window, local]
            votes[span, voice] += own[:, local]
            last[voice] = max(last[voice], first + np.flatnonzero(own[:, local])[-1])
        seen[span] += 1.0
    return stitched
