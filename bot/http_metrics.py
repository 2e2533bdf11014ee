"""Counts what Discord answers and how soon interactions are answered, by a trace of the HTTP client's requests."""

import re
import time
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import aiohttp
import structlog
from cachetools import TTLCache

from worker.telemetry import current_metrics

MAX_INTERACTIONS: Final = 1000
MAX_INVALID_REQUESTS: Final = 10_000
"""After which Discord bans the address of the bot."""
INVALID_WINDOW_S: Final = 600.0
INVALID_STATUSES: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
FIRST_WARNING: Final = 100
"""Requests within the window at which the log warns, and at each doubling."""
INTERACTION_TTL_S: Final = 10.0
"""An interaction that is not answered by then is lost."""
_ANSWER: Final = re.compile(r"/interactions/(?P<id>\d+)/[^/]+/callback$")


class InteractionTimes:
    """When interactions arrived that are not answered yet."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._arrivals: TTLCache[int, float] = TTLCache(MAX_INTERACTIONS, INTERACTION_TTL_S, timer=clock)

    def note_arrival(self, interaction_id: int) -> None:
        """Note that an interaction has arrived."""
        self._arrivals[interaction_id] = self._clock()

    def take(self, interaction_id: int) -> float | None:
        """Return the seconds since an interaction arrived, once; None when that is not known."""
        arrival = self._arrivals.pop(interaction_id, None)
        return None if arrival is None else self._clock() - arrival


class InvalidRequests:
    """Counts the requests for which Discord bans an address: 10,000 with 401, 403 or 429 within ten minutes.

    https://discord.com/developers/docs/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: deque[float] = deque()
        self._warn_at = FIRST_WARNING

    def note(self, status: int, scope: str | None) -> int | None:
        """Count an answer; return how many there were where the operator is to be told, else None.

        A limit that is shared with others is not counted, as Discord does not.
        """
        if status not in INVALID_STATUSES or (status == HTTPStatus.TOO_MANY_REQUESTS and scope == "shared"):
            return None
        now = self._clock()
        self._times.append(now)
        while self._times[0] < now - INVALID_WINDOW_S:
            self._times.popleft()
        count = len(self._times)
        if count < FIRST_WARNING:
            self._warn_at = FIRST_WARNING
        if count < self._warn_at:
            return None
        self._warn_at = 2 * count
        return count


def discord_trace_config(times: InteractionTimes) -> aiohttp.TraceConfig:
    """Return what discord.py's client calls for each of its requests."""
    config = aiohttp.TraceConfig()
    invalid = InvalidRequests()

    async def on_end(_: aiohttp.ClientSession, __: object, params: aiohttp.TraceRequestEndParams) -> None:
        count = invalid.note(params.response.status, params.response.headers.get("X-RateLimit-Scope"))
        if count is not None:
            structlog.get_logger(__name__).warning("invalid_requests", count=count, limit=MAX_INVALID_REQUESTS)
        if (metrics := current_metrics()) is None:
            return
        metrics.count_discord_answer(params.method, str(params.response.status))
        answered = _ANSWER.search(params.url.path)
        if answered is not None and params.response.ok and (seconds := times.take(int(answered["id"]))) is not None:
            metrics.observe_acknowledgement(seconds)

    async def on_exception(_: aiohttp.ClientSession, __: object, params: aiohttp.TraceRequestExceptionParams) -> None:
        if (metrics := current_metrics()) is not None:
            metrics.count_discord_answer(params.method, "none")

    config.on_request_end.append(on_end)
    config.on_request_exception.append(on_exception)
    return config
