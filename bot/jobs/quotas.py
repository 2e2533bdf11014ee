"""Decides from numbers whether a person may submit one more clip."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from bot.database.models import GuildSettings
from bot.exceptions import QuotaError
from pipeline.graph.registry import COSTLY_STAGES
from pipeline.types import Result, worked_seconds
from worker.protocol import Event, Progressed


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """Limits; 0: no limit."""

    jobs_at_once: int = 3
    """For each person."""
    minutes_person: int = 120
    """For each person, on one server and day."""
    minutes_guild: int = 600
    """For all people of one server, on one day."""

    def within(self, settings: GuildSettings) -> "Quotas":
        """Return the limits of a server: its settings, and these where it has none."""
        return Quotas(
            jobs_at_once=_first_set(settings.jobs_at_once, self.jobs_at_once),
            minutes_person=_first_set(settings.minutes_per_day_person, self.minutes_person),
            minutes_guild=_first_set(settings.minutes_per_day_guild, self.minutes_guild),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentUsage:
    """What counts against the limits."""

    open_jobs: int = 0
    """The person's jobs that have not ended."""
    seconds_person: float = 0.0
    """Duration of the person's clips today."""
    seconds_guild: float = 0.0
    """Duration of everybody's clips today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceededQuota:
    """A limit that is reached: minutes, or clips for `at-once`."""

    kind: Literal["at-once", "person", "server"]
    used: int
    limit: int
    resets_at: float | None = None
    """Unix time at which it starts again; None: when a clip ends."""

    @property
    def left(self) -> int:
        """Return what is left of the limit."""
        return max(self.limit - self.used, 0)

    def error(self) -> QuotaError:
        """Build the error for the person."""
        hint = "quota-at-once-hint" if self.kind == "at-once" else ""
        key = f"quota-{self.kind}"
        return QuotaError(key, hint, resets_at=self.resets_at, used=self.used, limit=self.limit, left=self.left)


def check_quotas(quotas: Quotas, load: CurrentUsage, now: float) -> ExceededQuota | None:
    """Return the limit that forbids one more clip, if any; its duration is unknown yet, so any rest is enough."""
    if quotas.jobs_at_once and load.open_jobs >= quotas.jobs_at_once:
        return ExceededQuota(kind="at-once", used=load.open_jobs, limit=quotas.jobs_at_once)
    resets_at = next_midnight(now)
    if quotas.minutes_person and load.seconds_person >= quotas.minutes_person * 60:
        used = int(load.seconds_person // 60)
        return ExceededQuota(kind="person", used=used, limit=quotas.minutes_person, resets_at=resets_at)
    if quotas.minutes_guild and load.seconds_guild >= quotas.minutes_guild * 60:
        used = int(load.seconds_guild // 60)
        return ExceededQuota(kind="server", used=used, limit=quotas.minutes_guild, resets_at=resets_at)
    return None


def charged_seconds(result: Result) -> float:
    """Return the seconds that a result costs: the clip's duration, or 0 when every costly stage was reused.

    A tool for clips without such a stage costs what it works on, such as the length of a cut.
    """
    costly = [timing for timing in result.timings if timing.stage in COSTLY_STAGES]
    if not costly and result.request.clip_tool is not None:
        return worked_seconds(result.request.clip_tool, result.media.duration)
    return 0.0 if costly and all(timing.reused for timing in costly) else result.media.duration


class Cost:
    """What a job has used, as its events tell it: a job that is cancelled late costs what it used."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def add(self, event: Event) -> None:
        """Note an event. A job never costs more than its clip lasts, however many costly stages it runs."""
        if isinstance(event, Progressed):
            self.seconds = max(self.seconds, event.progress.cost)


def utc_day(now: float) -> date:
    """Return the UTC day of a Unix time."""
    return datetime.fromtimestamp(now, UTC).date()


def next_midnight(now: float) -> float:
    """Return the Unix time of the next UTC midnight."""
    return datetime.combine(utc_day(now) + timedelta(days=1), datetime.min.time(), UTC).timestamp()


def _first_set(given: int | None, usual: int) -> int:
    return usual if given is None else given
