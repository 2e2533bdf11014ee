"""Decides which of the events that Discord sends this process handles."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Final

from cachetools import LRUCache

MAX_REMEMBERED: Final = 1000
"""Events of which it is known whose they are; far more than are handled at once."""

Claim = Callable[[int, float], Awaitable[bool]]
"""Takes an event by its id and a Unix time; False when another process has."""


class GateMode(StrEnum):
    """What happens to events."""

    OPEN = "open"
    """All are handled: there is no other process."""
    CLAIMS = "claims"
    """Each is handled by the process that claims it first: Discord sends it to all of them."""
    CLOSED = "closed"
    """None is handled: another process does."""


class EventGate:
    """Lets events in, each in one process. Parts of one event are let in alike.

    Args:
        claim: Takes an event; None: there is no other process.

    """

    def __init__(self, claim: Claim | None = None) -> None:
        self.claim = claim
        self.mode = GateMode.OPEN
        self._known: LRUCache[int, asyncio.Task[bool]] = LRUCache(MAX_REMEMBERED)

    async def admits(self, event_id: int) -> bool:
        """Tell whether this process handles an event. Raises `DatabaseError`."""
        known = self._known.get(event_id)
        if known is None:
            if self.mode is not GateMode.CLAIMS or self.claim is None:
                return self.mode is not GateMode.CLOSED
            known = self._known[event_id] = asyncio.create_task(_claimed(self.claim, event_id))
        # Who waits for one part of an event may give up without giving up the others.
        return await asyncio.shield(known)


async def _claimed(claim: Claim, event_id: int) -> bool:
    return await claim(event_id, time.time())
