"""Quotas are decided from what is used."""

from dataclasses import replace
from datetime import UTC, datetime

from bot.database.models import GuildSettings
from bot.jobs.quotas import CurrentUsage, ExceededQuota, Quotas, charged_seconds, check_quotas
from pipeline.types import Result, StageTiming
from tests.bot.world import make_result

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC).timestamp()
MIDNIGHT = datetime(2026, 3, 5, tzinfo=UTC).timestamp()
QUOTAS = Quotas(jobs_at_once=3, minutes_person=10, minutes_guild=20)


def test_what_is_left_is_allowed() -> None:
    assert check_quotas(QUOTAS, CurrentUsage(open_jobs=2, seconds_person=599, seconds_guild=1199), NOON) is None


def test_each_limit_tells_what_is_used_and_when_it_resets() -> None:
    assert check_quotas(QUOTAS, CurrentUsage(open_jobs=3), NOON) == ExceededQuota(kind="at-once", used=3, limit=3)
    person = check_quotas(QUOTAS, CurrentUsage(seconds_person=600), NOON)
    assert person == ExceededQuota(kind="person", used=10, limit=10, resets_at=MIDNIGHT)
    server = check_quotas(QUOTAS, CurrentUsage(seconds_guild=1260), NOON)
    assert server == ExceededQuota(kind="server", used=21, limit=20, resets_at=MIDNIGHT)
    assert server is not None
    assert server.left == 0


def test_nought_is_no_limit() -> None:
    none = Quotas(jobs_at_once=0, minutes_person=0, minutes_guild=0)
    assert check_quotas(none, CurrentUsage(open_jobs=99, seconds_person=1e6, seconds_guild=1e6), NOON) is None


def test_what_was_made_before_costs_nothing() -> None:
    result = make_result()

    def timed(**reused: bool) -> Result:
        timings = [
            StageTiming(stage=stage, seconds=1.0, engine_seconds=1.0, reused=before) for stage, before in reused.items()
        ]
        return replace(result, timings=tuple(timings))

    assert charged_seconds(result) == 61.4
    assert charged_seconds(timed(separate=True, transcribe=False, mix=False)) == 61.4
    assert charged_seconds(timed(separate=True, transcribe=True, mix=False)) == 0
    assert charged_seconds(timed(mix=True)) == 61.4


def test_a_server_may_choose_its_own() -> None:
    chosen = QUOTAS.within(GuildSettings(guild_id="1", jobs_at_once=1, minutes_per_day_person=0))
    assert chosen == Quotas(jobs_at_once=1, minutes_person=0, minutes_guild=20)
