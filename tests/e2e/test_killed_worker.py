"""A worker that is killed in the middle of a stage costs time and nothing else."""

import asyncio
import os
import signal
import subprocess
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import imageio_ffmpeg
import psutil
import pytest

from deploy.local.embedded_broker import EmbeddedBroker
from deploy.local.supervisor import running_workers
from pipeline.types import Request, Result, Task
from tests.e2e.conftest import SAMPLE
from worker.protocol import Failed, Finished, Job, Progressed, Started, Stopped
from worker.queue import Queue
from worker.settings import WorkerSettings
from worker.store import Store

LIMIT = 240.0
BACK_LIMIT_S = 30.0
SECONDS = 12.0
KILLED = {"diarize": "media", "transcribe": "asr"}
"""In which stage which worker is killed."""


@pytest.fixture
async def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Queue, Store]]:
    for name in [name for name in os.environ if name.startswith(("STEMCORD_", "DISCORD_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("STEMCORD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("STEMCORD_LOOK_AHEAD", "false")
    settings = WorkerSettings()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(EmbeddedBroker(settings.home))
        queue = await stack.enter_async_context(Queue.connect(url))
        await stack.enter_async_context(running_workers(settings, url))
        yield queue, Store.open(settings.store_url)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """The first seconds of the sample; the models take longer to load than to hear them."""
    path = tmp_path / "clip.mp4"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(SAMPLE), "-t", str(SECONDS)]
    subprocess.run([*command, "-c", "copy", str(path)], check=True, timeout=60, stdin=subprocess.DEVNULL)
    return path


def kill_worker(kind: str, home: Path) -> None:
    """Send SIGKILL to the worker process of that kind which belongs to this home."""
    for process in psutil.process_iter():
        try:
            arguments = process.cmdline()
            mine = process.environ().get("STEMCORD_HOME") == str(home)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
        if mine and arguments[1:] == ["-m", "worker", kind]:
            process.send_signal(signal.SIGKILL)
            return
    raise AssertionError(f"no {kind} worker is running")


async def test_the_job_ends_well_without_anyones_help(system: tuple[Queue, Store], clip: Path, tmp_path: Path) -> None:
    """The media worker is killed in one stage, and in a later one the asr worker, which costs the job no attempt."""
    queue, store = system
    source = await store.put(clip, name=clip.name)
    job = Job(id=uuid.uuid4().hex, request=Request(task=Task.TRANSCRIBE), source=source, submitted=time.time())
    await queue.submit(job)
    killed_at: dict[str, float] = {}
    back_after: dict[str, float] = {}
    fractions: dict[str, float] = {}
    attempts: list[int] = []
    result: Result | None = None
    async with asyncio.timeout(LIMIT):
        async for event in queue.events(job.id):
            match event:
                case Started(attempt=attempt):
                    attempts.append(attempt)
                case Progressed(progress=progress) if kind := KILLED.get(progress.stage):
                    # The worker has the stage in hand.
                    if 0 < progress.fraction < 1 and kind not in killed_at:
                        kill_worker(kind, tmp_path / "home")
                        killed_at[kind] = time.monotonic()
                    elif kind in killed_at and progress.fraction < fractions[kind]:
                        back_after.setdefault(kind, time.monotonic() - killed_at[kind])
                    fractions[kind] = progress.fraction
                case Finished(result=result):
                    pass
                case Failed(failure=failure):
                    raise AssertionError(failure)
                case Stopped():
                    raise AssertionError("stopped")
    assert killed_at.keys() == set(KILLED.values())
    assert result is not None
    assert not result.failures
    assert result.artefact("transcript.json") is not None
    assert attempts == [1, 2]
    timings = {timing.stage: timing for timing in result.timings}
    assert timings["separate"].reused
    assert not timings["diarize"].reused
    assert back_after.keys() == killed_at.keys()
    assert max(back_after.values()) < BACK_LIMIT_S, back_after
