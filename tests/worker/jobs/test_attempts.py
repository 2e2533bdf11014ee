import asyncio
import dataclasses
import time

import pytest

from tests.worker.conftest import System
from tests.worker.toy_stages import TOYS
from worker.jobs.attempts import run_attempt
from worker.protocol import Failed, Finished, Started, Stopped
from worker.queue.engine_occupancy import engine_occupancy
from worker.queue.keys import ENGINE_PREFIX, MEDIA
from worker.queue.lease import Lease
from worker.queue.reaper import Reaper


async def test_a_worker_that_lost_its_lease_stops_working(system: System) -> None:
    job = await system.job()
    await system.queue.submit(job)
    stopped = asyncio.Event()

    async def work(lease: Lease) -> Started:
        await system.lose_lease(job)
        try:
            await asyncio.sleep(30)
        finally:
            stopped.set()
        return Started(attempt=0, worker="never")

    await run_attempt(system.queue, MEDIA, job.id, "one", work, stopping=asyncio.Event())
    assert stopped.is_set()
    assert await system.status(job) == "queued"


async def test_a_job_that_lost_its_lease_does_not_wait_its_own_age(system: System) -> None:
    job = await system.job(second="sleep", seconds=1.5)
    await system.queue.submit(job)
    await system.queue.connection.add_member(MEDIA.queue, job.id, (time.time() - 3600) * 1000)
    await system.start()
    await system.wait_for_run("second")
    await system.lose_lease(job)
    await system.queue.ensure_enqueued(MEDIA, job.id)
    began = time.monotonic()
    events = await system.events(job)
    assert [event.attempt for event in events if isinstance(event, Started)] == [1, 2]
    assert isinstance(events[-1], Finished)
    assert time.monotonic() - began < 15


async def test_a_poison_job_is_put_aside_after_three_attempts_and_can_be_replayed(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.jobs.attempts.RETRY_DELAY_S", 0.1)
    await system.start()
    job = await system.job(first="be killed")
    await system.queue.submit(job)
    events = await system.events(job)
    assert [event.attempt for event in events if isinstance(event, Started)] == [1, 2, 3]
    assert isinstance(events[-1], Failed)
    assert events[-1].failure.type == "AttemptsError"
    assert "memory" in events[-1].failure.message
    assert system.runs("first") == 6, "each attempt tries the stage once more in a new engine"
    state = await system.queue.state(job.id)
    assert state is not None
    assert (state.status, state.attempts, state.job) == ("dead", 3, job)
    assert "memory" in state.error
    assert await system.queue.replay(job.id)
    await system.wait_for_run("first", 7)
    assert await system.queue.cancel(job.id)
    events = await system.events(job)
    assert isinstance(events[0], Started)
    assert events[0].attempt == 1
    assert isinstance(events[-1], Stopped)
    assert await system.queue.discard(job.id)


async def test_a_job_whose_workers_are_lost_three_times_is_put_aside(system: System) -> None:
    job = await system.job()
    await system.queue.submit(job)
    for attempt in (1, 2, 3):
        lease = await Lease.acquire(system.queue, MEDIA, job.id, "lost")
        assert lease.attempt == attempt
        await system.lose_lease(job)
    await system.queue.ensure_enqueued(MEDIA, job.id)
    await system.start()
    last = (await system.events(job))[-1]
    assert isinstance(last, Failed)
    assert last.failure.type == "AttemptsError"
    assert await system.status(job) == "dead"
    assert system.runs("first") == 0


async def test_the_death_of_a_worker_counts_only_for_the_job_in_its_engine(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.queue.lease.LEASE_TTL_S", 1.0)
    poison, innocent = await system.job("poison.json", other=1), await system.job("innocent.json", other=2)
    for job in (poison, innocent):
        await system.queue.submit(job)
        assert (await Lease.acquire(system.queue, MEDIA, job.id, "lost")).outcome == "acquired"
    reaper = Reaper(system.queue, "media", "test")
    async with engine_occupancy(system.queue, "lost", poison.id) as enter:
        enter()
        for _ in range(6):
            await asyncio.sleep(0.35)
            await reaper.scan()
    states = {state.job.id: (state.status, state.attempts) for state in await system.queue.jobs()}
    assert states == {poison.id: ("queued", 1), innocent.id: ("queued", 0)}


async def test_the_engine_is_noted_while_a_stage_runs(system: System) -> None:
    await system.start()
    job = await system.job(second="sleep", seconds=0.6)
    await system.queue.submit(job)
    await system.wait_for_run("second")
    await asyncio.sleep(0.3)
    look = "return redis.call('SMEMBERS', KEYS[1])"
    key = f"{ENGINE_PREFIX}{next(iter(system.workers))}"
    assert await system.queue.connection.run(look, [key], []) == [job.id]
    assert isinstance((await system.events(job))[-1], Finished)
    assert await system.queue.connection.run(look, [key], []) == []


async def test_an_engine_that_dies_once_costs_no_attempt(system: System) -> None:
    await system.start()
    job = await system.job(second="crash once")
    await system.queue.submit(job)
    events = await system.events(job)
    assert [event.attempt for event in events if isinstance(event, Started)] == [1]
    assert isinstance(events[-1], Finished)
    assert (system.runs("first"), system.runs("second")) == (1, 2)


async def test_bad_input_fails_at_once(system: System) -> None:
    await system.start()
    job = await system.job(first="refuse")
    await system.queue.submit(job)
    events = await system.events(job)
    assert isinstance(events[-1], Failed)
    assert events[-1].failure.type == "MediaError"
    assert system.runs("first") == 1
    assert await system.status(job) == "failed"


async def test_a_stage_that_hangs_is_stopped_and_the_engine_is_free_again(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.engine.supervisor.CANCEL_TIMEOUT_S", 0.5)
    monkeypatch.setitem(TOYS, "first", dataclasses.replace(TOYS["first"], limit=6.0))  # type: ignore[arg-type]
    await system.start()
    hanging, after = await system.job("hanging.json", first="sleep deeply", seconds=600), await system.job(other=1)
    began = time.monotonic()
    for job in (hanging, after):
        await system.queue.submit(job)
    last = (await system.events(hanging))[-1]
    assert isinstance(last, Failed)
    assert (last.failure.type, last.failure.stage) == ("EngineTimeoutError", "first")
    assert "took longer than 6 seconds" in last.failure.message
    assert isinstance((await system.events(after))[-1], Finished)
    assert time.monotonic() - began < 30


async def test_a_library_that_exits_fails_the_job_and_not_the_worker(system: System) -> None:
    await system.start()
    job = await system.job(first="exit")
    await system.queue.submit(job)
    last = (await system.events(job))[-1]
    assert isinstance(last, Failed)
    assert "SystemExit" in last.failure.detail
    after = await system.job("after.json", other=1)
    await system.queue.submit(after)
    assert isinstance((await system.events(after))[-1], Finished)
