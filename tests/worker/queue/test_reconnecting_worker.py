import asyncio

import pytest
from arq.worker import Worker as ArqWorker

from tests.worker.conftest import System
from worker.protocol import Finished


async def test_a_job_that_was_taken_from_a_broker_that_then_hangs_holds_no_slot(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.queue.reconnecting_worker.START_TIMEOUT_S", 0.5)
    monkeypatch.setattr("worker.queue.reaper.STUCK_GRACE_S", 1.0)
    system.settings = system.settings.model_copy(update={"media_jobs": 1})
    started = asyncio.Event()
    run_job = ArqWorker.run_job

    async def run_job_that_hangs_once(worker: ArqWorker, job_id: str, score: int) -> None:
        if not started.is_set():
            started.set()
            await asyncio.sleep(3600)
        await run_job(worker, job_id, score)

    monkeypatch.setattr(ArqWorker, "run_job", run_job_that_hangs_once)
    await system.start()
    job = await system.job()
    await system.queue.submit(job)
    await started.wait()
    assert isinstance((await system.events(job))[-1], Finished)


async def test_a_job_may_run_longer_than_its_start(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.queue.reconnecting_worker.START_TIMEOUT_S", 0.5)
    await system.start()
    job = await system.job(first="sleep", seconds=1.5)
    await system.queue.submit(job)
    assert isinstance((await system.events(job))[-1], Finished)
    assert system.runs("first") == 1
