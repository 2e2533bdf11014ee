import json
import time
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pipeline.errors import QueueError
from tests.worker.conftest import System
from worker.queue import Queue


async def test_nothing_is_pickled(system: System) -> None:
    waiting = await system.job()
    await system.queue.submit(waiting)
    assert system.settings.redis_url is not None
    async with Redis.from_url(system.settings.redis_url) as redis:
        keys = [key async for key in redis.scan_iter("arq:job:*")]
        assert keys
        for key in keys:
            assert json.loads(await redis.get(key))["a"] == [waiting.id]


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1", "unix:///nowhere/valkey.sock"])
async def test_a_broker_that_is_away_is_one_sentence(url: str) -> None:
    started = time.monotonic()
    with pytest.raises(QueueError, match="is away") as caught:
        async with Queue.connect(url):
            pass
    assert "STEMCORD_REDIS_URL" in caught.value.hint
    assert "\n" not in str(caught.value)
    assert time.monotonic() - started < 5


async def test_passwords_are_not_shown() -> None:
    with pytest.raises(QueueError) as caught:
        async with Queue.connect("redis://user:secret@127.0.0.1:1"):
            pass
    assert "secret" not in str(caught.value)


async def test_an_address_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(QueueError, match="not the address"):
        async with Queue.connect("http://example.org"):
            pass


async def test_a_connection_that_another_call_closed_is_one_sentence(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def closed(*_: object) -> None:
        # What redis-py raises where a call closed the connection to the Sentinel under another one.
        raise AttributeError("'NoneType' object has no attribute 'writelines'")

    with monkeypatch.context() as patched:
        patched.setattr(Redis, "hget", closed)
        with pytest.raises(QueueError, match="is away"):
            await system.queue.connection.field("any", "first")
    assert await system.queue.connection.field("any", "first") is None
