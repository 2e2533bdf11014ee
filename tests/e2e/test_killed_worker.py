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
SECONDS = 12.0


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


@pytest.mark.parametrize(("stage", "kind"), [("diarize", "media"), ("transcribe", "asr")])
async def test_the_job_ends_well_without_anyones_help(
    stage: str, kind: str, system: tuple[Queue, Store], clip: Path, tmp_path: Path
) -> None:
    queue, store = system
    source = await store.put(clip, name=clip.name)
    job = Job(id=uuid.uuid4().hex, request=Request(task=Task.TRANSCRIBE), source=source, submitted=time.time())
    await queue.submit(job)
    killed_at = back_after = None
    attempts: list[int] = []
    result: Result | None = None
    async with asyncio.timeout(LIMIT):
        async for event in queue.events(job.id):
            match event:
                case Started(attempt=attempt):
                    attempts.append(attempt)
                    if killed_at is not None and back_after is None:
                        back_after = time.monotonic() - killed_at
                case Progressed(progress=progress):
                    # The worker has the stage in hand.
                    if progress.stage == stage and 0 < progress.fraction < 1 and killed_at is None:
                        kill_worker(kind, tmp_path / "home")
                        killed_at = time.monotonic()
                case Finished(result=result):
                    pass
                case Failed(failure=failure):
                    raise AssertionError(failure)
                case Stopped():
                    raise AssertionError("stopped")
    assert result is not None
    assert not result.failures
    assert result.artefact("transcript.json") is not None
    timings = {timing.stage: timing for timing in result.timings}
    if kind == "asr":
        assert attempts == [1]
        back_after = timings["transcribe"].seconds - timings["transcribe"].engine_seconds
    else:
        assert attempts == [1, 2]
        assert timings["separate"].reused
        assert not timings["diarize"].reused
    assert killed_at is not None
    assert back_after is not None
    assert 0 < back_after < 30
