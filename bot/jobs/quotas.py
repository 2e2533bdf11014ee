"""How much a person and a server may ask for, decided from numbers alone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from bot.database.models import GuildSettings
from bot.exceptions import QuotaError
from bot.permissions import over_quota
from pipeline.graph.registry import COSTLY_STAGES
from pipeline.types import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """Limits; 0 is no limit."""

    jobs_at_once: int = 3
    """Of one person."""
    minutes_person: int = 120
    """Of one person, on one server and day."""
    minutes_guild: int = 600
    """Of all on one server, on one day."""

    def within(self, settings: GuildSettings) -> "Quotas":
        """Those of a server, where it has set any."""
        return Quotas(
            jobs_at_once=_first_set(settings.jobs_at_once, self.jobs_at_once),
            minutes_person=_first_set(settings.minutes_per_day_person, self.minutes_person),
            minutes_guild=_first_set(settings.minutes_per_day_guild, self.minutes_guild),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentUsage:
    """What counts against the limits now."""

    open_jobs: int = 0
    """Of the person, that have not ended."""
    seconds_person: float = 0.0
    """Of the person's clips on this day."""
    seconds_guild: float = 0.0
    """Of everybody's clips on this day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceededQuota:
    """A limit that is reached. In minutes, but for `at-once`, which counts clips."""

    kind: Literal["at-once", "person", "server"]
    used: int
    limit: int
    resets_at: float | None = None
    """Unix time; None where no day has to pass."""

    @property
    def left(self) -> int:
        """What of the limit is left."""
        return max(self.limit - self.used, 0)

    def error(self) -> QuotaError:
        """The refusal in words."""
        return over_quota(self.kind, limit=self.limit, used=self.used, resets_at=self.resets_at)


def check_quotas(quotas: Quotas, load: CurrentUsage, now: float) -> ExceededQuota | None:
    """None when one more clip may be taken: its length is not known yet, so as long as anything is left."""
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
    """Seconds that a result is charged with: the clip's length, or none when all costly steps had been done before."""
    costly = [timing for timing in result.timings if timing.stage in COSTLY_STAGES]
    return 0.0 if costly and all(timing.reused for timing in costly) else result.media.duration


def utc_day(now: float) -> date:
    """The day in UTC."""
    return datetime.fromtimestamp(now, UTC).date()


def next_midnight(now: float) -> float:
    """Unix time of the next midnight in UTC."""
    return datetime.combine(utc_day(now) + timedelta(days=1), datetime.min.time(), UTC).timestamp()


def _first_set(given: int | None, usual: int) -> int:
    return usual if given is None else given
