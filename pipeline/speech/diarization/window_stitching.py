"""Joins what the segmentation network says of overlapping windows into voices that go through the whole clip.

Each window names up to three voices by numbers of its own. Neighbouring windows share most of their sound,
so that a voice is followed from window to window by when it is heard. A voice that was not heard for a whole
window starts anew, and its number is used again: who is who over longer times is told in `second_opinion`.
"""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

INACTIVE = -2
"""Stands for a voice that is not heard; pyannote's own sign for it."""
MIN_SHARED_FRAMES = 12
"""Frames, 0.2 s, that two windows must both give to a voice for it to be one."""


def stitch_windows(active: NDArray[np.float32], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The voice of the clip that each voice of each window is, shape (windows, voices), or `NOBODY`.

    `active` is 1 where a window hears a voice, else 0, shape (windows, frames, voices); `starts` has the
    frame of the clip at which each window begins.
    """
    from scipy import optimize  # pyright: ignore[reportMissingTypeStubs]

    windows, frames, voices = active.shape
    votes = np.zeros((int(starts[-1]) + frames, voices), np.float32)
    seen = np.zeros((len(votes), 1), np.float32)
    last = np.full(votes.shape[1], -1)  # frame in which each voice of the clip was heard last
    names = np.full((windows, voices), INACTIVE)
    for window, first in enumerate(starts):
        span = slice(int(first), int(first) + frames)
        own = active[window]
        shared = own.T @ (votes[span] / np.maximum(seen[span], 1.0))
        for voice, name in zip(*cast("Any", optimize).linear_sum_assignment(shared, maximize=True), strict=True):
            if shared[voice, name] >= MIN_SHARED_FRAMES:
                names[window, voice] = name
        for voice in np.flatnonzero(own.any(axis=0)):
            if names[window, voice] == INACTIVE:
                free = [name for name in np.flatnonzero(last < first) if name not in names[window]]
                if not free:
                    votes, last = np.pad(votes, ((0, 0), (0, 1))), np.append(last, -1)
                names[window, voice] = free[0] if free else len(last) - 1
            name = names[window, voice]
            votes[span, name] += own[:, voice]
            last[name] = max(last[name], first + np.flatnonzero(own[:, voice])[-1])
        seen[span] += 1.0
    return names
