import asyncio

import pytest

from tests.worker.conftest import System
from worker.protocol import Started, Stopped
from worker.queue.keys import MEDIA
from worker.queue.lease import Lease, LeaseLostError


async def test_only_one_worker_has_a_job(system: System) -> None:
    job = await system.job()
    await system.queue.submit(job)
    mine = await Lease.acquire(system.queue, MEDIA, job.id, "one")
    theirs = await Lease.acquire(system.queue, MEDIA, job.id, "two")
    assert (mine.outcome, mine.attempt, theirs.outcome) == ("acquired", 1, "held")


async def test_who_lost_the_lease_can_say_nothing(system: System) -> None:
    job = await system.job()
    await system.queue.submit(job)
    mine = await Lease.acquire(system.queue, MEDIA, job.id, "one")
    await system.lose_lease(job)
    theirs = await Lease.acquire(system.queue, MEDIA, job.id, "two")
    assert (theirs.outcome, theirs.attempt) == ("acquired", 2)
    assert await mine.renew() == "lost"
    with pytest.raises(LeaseLostError):
        await mine.emit(Started(attempt=1, worker="one"))
    with pytest.raises(LeaseLostError):
        await mine.end("stopped", Stopped())
    await mine.release(counted=False)
    await theirs.end("stopped", Stopped())
    assert await system.events(job) == [Stopped()]


async def test_the_lease_comes_back_after_an_outage(system: System) -> None:
    job = await system.job()
    await system.queue.submit(job)
    lease = await Lease.acquire(system.queue, MEDIA, job.id, "one")
    await system.queue.connection.run("return redis.call('DEL', KEYS[1])", [MEDIA.lease(job.id)], [])
    renewing = asyncio.create_task(lease.renew())
    await asyncio.sleep(0.3)
    assert not renewing.done(), "nobody else took the job, so it is still ours"
    assert (await Lease.acquire(system.queue, MEDIA, job.id, "two")).outcome == "held"
    renewing.cancel()
