"""A real broker, store and workers for the tests of this folder."""

import asyncio
import contextlib
import json
import os
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from deploy.local.embedded_broker import EmbeddedBroker
from pipeline.types import Request, Task
from tests.worker.toy_stages import TOYS, run_toys, tally_of
from worker.app import WorkerApp
from worker.engine.confinement.policy import cache_folder
from worker.protocol import Event, Job, ReplyTo, WorkerKind
from worker.queue import Queue
from worker.queue.keys import MEDIA
from worker.queue.scripts import job_scripts as scripts
from worker.settings import WorkerSettings
from worker.store import Store

TIMEOUT_S = 40.0


@dataclass
class System:
    """A broker, a store and whatever workers a test starts."""

    settings: WorkerSettings
    queue: Queue
    store: Store
    folder: Path
    workers: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def start(self, kind: WorkerKind = "media", *, stopping: asyncio.Event | None = None) -> None:
        """Run a worker in this process; it is told to stop when the event is set."""
        name = f"{kind}-{len(self.workers)}"
        service = WorkerApp(kind=kind, settings=self.settings, run=run_toys, stages=TOYS, name=name)
        self.workers[name] = asyncio.create_task(service.serve(stopping))
        async with asyncio.timeout(TIMEOUT_S):
            while name not in {worker.name for worker in await self.queue.workers()}:
                if self.workers[name].done():
                    self.workers[name].result()
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """End all workers."""
        for task in self.workers.values():
            task.cancel()
        for task in self.workers.values():
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def job(
        self,
        name: str = "clip.json",
        behaviour: Mapping[str, Any] | None = None,
        *,
        options: dict[str, Any] | None = None,
        **plan: Any,
    ) -> Job:
        """A job, not yet submitted, whose stages behave as the plan and the behaviour say."""
        path = self.folder / name
        path.write_text(json.dumps({"tally": str(self.tally), **plan, **(behaviour or {})}))
        fields: dict[str, Any] = {"request": Request(task=Task.ALL), "submitted": time.time()} | (options or {})
        return Job(id=uuid.uuid4().hex, source=await self.store.put(path, name=name), **fields)

    @property
    def tally(self) -> Path:
        """Where the stages note each run."""
        # The engine cannot write beside the clips.
        return cache_folder(self.settings.home) / "tally"

    def runs(self, stage: str) -> int:
        """How often a stage was begun."""
        return tally_of(self.tally, stage)

    async def wait_for_run(self, stage: str, times: int = 1) -> None:
        """Wait until a stage was begun that often."""
        async with asyncio.timeout(TIMEOUT_S):
            while self.runs(stage) < times:
                await asyncio.sleep(0.02)

    async def events(self, job: Job) -> list[Event]:
        """All events of a job, up to its end."""
        async with asyncio.timeout(TIMEOUT_S):
            return [event async for event in self.queue.events(job.id)]

    async def lose_lease(self, job: Job) -> None:
        """Do what the reaper does after a worker stopped sending heartbeats."""
        await self.queue.connection.run("return redis.call('DEL', KEYS[1])", [MEDIA.lease(job.id)], [])
        names = [MEDIA.record(job.id), MEDIA.lease(job.id), *MEDIA.arq_keys(job.id)]
        assert await self.queue.connection.run(scripts.RECLAIM, names, [job.id])

    async def status(self, job: Job) -> str:
        """The status of a job."""
        state = await self.queue.state(job.id)
        assert state is not None
        return state.status


@pytest.fixture
def reply_to() -> ReplyTo:
    return ReplyTo(application_id="1", channel_id="2", user_id="3")


@pytest.fixture
async def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[System]:
    for name in [name for name in os.environ if name.startswith("STEMCORD_")]:
        monkeypatch.delenv(name)
    async with EmbeddedBroker(tmp_path) as url:
        settings = WorkerSettings(redis_url=url, home=tmp_path, drain=0.5, look_ahead=False)
        folder = tmp_path / "clips"
        folder.mkdir()
        cache_folder(tmp_path).mkdir()
        async with Queue.connect(url) as queue:
            system = System(settings, queue, Store.open(settings.store_url), folder)
            yield system
            await system.stop()
