"""Killed workers, a broker that goes away, workers that are told to stop: real processes."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from deploy.local.embedded_broker import EmbeddedBroker
from tests.folders import files_below
from tests.worker.conftest import TIMEOUT_S, System
from tests.worker.toy_worker import LEASE_TTL_S
from worker.engine.environment import child_environment
from worker.protocol import Finished, Job, Started
from worker.queue import Queue

RECLAIM_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 15.0


@asynccontextmanager
async def worker_process(system: System, kind: str, module: str = "tests.worker.toy_worker") -> AsyncIterator[int]:
    """A worker in a process of its own that is alive; gives its id."""
    assert system.settings.redis_url is not None
    before = {worker.name for worker in await system.queue.workers()}
    environment = child_environment() | {
        "STEMCORD_REDIS_URL": system.settings.redis_url,
        "STEMCORD_HOME": str(system.settings.home),
        "STEMCORD_DRAIN": "0.5",
        "STEMCORD_LOOK_AHEAD": "false",
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, kind, env=environment)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            while not {worker.name for worker in await system.queue.workers()} - before:
                assert process.returncode is None
                await asyncio.sleep(0.05)
        yield process.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await asyncio.wait_for(process.wait(), 20)


async def started_again(system: System, job: Job) -> float:
    """When the second attempt began."""
    async with asyncio.timeout(TIMEOUT_S):
        async for event in system.queue.events(job.id):
            if isinstance(event, Started) and event.attempt == 2:
                return time.monotonic()
    raise AssertionError("there was no second attempt")


async def test_a_killed_worker_costs_seconds_and_no_finished_stage(system: System) -> None:
    job = await system.job(second="sleep", seconds=1.5)
    async with worker_process(system, "media") as first, worker_process(system, "media") as second:
        await system.queue.submit(job)
        await system.wait_for_run("second")
        pids = {first: engine_of(first), second: engine_of(second)}
        busy = await busy_worker(system, job)
        engine = pids[busy]
        os.kill(busy, signal.SIGKILL)
        killed = time.monotonic()
        took = await started_again(system, job) - killed
        last = (await system.events(job))[-1]
    print(f"reclaimed after {took:.1f} s")
    assert took < RECLAIM_TIMEOUT_S
    assert isinstance(last, Finished)
    assert (system.runs("first"), system.runs("second")) == (1, 2)
    assert not psutil.pid_exists(engine), "the engine of the killed worker is gone too"


async def test_a_killed_worker_leaves_no_temporary_files(system: System) -> None:
    scratch, job = system.settings.home / "scratch", await system.job(second="leave files", seconds=60)
    async with worker_process(system, "media") as killed:
        await system.queue.submit(job)
        await system.wait_for_run("second")
        while not list(scratch.glob("*/*/temporary/toy-*")):
            await asyncio.sleep(0.05)
        os.kill(killed, signal.SIGKILL)
        await system.queue.cancel(job.id)
    async with worker_process(system, "media"):
        left = [path for path in files_below(scratch) if path.name != ".lock"]
        assert left == []


async def test_what_a_worker_writes_is_for_its_account_alone(system: System) -> None:
    system.settings.home.chmod(0o755)
    async with worker_process(system, "media", "worker") as pid:
        assert umask_of(pid) == umask_of(engine_of(pid)) == "0077"
    assert system.settings.home.stat().st_mode & 0o777 == 0o700


def umask_of(pid: int) -> str:
    rows = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return rows["Umask"].strip()


async def test_a_worker_that_was_stopped_for_longer_than_its_lease_goes_on(system: System) -> None:
    job = await system.job(second="sleep", seconds=2.0)
    async with worker_process(system, "media") as pid:
        await system.queue.submit(job)
        await system.wait_for_run("second")
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(LEASE_TTL_S + 0.5)
        os.kill(pid, signal.SIGCONT)
        events = await system.events(job)
    assert isinstance(events[-1], Finished)
    assert [event.attempt for event in events if isinstance(event, Started)] == [1]


async def test_a_killed_asr_worker_costs_the_job_no_attempt(system: System) -> None:
    job = await system.job("heard.json", heard="sleep", seconds=3.0)
    async with worker_process(system, "media"), worker_process(system, "asr") as first:
        await system.queue.submit(job)
        await system.wait_for_run("heard")
        os.kill(first, signal.SIGKILL)
        async with worker_process(system, "asr"):
            events = await system.events(job)
    assert isinstance(events[-1], Finished)
    assert [event.attempt for event in events if isinstance(event, Started)] == [1]
    assert (system.runs("first"), system.runs("second"), system.runs("heard")) == (1, 1, 2)


async def test_a_worker_that_is_told_to_stop_hands_its_job_over(system: System) -> None:
    job = await system.job(second="sleep", seconds=2.0)
    async with worker_process(system, "media") as first:
        await system.queue.submit(job)
        await system.wait_for_run("second")
        os.kill(first, signal.SIGTERM)
        asked = time.monotonic()
        while await system.queue.workers():
            await asyncio.sleep(0.05)
        assert time.monotonic() - asked < STOP_TIMEOUT_S
    assert await system.status(job) == "queued"
    await system.start()
    events = await system.events(job)
    assert isinstance(events[-1], Finished)
    assert [event.attempt for event in events if isinstance(event, Started)] == [1, 1], "it was not the job's fault"
    assert system.runs("first") == 1


async def test_a_job_outlives_its_broker(tmp_path: Path, system: System) -> None:
    await system.start()
    job = await system.job(second="sleep", seconds=4.5)
    await system.queue.submit(job)
    following = asyncio.create_task(system.events(job))
    await system.wait_for_run("second")
    await asyncio.sleep(1.2)  # the broker writes to disk once a second
    broker = next(process for process in psutil.process_iter() if serves(process, tmp_path))
    broker.kill()
    await asyncio.sleep(2.0)
    async with EmbeddedBroker(tmp_path) as url:
        assert url == system.settings.redis_url
        events = await following
        assert isinstance(events[-1], Finished)
        assert system.runs("second") == 1, "the job went on while the broker was away"
        after = await system.job("after.json", other=1)
        await system.queue.submit(after)
        assert isinstance((await system.events(after))[-1], Finished)
        await system.stop()


async def test_a_worker_that_cannot_start_says_so_in_one_line(tmp_path: Path) -> None:
    for settings, line in (
        ({"STEMCORD_REDIS_URL": "redis://127.0.0.1:1"}, b"is away"),
        ({}, b"STEMCORD_REDIS_URL is not set"),
        ({"STEMCORD_DEVICE": "toaster"}, b"STEMCORD_DEVICE cannot be used"),
    ):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "worker", "media"),
            stderr=asyncio.subprocess.PIPE,
            env=child_environment() | {"STEMCORD_HOME": str(tmp_path)} | settings,
        )
        _, said = await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode in (1, 2)
        assert line in said
        assert len(said.strip().splitlines()) == 1, said


async def test_a_tied_worker_ends_with_its_command(system: System) -> None:
    assert system.settings.redis_url is not None
    environment = child_environment() | {
        "STEMCORD_REDIS_URL": system.settings.redis_url,
        "STEMCORD_HOME": str(system.settings.home),
        "STEMCORD_TIED": "true",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "worker", "media"), stdin=asyncio.subprocess.PIPE, env=environment
    )
    async with asyncio.timeout(TIMEOUT_S):
        while not await system.queue.workers():
            await asyncio.sleep(0.05)
    assert process.stdin is not None
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 10) == 0
    assert await system.queue.workers() == []


async def test_the_broker_is_shared_and_kept(tmp_path: Path) -> None:
    async with EmbeddedBroker(tmp_path) as first:
        async with EmbeddedBroker(tmp_path) as second:
            assert first == second
        async with Queue.connect(first) as queue:
            await queue.confirm_delivery("x")
            await queue.connection.run("return redis.call('SET', 'kept', '1')", [], [])
    assert not [process for process in psutil.process_iter() if serves(process, tmp_path)]
    async with EmbeddedBroker(tmp_path) as url, Queue.connect(url) as queue:
        assert await queue.connection.run("return redis.call('GET', 'kept')", [], []) == "1"


async def test_a_home_with_a_long_path(tmp_path: Path) -> None:
    async with EmbeddedBroker(tmp_path / ("long" * 30)) as url, Queue.connect(url) as queue:
        assert await queue.jobs() == []


def serves(process: psutil.Process, home: Path) -> bool:
    """True for the broker of that home."""
    try:
        return "valkey-server" in process.name() and process.cwd() == str(home / "broker")
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def engine_of(pid: int) -> int:
    """The engine process of a worker."""
    return psutil.Process(pid).children()[0].pid


async def busy_worker(system: System, job: Job) -> int:
    """Process id of the worker that has the job; its name ends with it and a random part."""
    async for event in system.queue.events(job.id):
        if isinstance(event, Started):
            return int(event.worker.split("-")[-2])
    raise AssertionError("nobody has it")
