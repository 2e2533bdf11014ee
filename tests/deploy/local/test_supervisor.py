import asyncio
import os
import signal
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil
import pytest

from deploy.local.embedded_broker import EmbeddedBroker
from deploy.local.supervisor import ABSENCE_GRACE_S, LocalWorkers, running_workers
from deploy.local.worker_process import WorkerProcess
from pipeline.errors import EngineError, QueueError
from worker.queue import Queue
from worker.queue.keys import WORKERS
from worker.queue.scripts import worker_scripts
from worker.settings import WorkerSettings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkerSettings:
    for name in [name for name in os.environ if name.startswith("STEMCORD_")]:
        monkeypatch.delenv(name)
    # What is tested here is the same in both environments.
    return WorkerSettings(home=tmp_path, asr_python=Path(sys.executable))


def workers_of(home: Path) -> dict[str, int]:
    """Worker processes of that home: kind to process id."""
    found: dict[str, int] = {}
    for process in psutil.Process().children(recursive=True):
        # One that ends meanwhile is none.
        with suppress(psutil.NoSuchProcess):
            arguments = process.cmdline()
            if arguments[1:3] == ["-m", "worker"] and process.environ()["STEMCORD_HOME"] == str(home):
                found[arguments[3]] = process.pid
    return found


async def test_both_workers_are_kept_alive_and_end_in_the_end(settings: WorkerSettings, tmp_path: Path) -> None:
    async with EmbeddedBroker(tmp_path) as url, Queue.connect(url) as queue:
        async with running_workers(settings, url):
            assert {worker.kind for worker in await queue.workers()} == {"media", "asr"}
            first = workers_of(tmp_path)
            async with running_workers(settings, url):
                assert workers_of(tmp_path) == first, "live workers are used"
            names = {worker.name for worker in await queue.workers()}
            os.kill(first["asr"], signal.SIGKILL)
            async with asyncio.timeout(30):
                while not {w.name for w in await queue.workers() if w.kind == "asr"} - names:
                    await asyncio.sleep(0.1)
            again = workers_of(tmp_path)
            assert again["media"] == first["media"]
            assert again["asr"] != first["asr"]
        assert workers_of(tmp_path) == {}
    assert "worker ready" in (tmp_path / "logs/media.log").read_text()


async def test_workers_are_kept_alive_after_those_of_others_have_gone(settings: WorkerSettings, tmp_path: Path) -> None:
    async with EmbeddedBroker(tmp_path) as url, Queue.connect(url) as queue:
        others = LocalWorkers(settings, url, queue)
        async with others:
            await others.ensure("media")
            theirs = workers_of(tmp_path)["media"]
            kept = running_workers(settings, url, ("media",))
            await kept.__aenter__()
        try:
            own = await wait_for_worker(tmp_path, besides=theirs)
            os.kill(own, signal.SIGKILL)
            await wait_for_worker(tmp_path, besides=own)
        finally:
            await kept.__aexit__(None, None, None)


async def test_further_workers_run_beside_the_first(settings: WorkerSettings, tmp_path: Path) -> None:
    async with EmbeddedBroker(tmp_path) as url, Queue.connect(url) as queue:
        async with running_workers(settings, url, ("media",), further=("media",)):
            async with asyncio.timeout(60):
                while len(await queue.workers()) < 2:
                    await asyncio.sleep(0.1)
            assert {worker.kind for worker in await queue.workers()} == {"media"}
        assert await queue.workers() == []
    assert "worker ready" in (tmp_path / "logs/media-2.log").read_text()


def test_each_worker_shows_its_metrics_on_a_port_of_its_own(settings: WorkerSettings) -> None:
    measured = settings.model_copy(update={"metrics_port": 9464})
    workers = [WorkerProcess(kind, measured, "") for kind in ("media", "asr")]
    workers += [WorkerProcess("media", measured, "", number=number) for number in (2, 3)]
    assert [worker.metrics_port for worker in workers] == [9465, 9466, 9467, 9468]
    assert WorkerProcess("asr", settings, "").metrics_port == 0


async def wait_for_worker(home: Path, *, besides: int) -> int:
    """Wait for another media worker than this one."""
    async with asyncio.timeout(30):
        while (found := workers_of(home).get("media", besides)) == besides:
            await asyncio.sleep(0.1)
    return found


async def test_a_worker_that_cannot_start_is_an_error(settings: WorkerSettings, tmp_path: Path) -> None:
    broken = settings.model_copy(update={"store_url": "ftp://nowhere"})
    async with EmbeddedBroker(tmp_path) as url:
        with pytest.raises(EngineError, match="worker cannot start") as caught:
            async with running_workers(broken, url):
                pass
    assert ".log" in caught.value.hint
    assert "the worker cannot start" in caught.value.detail


async def test_a_missing_environment_is_an_error(settings: WorkerSettings, tmp_path: Path) -> None:
    missing = settings.model_copy(update={"asr_python": tmp_path / "python"})
    async with EmbeddedBroker(tmp_path) as url:
        with pytest.raises(EngineError, match="environment") as caught:
            async with running_workers(missing, url):
                pass
    assert "make env" in caught.value.hint


async def test_a_home_that_cannot_be_used_is_an_error() -> None:
    with pytest.raises(QueueError, match="cannot be started"):
        async with EmbeddedBroker(Path("/dev/null/home")):
            pass


async def test_a_live_worker_that_is_missing_for_a_moment_is_not_doubled(
    settings: WorkerSettings, tmp_path: Path
) -> None:
    register = partial(_register_worker, "media/elsewhere-1-1-abcdef")
    async with (
        EmbeddedBroker(tmp_path) as url,
        Queue.connect(url) as queue,
        LocalWorkers(settings, url, queue) as workers,
    ):
        await register(queue)
        await workers.ensure("media")
        await queue.connection.run(worker_scripts.UNREGISTER_WORKER, [WORKERS], ["media/elsewhere-1-1-abcdef"])
        await workers.ensure("media")
        assert workers_of(tmp_path) == {}, "it may be about to register again"
        await register(queue)
        await workers.ensure("media")
        await queue.connection.run(worker_scripts.UNREGISTER_WORKER, [WORKERS], ["media/elsewhere-1-1-abcdef"])
        await workers.ensure("media")
        await asyncio.sleep(ABSENCE_GRACE_S)
        assert workers_of(tmp_path) == {}
        await workers.ensure("media")
        assert [*workers_of(tmp_path)] == ["media"]


async def _register_worker(member: str, queue: Queue) -> None:
    await queue.connection.run(worker_scripts.REGISTER_WORKER, [WORKERS], [member, 60])
