"""Counts what Discord answers and how soon interactions are answered, by a trace of the HTTP client's requests."""

import re
import time
from collections.abc import Callable
from typing import Final

import aiohttp
from cachetools import TTLCache

from worker.telemetry import current_metrics

MAX_INTERACTIONS: Final = 1000
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


def discord_trace_config(times: InteractionTimes) -> aiohttp.TraceConfig:
    """Return what discord.py's client calls for each of its requests."""
    config = aiohttp.TraceConfig()

    async def on_end(_: aiohttp.ClientSession, __: object, params: aiohttp.TraceRequestEndParams) -> None:
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
