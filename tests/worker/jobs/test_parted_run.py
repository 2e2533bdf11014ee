"""One long stage on several workers."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import pytest

from pipeline.errors import StoreError
from pipeline.types import Artefact
from tests.folders import files_below
from tests.worker.conftest import TIMEOUT_S, System
from tests.worker.toy_stages import PARTS
from worker.protocol import (
    CONTRACT_VERSION,
    Event,
    Failed,
    Finished,
    Progressed,
    StageJob,
    StageResult,
    Stopped,
    owner_of,
)
from worker.queue.keys import ASR, MEDIA, PART, Keys
from worker.store import Store

NAMES = [f"part-{number}" for number in range(PARTS)]


async def made(system: System, last: Event) -> list[tuple[str, int]]:
    """The parts in their order, and the process that made each."""
    assert isinstance(last, Finished), last
    (artefact,) = last.result.artefacts
    return [(name, pid) for name, pid in json.loads(await system.store.read(artefact, max_bytes=10_000))]


def fractions(events: Sequence[Event]) -> list[float]:
    return [event.progress.fraction for event in events if isinstance(event, Progressed)]


async def wait_for_runs(system: System, count: int) -> None:
    """Wait until so many parts were begun, whichever they are."""
    async with asyncio.timeout(TIMEOUT_S):
        while sum(system.runs(name) for name in NAMES) < count:
            await asyncio.sleep(0.02)


async def test_workers_take_the_parts_of_one_stage_side_by_side(system: System) -> None:
    await system.start()
    await system.start()
    job = await system.job("long.json", {"seconds": 1.0, **dict.fromkeys(NAMES, "sleep")})
    await system.queue.submit(job)
    events = await system.events(job)
    parts = await made(system, events[-1])
    assert [name for name, _ in parts] == NAMES
    assert len({pid for _, pid in parts}) == 2
    assert {event.progress.stage for event in events if isinstance(event, Progressed)} == {"long"}
    told = fractions(events)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert any(0.05 < fraction < 0.95 for fraction in told)


async def test_a_worker_takes_one_part_at_a_time(system: System) -> None:
    for _ in range(PARTS):
        await system.start()
    job = await system.job("long.json", {"seconds": 3.0, **dict.fromkeys(NAMES, "sleep")})
    await system.queue.submit(job)
    parts = await made(system, (await system.events(job))[-1])
    assert len({pid for _, pid in parts}) == PARTS


async def test_one_worker_does_all_parts(system: System) -> None:
    await system.start()
    job = await system.job("long.json")
    await system.queue.submit(job)
    last = (await system.events(job))[-1]
    assert [name for name, _ in await made(system, last)] == NAMES
    assert isinstance(last, Finished)
    (timing,) = last.result.timings
    assert timing.stage == "long"
    assert timing.engine_seconds > 0


async def test_the_whole_is_kept_and_the_parts_are_not(system: System) -> None:
    await system.start()
    results: list[Artefact] = []
    job = await system.job("long.json")
    for _ in range(2):
        job = await system.job("long.json")
        await system.queue.submit(job)
        last = (await system.events(job))[-1]
        assert isinstance(last, Finished)
        results += last.result.artefacts
        # The clip and the result of the stage.
        assert len(await system.store.references.of_job(owner_of(job.id))) == 2
    assert results[0] == results[1]
    assert [system.runs(name) for name in (*NAMES, "join")] == [1] * (PARTS + 1)
    blobs = list(files_below(system.folder.parent / "store" / "blobs"))
    assert {path.name for path in blobs} == {results[0].digest, job.source.digest}


async def test_two_jobs_of_a_clip_share_its_parts_and_leave_none(system: System) -> None:
    await system.start()
    await system.start()
    jobs = [await system.job("long.json", {"seconds": 0.5, **dict.fromkeys(NAMES, "sleep")}) for _ in range(3)]
    for job in jobs:
        await system.queue.submit(job)
    await wait_for_runs(system, 2)
    assert await system.queue.cancel(jobs[1].id)
    for job in (jobs[0], jobs[2]):
        assert [name for name, _ in await made(system, (await system.events(job))[-1])] == NAMES
    assert isinstance((await system.events(jobs[1]))[-1], Stopped)
    assert [system.runs(name) for name in NAMES] == [1] * PARTS
    for job in jobs:
        await system.store.release_job(job.id, nowhere)
    assert not stored(system)


async def nowhere(_digest: str) -> bool:
    return False


def stored(system: System) -> list[Path]:
    return [*files_below(system.folder.parent / "store")]


def stored_voices(system: System) -> list[Path]:
    return [path for path in stored(system) if b"numbers of the voices" in path.read_bytes()]


async def wait_for_voices(system: System) -> None:
    """Wait until a part has left its result, with its embeddings."""
    async with asyncio.timeout(TIMEOUT_S):
        while not stored_voices(system):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("how", ["cancelled", "failed", "put aside", "run again without its parts"])
async def test_the_embeddings_of_parts_go_with_their_job_however_it_ended(
    system: System, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.jobs.attempts.RETRY_DELAY_S", 0.1)
    await system.start()
    await system.start()
    ends = {"failed": "refuse late", "put aside": "crash three times", "cancelled": "sleep"}
    job = await system.job("long.json", {"seconds": 30.0, NAMES[3]: ends.get(how, "ok")})
    if how == "run again without its parts":
        # As when the worker dies after it kept the whole.
        monkeypatch.setattr(system.store.__class__, "release_cache_entry", die_once(monkeypatch, system.store))
    await system.queue.submit(job)
    if how == "cancelled":
        await wait_for_runs(system, PARTS)
        await wait_for_voices(system)
        assert await system.queue.cancel(job.id)
    last = (await system.events(job))[-1]
    assert isinstance(last, {"cancelled": Stopped}.get(how, Failed if how in ends else Finished))
    assert stored_voices(system)
    async with asyncio.timeout(10):
        while await system.queue.connection.members(PART.active):
            await asyncio.sleep(0.1)
    await system.store.release_job(job.id, nowhere)
    assert not stored(system)


def die_once(monkeypatch: pytest.MonkeyPatch, store: Store) -> Callable[[Store, str, str], Awaitable[None]]:
    """Fail the first time that a result of a part is to be dropped."""
    drop = type(store).release_cache_entry

    async def release(self: Store, job_id: str, key: str) -> None:
        monkeypatch.setattr(type(store), "release_cache_entry", drop)
        raise StoreError(f"{job_id} was about to drop {key}.")

    return release


async def test_a_part_whose_engine_dies_is_made_again_alone(system: System) -> None:
    await system.start()
    await system.start()
    job = await system.job("long.json", {NAMES[2]: "crash once"})
    await system.queue.submit(job)
    assert [name for name, _ in await made(system, (await system.events(job))[-1])] == NAMES
    assert [system.runs(name) for name in NAMES] == [1, 1, 2, 1]


async def test_a_part_that_was_put_aside_is_made_when_its_job_is_run_again(system: System) -> None:
    await system.start()
    job = await system.job("long.json", {NAMES[2]: "crash three times"})
    await system.queue.submit(job)
    last = (await system.events(job))[-1]
    assert isinstance(last, Failed)
    assert (last.failure.type, last.failure.stage) == ("AttemptsError", "long")
    assert await system.queue.replay(job.id)
    assert [name for name, _ in await made(system, (await system.events(job))[-1])] == NAMES
    assert [system.runs(name) for name in NAMES] == [1, 1, 4, 1]


async def test_a_part_of_a_worker_that_ends_goes_to_another_one_alone(system: System) -> None:
    await system.start()
    await system.start()
    job = await system.job("long.json", {"seconds": 4.0, **dict.fromkeys(NAMES, "sleep")})
    await system.queue.submit(job)
    # Each worker is in the middle of one.
    async with asyncio.timeout(TIMEOUT_S):
        async for event in system.queue.events(job.id):
            if isinstance(event, Progressed) and event.progress.fraction > 0.3:
                break
    system.workers["media-1"].cancel()
    events = await system.events(job)
    assert [name for name, _ in await made(system, events[-1])] == NAMES
    told = fractions(events)
    assert told == sorted(told)
    assert sorted(system.runs(name) for name in NAMES) == [1, 1, 1, 2]


async def test_a_worker_alone_that_is_told_to_stop_makes_the_parts_of_its_job(system: System) -> None:
    system.settings = system.settings.model_copy(update={"drain": TIMEOUT_S})
    stopping = asyncio.Event()
    await system.start(stopping=stopping)
    job = await system.job("long.json", {"seconds": 1.0, **dict.fromkeys(NAMES, "sleep")})
    await system.queue.submit(job)
    await wait_for_runs(system, 1)
    later = await system.job("after.json")
    stopping.set()
    while await system.queue.workers():
        await asyncio.sleep(0.02)
    await system.queue.submit(later)
    assert [name for name, _ in await made(system, (await system.events(job))[-1])] == NAMES
    async with asyncio.timeout(TIMEOUT_S):
        await system.workers["media-0"]
    assert await system.status(later) == "queued"


async def test_a_part_is_not_kept_when_all_jobs_that_it_is_for_are_deleted(system: System) -> None:
    await system.start()
    source = (await system.job("long.json")).source
    # Submitted, and to be run by nobody here.
    await system.queue.connection.run(
        "return redis.call('HSET', KEYS[1], 'status', 'queued')", [MEDIA.record("deleted")], []
    )
    part = StageJob(
        id="stage-part",
        keys=("ab" * 32, "cd" * 32),
        stage="part",
        inputs={"plan": source},
        params={"model": "", "weights": "", "stage": NAMES[0], "share": 1.0},
        timeout_s=TIMEOUT_S,
        contract=CONTRACT_VERSION,
    )
    await system.queue.submit_stage(PART, part, parent="deleted")
    async with asyncio.timeout(TIMEOUT_S):
        events = [event async for event in system.queue.stage_events(PART, part.id)]
    assert isinstance(events[-1], StageResult), events
    assert system.runs(NAMES[0]) == 1
    assert {path.name for path in stored(system)} == {source.digest}


async def test_parts_of_a_job_that_is_cancelled_between_two_attempts_are_dropped(system: System) -> None:
    await system.start("media")
    await system.start("asr")
    job = await system.job("long-heard.json", {"seconds": 4.0, **dict.fromkeys(NAMES, "sleep")})
    await system.queue.submit(job)
    await wait_for_runs(system, 1)
    while len(await system.queue.connection.members(ASR.active)) < PARTS:
        await asyncio.sleep(0.02)
    system.workers["media-0"].cancel()
    await asyncio.wait({system.workers["media-0"]})
    assert await system.status(job) == "queued"
    assert await system.queue.cancel(job.id)
    assert isinstance((await system.events(job))[-1], Stopped)
    async with asyncio.timeout(TIMEOUT_S):
        while await system.queue.connection.members(ASR.active):
            await asyncio.sleep(0.1)
    assert sum(system.runs(name) for name in NAMES) <= 2


async def test_what_a_job_made_of_its_parts_is_used_by_its_next_attempt(system: System) -> None:
    await system.start()
    job = await system.job("long.json", {"seconds": 3.0, NAMES[3]: "sleep"})
    await system.queue.submit(job)
    async with asyncio.timeout(TIMEOUT_S):
        async for event in system.queue.events(job.id):
            if isinstance(event, Progressed) and event.progress.fraction > 0.7:
                break
    await system.stop()
    await system.start()
    assert [name for name, _ in await made(system, (await system.events(job))[-1])] == NAMES
    # Only the one that was under way is begun again, whichever it was.
    assert sum(system.runs(name) for name in NAMES) <= PARTS + 1


async def failure_of(system: System, clip: str, plan: Mapping[str, object]) -> tuple[str, str | None]:
    """Have a job done that fails; give the type of its error and the stage."""
    job = await system.job(clip, dict(plan))
    await system.queue.submit(job)
    last = (await system.events(job))[-1]
    assert isinstance(last, Failed)
    return last.failure.type, last.failure.stage


async def test_a_part_that_fails_ends_the_stage_with_its_error(system: System) -> None:
    await system.start()
    await system.start()
    plan = {"seconds": 20.0, **dict.fromkeys(NAMES, "sleep"), NAMES[1]: "refuse"}
    assert await failure_of(system, "long.json", plan) == ("MediaError", "long")
    assert system.runs("join") == 0
    # Nobody goes on with the other parts.
    other = await system.job("after.json")
    await system.queue.submit(other)
    assert isinstance((await system.events(other))[-1], Finished)


async def wait_until_none_runs(system: System, keys: Keys) -> None:
    async with asyncio.timeout(5):
        while await system.queue.connection.members(keys.active):
            await asyncio.sleep(0.1)


async def test_a_part_that_fails_has_the_others_stopped_in_the_other_environment(system: System) -> None:
    await system.start("media")
    await system.start("asr")
    # Whichever is taken first refuses; the next may have been taken before the word to stop came.
    plan = dict.fromkeys(NAMES, "refuse late")
    assert await failure_of(system, "long-heard.json", plan) == ("MediaError", "long")
    await wait_until_none_runs(system, ASR)
    assert sum(system.runs(name) for name in NAMES) <= 2


async def test_parts_are_stopped_when_another_branch_of_their_job_fails(system: System) -> None:
    await system.start("media")
    await system.start("asr")
    plan = {"seconds": 30.0, **dict.fromkeys(NAMES, "sleep"), "first": "refuse late"}
    assert await failure_of(system, "beside.json", plan) == ("MediaError", "first")
    await wait_until_none_runs(system, ASR)


async def test_a_cancel_reaches_the_parts_in_the_other_environment(system: System) -> None:
    await system.start("media")
    await system.start("asr")
    job = await system.job("beside.json", {"seconds": 30.0, **dict.fromkeys([*NAMES, "first"], "sleep")})
    await system.queue.submit(job)
    await wait_for_runs(system, 1)
    assert await system.queue.cancel(job.id)
    assert isinstance((await system.events(job))[-1], Stopped)
    await wait_until_none_runs(system, ASR)


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_cancel_reaches_all_parts(system: System, workers: int) -> None:
    for _ in range(workers):
        await system.start()
    job = await system.job("long.json", {"seconds": 30.0, **dict.fromkeys(NAMES, "sleep")})
    await system.queue.submit(job)
    await wait_for_runs(system, workers)
    assert await system.queue.cancel(job.id)
    assert isinstance((await system.events(job))[-1], Stopped)
    # The workers are free again.
    other = await system.job("after.json")
    await system.queue.submit(other)
    assert isinstance((await system.events(other))[-1], Finished)
