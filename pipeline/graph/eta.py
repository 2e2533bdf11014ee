"""How long work still takes, judged by how fast it went so far."""

SETTLING = 5.0
"""Seconds of work before anything is said: the first ones are spent on loading."""
LEAST = 0.02
"""Share of the work that must have been seen."""
MEMORY = 10.0
"""Seconds over which a new judgement takes the place of an old one."""


class Estimate:
    """Follows one piece of work. Times are of a clock that only goes forward."""

    def __init__(self) -> None:
        self._began: tuple[float, float] | None = None
        self._last = 0.0
        self._fraction = 0.0
        self._remaining: float | None = None

    def judge(self, fraction: float, now: float, given: float = 0.0) -> float | None:
        """Seconds that are left; None while that cannot be told, or once it is done.

        Args:
            fraction: What is done, from 0 to 1.
            now: The time.
            given: What of it was there and took no time.
        """
        if self._began is None or fraction < self._fraction:
            self._began, self._remaining = (fraction - given, now), None
        self._fraction = fraction
        elapsed, gone = now - self._began[1], fraction - given - self._began[0]
        if fraction >= 1.0 or elapsed < SETTLING or gone < LEAST:
            return None
        judged = elapsed * (1.0 - fraction) / gone
        if self._remaining is not None:
            passed = now - self._last
            share = passed / (passed + MEMORY)
            judged = share * judged + (1.0 - share) * max(0.0, self._remaining - passed)
        self._remaining, self._last = judged, now
        return judged
