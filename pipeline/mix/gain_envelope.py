"""Gains that change with time, block by block."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.io import Samples

Gain: TypeAlias = "float | Samples"
"""One linear gain for a block, or one for each frame, shape (frames, 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GainEnvelope:
    """A gain that is linear between points, and constant before the first and after the last point."""

    frames: NDArray[np.float64]
    """Where the points are, ascending."""
    values: NDArray[np.float64]
    decibels: bool
    """True when the values are in dB, False for linear gains."""

    def at(self, start: int, length: int) -> Gain:
        """Return the linear gain of `length` frames from `start` on; one number where it is constant."""
        first = int(np.searchsorted(self.frames, start, "right"))
        last = int(np.searchsorted(self.frames, start + length - 1, "left"))
        around = slice(max(0, first - 1), last + 1)
        if not len(self.frames) or len(set(self.values[around].tolist())) == 1:
            level = float(self.values[around][0]) if len(self.frames) else self.neutral
            return 10 ** (level / 20) if self.decibels else level
        at = np.arange(start, start + length, dtype=np.float64)
        found = np.interp(at, self.frames[around], self.values[around])
        linear = np.power(10.0, found / 20) if self.decibels else found
        return linear.astype(np.float32)[:, None]

    @property
    def neutral(self) -> float:
        """Return the value that changes nothing."""
        return 0.0 if self.decibels else 1.0


def gain_envelope(points: Sequence[tuple[float, float]], *, decibels: bool) -> GainEnvelope:
    """Build an envelope from points of (frame, value)."""
    table = np.array(points, np.float64).reshape(-1, 2)
    return GainEnvelope(frames=table[:, 0], values=table[:, 1], decibels=decibels)
