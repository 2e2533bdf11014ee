"""How much of the model's time each person may use, so that one cannot use it up for all or at the operator's cost."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date
from typing import Final

from cachetools import TTLCache

from bot.exceptions import QuotaError, RefusedError
from bot.jobs.quotas import next_midnight, utc_day

PARTS_A_DAY: Final = 100
"""A hundred short transcripts, or four of seven hours."""
MAX_PEOPLE: Final = 10_000
DAY_S: Final = 24 * 3600.0


class Allowance:
    """Lets each person have one summary made at a time, and so many parts of transcripts read a day.

    Args:
        parts_a_day: Parts.

    """

    def __init__(self, parts_a_day: int = PARTS_A_DAY) -> None:
        self._parts_a_day = parts_a_day
        self._used = TTLCache[tuple[str, date], int](MAX_PEOPLE, DAY_S)
        self._waiting: set[str] = set()

    @contextmanager
    def take(self, user_id: str, parts: int) -> Generator[None]:
        """Count parts as a person's, also where the model then fails.

        Raises:
            RefusedError: The person waits for another summary.
            QuotaError: The person's share of the day is used up.

        """
        if user_id in self._waiting:
            raise RefusedError("summary-waiting", "summary-waiting-hint")
        now = time.time()
        day = (user_id, utc_day(now))
        used = self._used.get(day, 0) + parts
        if used > self._parts_a_day:
            raise QuotaError("quota-summaries", resets_at=next_midnight(now))
        self._used[day] = used
        self._waiting.add(user_id)
        try:
            yield
        finally:
            self._waiting.discard(user_id)
