import asyncio
import subprocess
import time

import pytest

from tests.worker.conftest import System
from worker.protocol import Finished, Progressed
from worker.queue.keys import MEDIA
from worker.queue.lease import Lease
from worker.queue.reaper import Reaper
from worker.queue.scripts import job_scripts as scripts
from worker.queue.worker_name import new_worker_name


async def test_a_job_that_arq_forgot_is_found(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.queue.reaper.STUCK_GRACE_S", 1.0)
    job = await system.job()
    await system.queue.submit(job)
    await system.queue.connection.run(scripts.REMOVE_FROM_ARQ, MEDIA.arq_keys(job.id), [job.id])
    reaper = Reaper(system.queue, "media", "test")
    await reaper.scan()
    await system.start()
    started = asyncio.get_running_loop().time()
    events = await system.events(job)
    assert isinstance(events[-1], Finished)
    assert asyncio.get_running_loop().time() - started < 10
    assert any(isinstance(event, Progressed) for event in events)


async def test_a_lease_that_ran_out_while_the_broker_was_away_may_be_renewed_first(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.queue.lease.LEASE_TTL_S", 1.0)
    job = await system.job()
    await system.queue.submit(job)
    held = await Lease.acquire(system.queue, MEDIA, job.id, "one")
    reaper = Reaper(system.queue, "media", "test")
    await asyncio.sleep(1.1)
    await reaper.scan()
    assert await system.status(job) == "running", "its worker could not renew it, as far as the reaper knows"
    renewing = asyncio.create_task(held.renew())
    for _ in range(4):
        await asyncio.sleep(0.3)
        await reaper.scan()
    assert await system.status(job) == "running"
    renewing.cancel()
    for _ in range(5):
        await asyncio.sleep(0.3)
        await reaper.scan()
    assert await system.status(job) == "queued", "the broker has answered all the time, so the worker is gone"


async def test_a_job_from_a_clock_that_is_ahead_starts_at_once(system: System) -> None:
    job = await system.job()
    await system.queue.submit(job)
    await system.queue.connection.add_member(MEDIA.queue, job.id, (time.time() + 25) * 1000)
    await system.start()
    began = time.monotonic()
    assert isinstance((await system.events(job))[-1], Finished)
    assert time.monotonic() - began < 10


async def test_the_job_of_a_killed_command_is_done_for_nobody(system: System) -> None:
    forsaken, followed = await system.job("a.json"), await system.job("b.json")
    machine = new_worker_name().rsplit("-", 2)[0]
    with subprocess.Popen(["true"]) as ended:
        pass
    for job, name in ((forsaken, f"{machine}-{ended.pid}-abcdef"), (followed, new_worker_name())):
        await system.queue.submit(job)
        await system.queue.note_follower(job.id, name)
    await Lease.acquire(system.queue, MEDIA, forsaken.id, "lost")
    reaper = Reaper(system.queue, "media", "test")
    await reaper.scan()
    await system.queue.connection.run("return redis.call('DEL', KEYS[1])", [MEDIA.lease(forsaken.id)], [])
    await reaper.scan()
    assert await system.status(forsaken) == "stopped"
    assert await system.status(followed) == "queued"
    assert await system.queue.replay(forsaken.id)
    await reaper.scan()
    assert await system.status(forsaken) == "queued", "whoever replays a job wants it"


async def test_a_long_scan_does_not_make_a_worker_look_dead(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.queue.reaper.SCAN_INTERVAL_S", 0.1)
    monkeypatch.setattr("worker.queue.reaper.WORKER_TTL_S", 0.5)
    monkeypatch.setattr("worker.queue.job_queue.WORKER_TTL_S", 0.5)
    reaper = Reaper(system.queue, "media", "slow")

    async def scan() -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(reaper, "scan", scan)
    running = asyncio.create_task(reaper.run())
    await asyncio.sleep(1.5)
    assert [worker.name for worker in await system.queue.workers()] == ["slow"]
    running.cancel()
    await asyncio.wait({running})


async def test_jobs_run_in_the_order_of_the_broker(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = await system.job("a.json", options={"submitted": time.time() + 1000})
    monkeypatch.setattr("arq.connections.timestamp_ms", lambda: int((time.time() + 1000) * 1000))
    await system.queue.submit(ahead)
    monkeypatch.undo()
    after = await system.job("b.json")
    await system.queue.submit(after)
    assert [await system.queue.position(job.id) for job in (ahead, after)] == [0, 1]
    assert await system.queue.connection.members(MEDIA.queue) == [ahead.id, after.id]
    assert [state.job.id for state in await system.queue.jobs()] == [ahead.id, after.id]
    for job in (ahead, after):
        await system.queue.cancel(job.id)
    assert await system.queue.replay(after.id)
    assert await system.queue.replay(ahead.id)
    assert await system.queue.connection.members(MEDIA.active) == [after.id, ahead.id]
