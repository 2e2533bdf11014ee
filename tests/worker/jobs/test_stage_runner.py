import asyncio
import dataclasses
from pathlib import Path

import pytest

from pipeline.errors import EngineError
from pipeline.types import Artefact, Progress
from tests.worker.conftest import System
from tests.worker.toys import TOYS, ToyInputs, ToyParams
from worker.engine.supervisor import EngineSupervisor
from worker.jobs.scratch import Scratch
from worker.jobs.stage_cache import StageCache, StageCall, cache_key
from worker.jobs.stage_runner import StageRunner
from worker.protocol import Failed, Finished, Started, Stopped
from worker.queue.keys import ASR


async def test_a_stage_is_done_once(system: System) -> None:
    await system.start()
    for name in ("a.json", "b.json"):
        job = await system.job(name)
        await system.queue.submit(job)
        last = (await system.events(job))[-1]
        assert isinstance(last, Finished)
        assert [timing.reused for timing in last.result.timings] == [name == "b.json"] * 2
    assert (system.runs("first"), system.runs("second")) == (1, 1)


async def test_a_fresh_job_takes_nothing_from_the_store(system: System) -> None:
    await system.start()
    for fresh in (False, True, False):
        job = await system.job(options={"fresh": fresh})
        await system.queue.submit(job)
        last = (await system.events(job))[-1]
        assert isinstance(last, Finished)
    assert system.runs("first") == 2
    assert all(timing.reused for timing in last.result.timings)


async def test_a_lost_file_is_made_again(system: System) -> None:
    await system.start()
    job = await system.job()
    await system.queue.submit(job)
    last = (await system.events(job))[-1]
    assert isinstance(last, Finished)
    digest = last.result.artefacts[0].digest
    (system.settings.home / "store/blobs" / digest[:2] / digest).unlink()
    again = await system.job()
    await system.queue.submit(again)
    assert isinstance((await system.events(again))[-1], Finished)
    assert await system.store.has_digest(digest)


async def test_scratch_room_is_cleared(system: System) -> None:
    await system.start()
    for how in ("ok", "refuse", "be killed"):
        job = await system.job(first=how, options={"prefetch": True})
        await system.queue.submit(job)
        if how != "be killed":
            await system.events(job)
    await system.until_run("first", 3)
    await system.stop()
    assert list((system.settings.home / "scratch").iterdir()) == []


def test_scratch_of_a_killed_worker_is_cleared_by_the_next(tmp_path: Path) -> None:
    left = tmp_path / "worker-left"
    left.mkdir()
    (left / ".lock").touch()
    (left / "large.wav").touch()
    living = Scratch(tmp_path)
    assert not left.exists()
    with living.folder() as folder:
        other = Scratch(tmp_path)
        assert folder.exists(), "a living worker keeps its room"
        other.close()
    living.close()
    assert list(tmp_path.iterdir()) == []


async def test_equal_work_at_the_same_time_is_done_once(system: System) -> None:
    await system.start()
    jobs = [await system.job("clip.json", first="sleep", seconds=1.0) for _ in range(2)]
    for job in jobs:
        await system.queue.submit(job)
    for job in jobs:
        assert isinstance((await system.events(job))[-1], Finished)
    assert system.runs("first") == 1


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
    await system.until_run("heard")
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
    await system.until_run("heard")
    await asyncio.sleep(0.5)
    await system.queue.cancel(jobs[0].id)
    assert isinstance((await system.events(jobs[0]))[-1], Stopped)
    assert isinstance((await system.events(jobs[1]))[-1], Finished)
    assert system.runs("heard") == 1


async def test_no_worker_of_the_other_environment(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.jobs.stage_runner.WORKER_CHECK_INTERVAL_S", 0.2)
    plan = (await system.job("heard.json")).source
    scratch = Scratch(tmp_path / "scratch")
    runner = StageRunner(
        stage_cache=StageCache(store=system.store, engine=EngineSupervisor(tmp_path), scratch=scratch),
        queue=system.queue,
        publish=lambda progress: None,
        cancelled=asyncio.Event(),
        job_id="job",
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


def test_keys_depend_on_all_that_matters_and_on_nothing_else() -> None:
    stage = TOYS["first"]
    one = Artefact(name="a.mp4", digest="1" * 64, size=1, media_type="video/mp4")
    call = StageCall(stage=stage, inputs={"source": one}, params={"a": 1, "b": 2})
    key = cache_key(call)
    renamed = dataclasses.replace(one, name="b.mp4")
    same = dataclasses.replace(call, inputs={"source": renamed}, params={"b": 2, "a": 1})
    assert cache_key(same) == key
    others = [
        cache_key(dataclasses.replace(call, stage=dataclasses.replace(stage, version=2))),
        cache_key(dataclasses.replace(call, stage=TOYS["second"])),
        cache_key(dataclasses.replace(call, inputs={"sound": one})),
        cache_key(dataclasses.replace(call, inputs={"source": dataclasses.replace(one, digest="2" * 64)})),
        cache_key(dataclasses.replace(call, params={"a": 1, "b": 3})),
        cache_key(call, salt="job"),
    ]
    assert len({key, *others}) == 7
