import asyncio
import dataclasses
from pathlib import Path
from typing import cast

import pytest

from pipeline.errors import EngineError
from pipeline.types import DraftLine, Progress
from tests.worker.conftest import System
from tests.worker.toy_stages import TOYS, ToyInputs, ToyParams, ToyStage
from worker.engine.supervisor import EngineSupervisor
from worker.jobs.stage_cache import StageCache
from worker.jobs.stage_runner import StageRunner, progress_events
from worker.protocol import Failed, Finished, Progressed, Started, Stopped
from worker.queue.keys import ASR, MEDIA, STAGE_RECORD_TTL_S
from worker.queue.lease import Lease
from worker.store.scratch import Scratch


async def test_a_fresh_job_takes_nothing_from_the_store(system: System) -> None:
    await system.start()
    for fresh in (False, True, False):
        job = await system.job(options={"fresh": fresh})
        await system.queue.submit(job)
        last = (await system.events(job))[-1]
        assert isinstance(last, Finished)
    assert system.runs("first") == 2
    assert all(timing.reused for timing in last.result.timings)


async def test_a_stage_of_the_other_environment(system: System) -> None:
    await system.start("media")
    await system.start("asr")
    job = await system.job("heard.json", heard="sleep", seconds=1.0)
    await system.queue.submit(job)
    events = await system.events(job)
    assert isinstance(events[-1], Finished)
    assert any("sleeping" in str(event) for event in events)
    heard = events[-1].result.timings[-1]
    assert heard.stage == "heard"
    assert 1.0 <= heard.engine_seconds <= heard.seconds < 2.0


async def test_an_error_of_the_other_environment(system: System) -> None:
    await system.start("media")
    await system.start("asr")
    job = await system.job("heard.json", heard="refuse")
    await system.queue.submit(job)
    last = (await system.events(job))[-1]
    assert isinstance(last, Failed)
    assert (last.failure.type, last.failure.stage) == ("MediaError", "heard")


async def test_a_cancel_reaches_the_other_environment(system: System) -> None:
    await system.start("media")
    await system.start("asr")
    job = await system.job("heard.json", heard="sleep", seconds=30)
    await system.queue.submit(job)
    await system.wait_for_run("heard")
    await system.queue.cancel(job.id)
    assert isinstance((await system.events(job))[-1], Stopped)
    async with asyncio.timeout(5):
        while await system.queue.connection.members(ASR.active):
            await asyncio.sleep(0.1)


async def test_a_cancel_spares_a_stage_that_another_job_waits_for(system: System) -> None:
    await system.start("media")
    await system.start("asr")
    jobs = [await system.job("heard.json", heard="sleep", seconds=2.0) for _ in range(2)]
    for job in jobs:
        await system.queue.submit(job)
    await system.wait_for_run("heard")
    await asyncio.sleep(0.5)
    await system.queue.cancel(jobs[0].id)
    assert isinstance((await system.events(jobs[0]))[-1], Stopped)
    assert isinstance((await system.events(jobs[1]))[-1], Finished)
    assert system.runs("heard") == 1


@pytest.mark.parametrize("how", ["draft", "crash three times"])
async def test_nothing_of_an_ended_stage_stays_in_the_broker(
    system: System, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.jobs.attempts.RETRY_DELAY_S", 0.1)
    await system.start("media")
    await system.start("asr")
    job = await system.job("heard.json", heard=how)
    await system.queue.submit(job)
    last = (await system.events(job))[-1]
    assert isinstance(last, Finished if how == "draft" else Failed)
    look = """
        local found = {}
        for _, key in ipairs(redis.call('KEYS', 'stemcord:asr:*')) do
          found[#found + 1] = key
          found[#found + 1] = tostring(redis.call('TTL', key))
        end
        return found
    """
    found = cast("list[str]", await system.queue.connection.run(look, [], []))
    kept = dict(zip(found[::2], map(int, found[1::2]), strict=True))
    assert {name.split(":")[2] for name in kept} >= {"job", "events"}
    assert all(0 < ttl <= STAGE_RECORD_TTL_S for name, ttl in kept.items() if "stage-" in name), kept
    assert ASR.index not in kept


async def test_no_worker_of_the_other_environment(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.jobs.delegation.WORKER_CHECK_INTERVAL_S", 0.2)
    plan = (await system.job("heard.json")).source
    scratch = Scratch(tmp_path / "scratch")
    runner = StageRunner(
        stage_cache=StageCache(
            store=system.store, engine=EngineSupervisor(tmp_path, scratch=scratch.root), scratch=scratch
        ),
        queue=system.queue,
        publish=lambda progress, given=0.0: None,
        cancelled=asyncio.Event(),
        job_id="job",
        worker="one",
        no_worker_timeout_s=0.5,
    )
    with pytest.raises(EngineError) as caught:
        await runner(TOYS["heard"], ToyInputs(plan=plan), ToyParams(stage="heard"))
    scratch.close()
    assert caught.value.stage == "heard"
    assert "stemcord worker asr" in caught.value.hint


async def test_a_reused_stage_says_so(system: System) -> None:
    await system.start()
    for _ in range(2):
        job = await system.job()
        await system.queue.submit(job)
        events = await system.events(job)
    published = [event.progress for event in events[1:-1] if not isinstance(event, Started)]  # type: ignore[union-attr]
    assert Progress(stage="second", fraction=1.0, message="taken from the store") in published


async def test_files_are_published_though_progress_follows_at_once(system: System) -> None:
    job = await system.job()
    await system.queue.submit(job)
    lease = await Lease.acquire(system.queue, MEDIA, job.id, "one")
    async with progress_events(lease) as publish:
        publish(Progress(stage="separate", fraction=0.9, files=(job.source,)))
        publish(Progress(stage="separate", fraction=1.0))
    await lease.end("stopped", Stopped())
    (event,) = [event for event in await system.events(job) if isinstance(event, Progressed)]
    assert (event.progress.fraction, event.progress.files) == (1.0, (job.source,))


async def test_a_draft_is_published_though_progress_follows_at_once(system: System) -> None:
    await system.start()
    job = await system.job(second="draft")
    await system.queue.submit(job)
    drafts = [event.progress.draft for event in await system.events(job) if isinstance(event, Progressed)]
    assert max(drafts, key=len) == tuple(DraftLine(start=float(place), text=f"Line {place}.") for place in range(3))


async def test_progress_tells_what_a_costly_stage_used_up(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[Progress] = []
    scratch = Scratch(tmp_path / "scratch")
    engine = EngineSupervisor(tmp_path, "cpu", scratch=scratch.root)
    cache = StageCache(store=system.store, engine=engine, scratch=scratch)
    plan = (await system.job(first="sleep", second="sleep", seconds=0.5)).source

    async def costs_of(stage: ToyStage) -> list[float]:
        published.clear()
        runner = StageRunner(
            stage_cache=cache,
            queue=system.queue,
            publish=lambda progress, given=0.0: published.append(progress),
            cancelled=asyncio.Event(),
            job_id="job",
            worker="one",
        )
        monkeypatch.setattr(runner, "_clip_seconds", 60.0)
        await runner(stage, ToyInputs(plan=plan), ToyParams(stage=stage.name))
        return [progress.cost for progress in published]

    costly = dataclasses.replace(TOYS["first"], costly=True)
    costs = await costs_of(costly)
    assert costs == sorted(costs)
    assert costs[-1] == 60.0
    assert any(0 < cost < 60 for cost in costs)
    assert set(await costs_of(costly)) == {0.0}, "what was kept costs nothing"
    assert set(await costs_of(TOYS["second"])) == {0.0}
    await engine.close()
    scratch.close()
