import asyncio

import pytest

from tests.worker.conftest import System
from worker.protocol import Finished, Progressed
from worker.queue import lua_scripts as scripts
from worker.queue.keys import MEDIA
from worker.queue.reaper import Reaper


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
