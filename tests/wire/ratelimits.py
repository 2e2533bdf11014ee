"""Discord's limits on how often a place may be written to."""

import time
from collections import deque
from dataclasses import dataclass, field

from tests.wire.world import Knobs


@dataclass(slots=True, kw_only=True)
class Bucket:
    """The moments (monotonic) at which a place was written to within the window."""

    name: str
    uses: deque[float] = field(default_factory=deque[float])


class RateLimits:
    """A sliding window for each place: a channel for the bot's token, an interaction for its token."""

    def __init__(self, knobs: Knobs) -> None:
        self._knobs = knobs
        self._buckets: dict[str, Bucket] = {}

    def take(self, name: str) -> tuple[float, dict[str, str]]:
        """Seconds to wait before the request may be sent again (0: it may go on), and the headers."""
        bucket = self._buckets.setdefault(name, Bucket(name=name))
        now, knobs = time.monotonic(), self._knobs
        while bucket.uses and now - bucket.uses[0] >= knobs.window:
            bucket.uses.popleft()
        wait = 0.0
        if len(bucket.uses) >= knobs.edits_per_window:
            wait = bucket.uses[0] + knobs.window - now
        else:
            bucket.uses.append(now)
        reset = bucket.uses[0] + knobs.window - now
        return wait, {
            "X-RateLimit-Limit": str(knobs.edits_per_window),
            "X-RateLimit-Remaining": str(knobs.edits_per_window - len(bucket.uses)),
            "X-RateLimit-Reset": f"{time.time() + reset:.3f}",
            "X-RateLimit-Reset-After": f"{reset:.3f}",
            "X-RateLimit-Bucket": f"{hash(name) & 0xFFFFFFFF:08x}",
        }
