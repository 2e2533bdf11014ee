"""Tells whether a connection sends too slowly to be worth its place."""

import time
from collections.abc import Callable
from typing import Final

MIN_RATE: Final = 8 * 1024.0
"""Bytes a second: about a sixteenth of an uplink of 1 Mbit/s."""
RATE_WINDOW_S: Final = 30.0
"""Time over which the rate is taken, so that a short pause costs nobody the connection."""


class MinimumRate:
    """Watches what comes over one connection, window by window: a fast start pays for nothing later.

    Args:
        rate: Bytes a second.
        window_s: Length of a window.
        clock: Seconds.

    """

    def __init__(
        self,
        rate: float = MIN_RATE,
        window_s: float = RATE_WINDOW_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate = rate
        self._window_s = window_s
        self._clock = clock
        self._began = clock()
        self._received = 0

    def add(self, size: int) -> None:
        """Count bytes that came. Raises `TimeoutError` when a whole window brought too few."""
        self._received += size
        took = self._clock() - self._began
        if took < self._window_s:
            return
        if self._received < self._rate * took:
            raise TimeoutError
        self._began += took
        self._received = 0
