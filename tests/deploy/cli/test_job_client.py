"""A job followed by a command: which workers are started for it, and when."""

import asyncio
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from redis.asyncio import Redis
from rich.console import Console

from deploy.cli.job_client import follow, local_queue
from pipeline.errors import EngineError, MediaError, QueueError
from pipeline.types import Artefact, Request
from worker.protocol import Job, WorkerKind
from worker.queue.keys import MEDIA, WORKERS
from worker.queue.scripts import worker_scripts
from worker.queue.worker_name import new_worker_name
from worker.settings import WorkerSettings
from worker.store import Store


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkerSettings:
    for name in [name for name in os.environ if name.startswith("STEMCORD_")]:
        monkeypatch.delenv(name)
    return WorkerSettings(home=tmp_path, asr_python=Path(sys.executable))


def children(home: Path) -> list[list[str]]:
    """The command lines of all processes below this one that work for a home; other tests have their own."""
    lines: list[tuple[list[str], str | None]] = []
    for process in psutil.Process().children(recursive=True):
        # One that ends meanwhile is none.
        with suppress(psutil.NoSuchProcess):
            lines.append((process.cmdline(), process.environ().get("STEMCORD_HOME")))
    return [line for line, place in lines if place == str(home) or any(str(home) in argument for argument in line)]


async def test_what_the_job_ends_with_is_raised_and_nobody_stays(settings: WorkerSettings, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"no clip")
    source = await Store.open(settings.store_url).put(tmp_path / "clip.mp4", name="clip.mp4")
    job = Job(id="0" * 32, request=Request(), source=source, submitted=time.time())
    async with local_queue(settings, Console(quiet=True), ("media", "asr")) as (queue, need):
        starting = asyncio.create_task(need("media"))
        with pytest.raises(MediaError, match="no video or sound"):
            await follow(queue, job, starting, need, Console(quiet=True))
        processes = children(tmp_path)
        assert [one for one in processes if "worker.engine.child" in one]
        assert not [one for one in processes if "asr" in one], "nobody was needed to transcribe"
    assert not [one for one in children(tmp_path) if "worker.engine.child" in one]
    assert "worker ready" in (tmp_path / "logs/media.log").read_text()


async def test_a_worker_that_cannot_start_leaves_no_job_behind(settings: WorkerSettings) -> None:
    broken = settings.model_copy(update={"store_url": "ftp://nowhere"})
    job = Job(
        id="1" * 32,
        request=Request(),
        source=Artefact(name="a.mp4", digest="0" * 64, size=1, media_type="video/mp4"),
        submitted=time.time(),
    )
    async with local_queue(broken, Console(quiet=True), ("media",)) as (queue, need):
        starting = asyncio.create_task(need("media"))
        with pytest.raises(EngineError, match="cannot start") as caught:
            await follow(queue, job, starting, need, Console(quiet=True))
        state = await queue.state(job.id)
        assert state is not None
        assert state.status == "stopped"
    assert "media.log" in caught.value.hint


async def test_a_missing_environment_is_told_at_once(settings: WorkerSettings, tmp_path: Path) -> None:
    missing = settings.model_copy(update={"asr_python": tmp_path / "python"})
    with pytest.raises(EngineError, match="environment"):
        async with local_queue(missing, Console(quiet=True), ("media", "asr")):
            pass


async def test_only_kinds_of_the_order_are_started(settings: WorkerSettings) -> None:
    async with local_queue(settings, Console(quiet=True), ("media",)) as (queue, need):
        await need("asr")
        assert await queue.workers() == []


@pytest.mark.parametrize(
    ("arguments", "away"), [(["run", "--help"], ("aiohttp", "numpy", "jinja2", "scipy")), (["--help"], ("torch",))]
)
async def test_a_command_starts_without_the_others(arguments: list[str], away: tuple[str, ...]) -> None:
    program = (
        f"import sys; sys.argv[1:] = {arguments!r}\n"
        "from deploy.cli import main\n"
        "try: main()\n"
        f"except SystemExit: print('loaded:', sorted({set(away)!r} & set(sys.modules)))"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program), cwd=Path(__file__).parents[3], stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert said.strip().endswith(b"loaded: []")
    assert b"Usage:" in said


