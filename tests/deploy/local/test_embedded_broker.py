"""The embedded broker under faults: real processes."""

import asyncio
import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from deploy.local.embedded_broker import EmbeddedBroker
from pipeline.errors import QueueError
from tests.folders import files_below
from worker.queue import Queue


def broker_pid(home: Path) -> int:
    """Process id of the broker of that home."""
    return int((home / "broker/pid").read_text())


async def test_the_home_is_for_this_account_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    async with EmbeddedBroker(home) as url, Queue.connect(url) as queue:
        await queue.connection.run("return redis.call('SET', 'kept', '1')", [], [])
        written = [path for path in files_below(home / "broker") if path.suffix in (".aof", ".rdb", ".manifest")]
        assert written
        assert {path.stat().st_mode & 0o077 for path in (home, *written)} == {0}


def runs(pid: int) -> bool:
    """Whether a process exists, other than as a name that nobody has asked for its exit code."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_killed_broker_is_started_again_with_its_data(tmp_path: Path) -> None:
    async with EmbeddedBroker(tmp_path) as url, Queue.connect(url) as queue:
        await queue.connection.run("return redis.call('SET', 'kept', '1')", [], [])
        killed = broker_pid(tmp_path)
        os.kill(killed, signal.SIGKILL)
        answer = None
        async with asyncio.timeout(20):
            while answer is None:
                await asyncio.sleep(0.2)
                try:
                    answer = await queue.connection.run("return redis.call('GET', 'kept')", [], [])
                except QueueError:
                    continue
        again = broker_pid(tmp_path)
    assert answer == "1"
    assert again != killed
    assert not (tmp_path / "broker/pid").exists(), "the last user stops it"


async def test_a_broker_that_hangs_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.local.embedded_broker.STOP_TIMEOUT_S", 0.5)
    monkeypatch.setattr("deploy.local.embedded_broker.SEND_TIMEOUT_S", 0.3)
    async with EmbeddedBroker(tmp_path):
        pid = broker_pid(tmp_path)
        os.kill(pid, signal.SIGSTOP)
        leaving = time.monotonic()
    assert time.monotonic() - leaving < 15
    assert not runs(pid)


async def test_a_user_who_is_cancelled_on_the_way_out_stops_the_broker(tmp_path: Path) -> None:
    using = asyncio.Event()

    async def use() -> None:
        async with EmbeddedBroker(tmp_path):
            using.set()

    user = asyncio.create_task(use())
    await using.wait()
    pid = broker_pid(tmp_path)
    user.cancel()
    async with asyncio.timeout(20):
        await asyncio.wait({user})
    assert user.cancelled()
    assert not runs(pid)
