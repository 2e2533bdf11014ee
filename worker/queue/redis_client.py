"""Redis or Valkey behind types and time limits; the only module that touches the client library."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVar, cast
from urllib.parse import urlsplit

import msgspec
from arq.connections import ArqRedis
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import DefaultParser
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from pipeline.errors import QueueError

T = TypeVar("T")
CALL_LIMIT = 10.0
"""Seconds for one call, all its retries included."""
CONNECT_LIMIT = 3.0


_Parser = cast("type[Any]", DefaultParser)


class _TaskParser(_Parser):  # pyright: ignore[reportUntypedBaseClass]
    """Looks for data that nobody asked for in a task of its own.

    CPython before 3.11.3 takes the end of a time limit for a cancellation in a task that was cancelled before
    (gh-102780), so that what such a task has to tidy up would not reach the server.
    """

    async def can_read_destructive(self) -> bool:
        return await asyncio.create_task(super().can_read_destructive())  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]


def _no_pickle_encode(value: dict[str, Any]) -> bytes:
    return msgspec.json.encode(value)


def _no_pickle_decode(data: bytes) -> dict[str, Any]:
    return msgspec.json.decode(data, type=dict[str, Any])


def shown_url(url: str) -> str:
    """The address without user name and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def open_redis(url: str, queue: str) -> ArqRedis:
    """An arq client that speaks JSON; raises `QueueError` for a bad address. Its calls have no limit of their own."""
    try:
        pool = cast("Any", ConnectionPool).from_url(
            url,
            # No socket_timeout: the client keeps it by asyncio.wait_for, which on CPython 3.11 can swallow a
            # cancellation. Callers set their own limits.
            socket_connect_timeout=CONNECT_LIMIT,
            **({} if url.startswith("unix:") else {"socket_keepalive": True}),
            health_check_interval=30,
            retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 3),
            retry_on_error=[RedisConnectionError, RedisTimeoutError],
            **({"parser_class": _TaskParser} if sys.version_info[:3] < (3, 11, 3) else {}),
        )
    except ValueError as error:
        raise QueueError(
            f"{shown_url(url)} is no address of a Redis or Valkey server.",
            hint="Set STEMCORD_REDIS_URL to redis://host:6379 or unix:///path.",
        ) from error
    return ArqRedis(
        pool_or_conn=pool,
        job_serializer=_no_pickle_encode,
        job_deserializer=_no_pickle_decode,
        default_queue_name=queue,
        # A job waits as long as it must; its own record says when it is over.
        expires_extra_ms=30 * 24 * 3600 * 1000,
    )


class Connection:
    """A few Redis commands with types; each raises `QueueError` when the server is away or too slow."""

    def __init__(self, redis: ArqRedis, address: str) -> None:
        self._redis = cast("Any", redis)
        self._address = address
        self._scripts: dict[str, Any] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, queue: str) -> AsyncGenerator[Self]:
        """A connection that answered once; closed at the end."""
        redis = open_redis(url, queue)
        connection = cls(redis, shown_url(url))
        try:
            await connection._call(connection._redis.ping())
            yield connection
        finally:
            await redis.aclose(close_connection_pool=True)

    async def run(self, script: str, keys: Sequence[str], arguments: Sequence[str | bytes | int | float]) -> Any:  # noqa: ANN401 - scripts answer what they like
        """Run a Lua script atomically; bytes in its answer become text."""
        if script not in self._scripts:
            self._scripts[script] = self._redis.register_script(script)
        return _text(await self._call(self._scripts[script](keys=list(keys), args=list(arguments))))

    async def fields(self, *keys: str) -> list[dict[str, str]]:
        """The hashes of the keys; an empty one for a key that is not there."""
        # The block gives the pipeline's connection back also when a cancel cuts its execution short.
        async with self._redis.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.hgetall(key)
            answers: list[Mapping[bytes, bytes]] = await self._call(pipe.execute())
        return [{name.decode(): value.decode() for name, value in answer.items()} for answer in answers]

    async def field(self, key: str, name: str) -> bytes | None:
        """One field of a hash."""
        return await self._call(self._redis.hget(key, name))

    async def members(self, key: str) -> list[str]:
        """The members of a sorted set, lowest first."""
        return _text(await self._call(self._redis.zrange(key, 0, -1)))

    async def scores(self, key: str, lowest: float) -> list[tuple[str, float]]:
        """Members of a sorted set with a score of at least `lowest`."""
        found = await self._call(self._redis.zrangebyscore(key, lowest, "+inf", withscores=True))
        return [(name.decode(), float(score)) for name, score in found]

    async def add_member(self, key: str, member: str, score: float) -> None:
        """Put a member into a sorted set."""
        await self._call(self._redis.zadd(key, {member: score}))

    async def remove_members(self, key: str, members: Sequence[str]) -> None:
        """Take members out of a sorted set."""
        if members:
            await self._call(self._redis.zrem(key, *members))

    async def read_stream(self, key: str, after: str, wait: float) -> list[tuple[str, bytes]]:
        """Entries of a stream after an id, as (id, event); waits up to `wait` seconds for one."""
        reading = self._redis.xread({key: after}, count=200, block=int(wait * 1000))
        answer = await self._call(reading, wait)
        return [(entry.decode(), fields[b"event"]) for _, entries in answer or () for entry, fields in entries]

    async def enqueue(self, queue: str, function: str, job_id: str) -> None:
        """Hand a job to arq; nothing happens when arq has it already."""
        await self._call(self._redis.enqueue_job(function, job_id, _job_id=job_id, _queue_name=queue))

    async def _call(self, work: Awaitable[T], extra: float = 0.0) -> T:
        try:
            async with asyncio.timeout(CALL_LIMIT + extra):
                return await work
        except (RedisConnectionError, RedisTimeoutError, TimeoutError, OSError) as error:
            raise QueueError(f"The queue at {self._address} is away.", detail=repr(error)) from error
        except RedisError as error:
            raise QueueError(f"The queue at {self._address} refused a command.", detail=repr(error)) from error


def _text(value: Any) -> Any:  # noqa: ANN401 - as deep as the answer of a script
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list):
        return [_text(item) for item in cast("list[Any]", value)]
    return value