async def follow_to_refusal(settings: WorkerSettings, ghost: str) -> None:
    """Follow a job that no worker of this command was started for, since the queue names another that never answers."""
    source_file = settings.home / "clip.mp4"
    source_file.write_bytes(b"no clip")
    source = await Store.open(settings.store_url).put(source_file, name="clip.mp4")
    job = Job(id="2" * 32, request=Request(), source=source, submitted=time.time())
    async with local_queue(settings, Console(quiet=True), ("media",)) as (queue, need):
        await queue.connection.run(worker_scripts.REGISTER_WORKER, [WORKERS], [f"media/{ghost}", 60])
        starting = asyncio.create_task(need("media"))
        with pytest.raises(MediaError, match="no video or sound"):
            async with asyncio.timeout(30):
                await follow(queue, job, starting, need, Console(quiet=True))


async def test_a_worker_whose_process_was_killed_is_not_waited_for(settings: WorkerSettings) -> None:
    machine = new_worker_name().rsplit("-", 2)[0]
    with subprocess.Popen(["true"]) as ended:
        pass
    await follow_to_refusal(settings, f"{machine}-{ended.pid}-abcdef")


async def test_a_worker_of_another_command_is_replaced_when_it_goes(
    settings: WorkerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.queue.job_queue.WORKER_TTL_S", 2.0)
    await follow_to_refusal(settings, "elsewhere-1-1-abcdef")


async def test_a_broker_that_takes_no_writes_ends_the_command_with_a_sentence(
    settings: WorkerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.cli.job_client.OUTAGE_TIMEOUT_S", 1.0)
    source = Artefact(name="a.mp4", digest="0" * 64, size=1, media_type="video/mp4")
    job = Job(id="3" * 32, request=Request(), source=source, submitted=time.time())
    async with (
        local_queue(settings, Console(quiet=True), ("media",)) as (queue, _),
        Redis(unix_socket_path=str(settings.home / "broker/valkey.sock")) as redis,
    ):

        async def fill() -> None:
            while await queue.state(job.id) is None:
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.3)  # until it is enqueued and followed
            await redis.config_set("maxmemory", 1)

        with pytest.raises(QueueError, match="has no memory left"):
            async with asyncio.timeout(20):
                await follow(queue, job, asyncio.create_task(fill()), no_worker, Console(quiet=True))


async def no_worker(_: WorkerKind) -> None:
    """Start nothing."""


async def test_a_job_is_followed_while_its_workers_take_long_to_start(
    settings: WorkerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.queue.follower.FOLLOWER_TTL_S", 1)
    monkeypatch.setattr("deploy.cli.job_client.WORKER_CHECK_INTERVAL_S", 0.2)
    source = Artefact(name="a.mp4", digest="0" * 64, size=1, media_type="video/mp4")
    job = Job(id="4" * 32, request=Request(), source=source, submitted=time.time())
    async with local_queue(settings, Console(quiet=True), ("media",)) as (queue, _):
        signs: list[str] = []

        async def start_slowly() -> None:
            sign = "return redis.call('GET', KEYS[1]) or ''"
            await asyncio.sleep(1.0)
            for _ in range(10):
                await asyncio.sleep(0.15)
                signs.append(await queue.connection.run(sign, [MEDIA.follower(job.id)], []))
            raise EngineError("The workers did not start in time.")

        with pytest.raises(EngineError, match="in time"):
            await follow(queue, job, asyncio.create_task(start_slowly()), no_worker, Console(quiet=True))
        state = await queue.state(job.id)
    assert state is not None
    assert state.status == "stopped"
    assert {sign.rsplit("-", 1)[0] for sign in signs} == {new_worker_name().rsplit("-", 1)[0]}, "this process, always"
