"""Releasing a job deletes what nothing else needs, and only that."""

import asyncio
import json
from pathlib import Path

import pytest

from pipeline.errors import StoreError
from tests.worker.conftest import System
from worker.protocol import PREFETCH_PREFIX, Failed, Finished, Job, Stopped


async def unneeded(_: str) -> bool:
    return False


def kept(system: System) -> set[str]:
    """Every file of the store."""
    root = Path(system.settings.home / "store")
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


async def done(system: System, job: Job) -> Job:
    await system.queue.submit(job)
    assert isinstance((await system.events(job))[-1], Finished)
    return job


async def test_nothing_is_left_of_the_only_job_of_a_clip(system: System) -> None:
    await system.start()
    await system.start("asr")
    other = await done(system, await system.job("other.json", note="another clip"))
    before = kept(system)
    job = await done(system, await system.job("heard.json"))
    assert len(kept(system)) > len(before)
    await system.store.release_job(job.id, unneeded)
    assert kept(system) == before
    await system.store.release_job(other.id, unneeded)
    assert kept(system) == set()


async def test_a_clip_of_two_people_keeps_what_the_other_used(system: System) -> None:
    await system.start()
    mine = await done(system, await system.job("a.json"))
    longer = await done(system, await system.job("a.json", options={"fresh": True}))
    shared = await done(system, await system.job("b.json"))
    assert shared.source.digest == mine.source.digest
    for job in (mine, longer):
        await system.store.release_job(job.id, unneeded)
    again = await system.job("c.json")
    await system.queue.submit(again)
    last = (await system.events(again))[-1]
    assert isinstance(last, Finished)
    assert all(timing.reused for timing in last.result.timings)
    for job in (shared, again):
        await system.store.release_job(job.id, unneeded)
    assert kept(system) == set()


async def test_two_jobs_of_a_clip_that_go_at_once_leave_nothing(system: System) -> None:
    await system.start()
    for _ in range(3):
        jobs = [await done(system, await system.job(name)) for name in ("a.json", "b.json")]
        await asyncio.gather(*(system.store.release_job(job.id, unneeded) for job in jobs))
        assert kept(system) == set()


async def test_jobs_that_failed_or_stopped_or_were_prefetched_leave_nothing(system: System) -> None:
    await system.start()
    failing = await system.job("a.json", second="refuse")
    await system.queue.submit(failing)
    assert isinstance((await system.events(failing))[-1], Failed)
    stopped = await system.job("b.json", second="sleep", seconds=30.0)
    await system.queue.submit(stopped)
    await system.wait_for_run("second", 2)
    await system.queue.cancel(stopped.id)
    assert isinstance((await system.events(stopped))[-1], Stopped)
    asked = await system.job("c.json", note="asked")
    prefetch = Job(
        id=f"{PREFETCH_PREFIX}{asked.id}", request=asked.request, source=asked.source, submitted=0.0, prefetch=True
    )
    await done(system, prefetch)
    for job in (failing, stopped, asked):
        assert await system.store.references.of_job(job.id)
        await system.store.release_job(job.id, unneeded)
    assert kept(system) == set()


async def test_files_of_an_entry_of_another_version_go_too(system: System) -> None:
    await system.start()
    job = await done(system, await system.job())
    for path in (system.settings.home / "store/stages").glob("*.json"):
        entry = json.loads(path.read_bytes())
        path.write_text(json.dumps({"kind": "performed", "facts": {}, "artefacts": entry["artefacts"]}))
    await system.store.release_job(job.id, unneeded)
    assert kept(system) == set()


async def test_what_somebody_refers_to_stays(system: System) -> None:
    await system.start()
    job = await done(system, await system.job())

    async def needed(digest: str) -> bool:
        return digest == job.source.digest

    await system.store.release_job(job.id, needed)
    digest = job.source.digest
    assert kept(system) == {f"blobs/{digest[:2]}/{digest}"}


async def test_a_release_that_was_cut_off_is_done_again(system: System) -> None:
    await system.start()
    job = await done(system, await system.job())
    asked: list[str] = []

    async def cut_off(digest: str) -> bool:
        asked.append(digest)
        if len(asked) == 1:
            raise StoreError("The store is away.")
        return False

    with pytest.raises(StoreError):
        await system.store.release_job(job.id, cut_off)
    await system.store.release_job(job.id, unneeded)
    assert kept(system) == set()
