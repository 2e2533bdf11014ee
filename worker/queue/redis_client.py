"""A typed client for Redis or Valkey with time limits; the only module that uses the client library."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVar, cast
from urllib.parse import urlsplit

import msgspec
import structlog
from arq.connections import ArqRedis
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import DefaultParser
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from pipeline.errors import QueueError

T = TypeVar("T")
CALL_TIMEOUT_S = 10.0
"""Limit for one call, all its retries included."""
CONNECT_TIMEOUT_S = 3.0
SENTINEL_PORT = 26379
REPLICATION_TIMEOUT_MS = 1000
REWRITE_TRIES = 20
REWRITE_PAUSE_S = 0.5


_Parser = cast("type[Any]", DefaultParser)


class _TaskParser(_Parser):  # pyright: ignore[reportUntypedBaseClass]
    """Checks for unexpected data in a separate task.

    CPython before 3.11.3 mistakes an expired timeout for a cancellation in a task that was cancelled before
    (gh-102780); the clean-up of such a task would then not reach the server.
    """

    async def can_read_destructive(self) -> bool:
        return await asyncio.create_task(super().can_read_destructive())  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]


def _encode_job(value: dict[str, Any]) -> bytes:
    return msgspec.json.encode(value)


def _decode_job(data: bytes) -> dict[str, Any]:
    return msgspec.json.decode(data, type=dict[str, Any])


def redact_url(url: str) -> str:
    """Return an address without its user name and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def open_redis(url: str, queue: str) -> ArqRedis:
    """Create an arq client that stores jobs as JSON instead of pickles. Its calls have no time limit of their own.

    Args:
        url: `redis://…`, `rediss://…` or `unix://…`, or `redis+sentinel://host:26379,host:26379/name` for the server
            that sentinels name as the primary `name`.
        queue: Name of the arq queue that jobs go to by default.

    Raises:
        QueueError: The address is not one of Redis.
    """
    options: dict[str, Any] = {
        # No socket_timeout: the client keeps it by asyncio.wait_for, which on CPython 3.11 can swallow a
        # cancellation. Callers set their own limits.
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "health_check_interval": 30,
        "retry": Retry(ExponentialBackoff(cap=0.5, base=0.05), 3),
        "retry_on_error": [RedisConnectionError, RedisTimeoutError],
    }
    if not url.startswith("unix:"):
        options["socket_keepalive"] = True
    if sys.version_info[:3] < (3, 11, 3):
        options["parser_class"] = _TaskParser
    try:
        watched = has_sentinels(url)
        pool = _sentinel_pool(url, options) if watched else cast("Any", ConnectionPool).from_url(url, **options)
    except ValueError as error:
        raise QueueError(
            f"{redact_url(url)} is not the address of a Redis or Valkey server.",
            hint="Set STEMCORD_REDIS_URL to redis://host:6379, redis+sentinel://host:26379/name or unix:///path.",
        ) from error
    return ArqRedis(
        pool_or_conn=pool,
        job_serializer=_encode_job,
        job_deserializer=_decode_job,
        default_queue_name=queue,
        # A job waits as long as it must; its own record says when it is over.
        expires_extra_ms=30 * 24 * 3600 * 1000,
    )


def has_sentinels(url: str) -> bool:
    """Tell whether an address names sentinels, and so a server with replicas."""
    return urlsplit(url).scheme == "redis+sentinel"


def _sentinel_pool(url: str, options: dict[str, Any]) -> ConnectionPool:
    """Return connections to the server that sentinels call the primary, also after another became it."""
    parts = urlsplit(url)
    hosts = [urlsplit(f"//{host}") for host in parts.netloc.rpartition("@")[2].split(",")]
    name, _, database = parts.path.strip("/").partition("/")
    if not name or not all(host.hostname for host in hosts):
        raise ValueError("no sentinels, or no name")
    account = {"username": parts.username or None, "password": parts.password}
    places = [(host.hostname, host.port or SENTINEL_PORT) for host in hosts]
    sentinel_options = {"socket_connect_timeout": CONNECT_TIMEOUT_S, "socket_timeout": CONNECT_TIMEOUT_S}
    sentinel = cast("Any", Sentinel)(places, sentinel_kwargs=sentinel_options)
    return cast("Any", _SentinelPool)(name, sentinel, db=int(database or 0), **account, **options)


_Pool = cast("type[Any]", SentinelConnectionPool)


class _SentinelPool(_Pool):  # pyright: ignore[reportUntypedBaseClass]
    """Also closes the connections to the sentinels, which the library leaves open."""

    async def disconnect(self, inuse_connections: bool = True) -> None:
        await super().disconnect(inuse_connections)  # pyright: ignore[reportUnknownMemberType]
        for client in cast("Any", self).sentinel_manager.sentinels:
            await client.aclose()


class Connection:
    """The Redis commands that the queue needs, with types.

    Every method raises `QueueError` when the server is away or too slow.
    """

    def __init__(self, redis: ArqRedis, address: str, *, replicated: bool = False) -> None:
        self._replicated = replicated
        self._redis = cast("Any", redis)
        self._address = address
        self._scripts: dict[str, Any] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, queue: str) -> AsyncGenerator[Self]:
        """Open a connection and check that the server answers; close it at the end of the block."""
        redis = open_redis(url, queue)
        connection = cls(redis, redact_url(url), replicated=has_sentinels(url))
        try:
            await connection._call(connection._redis.ping())
            yield connection
        finally:
            await redis.aclose(close_connection_pool=True)

    async def run(self, script: str, keys: Sequence[str], arguments: Sequence[str | bytes | int | float]) -> Any:  # noqa: ANN401 - each script has its own answer
        """Run a Lua script atomically and return its answer, with bytes decoded to text."""
        if script not in self._scripts:
            self._scripts[script] = self._redis.register_script(script)
        return _decode_text(await self._call(self._scripts[script](keys=list(keys), args=list(arguments))))

    async def run_replicated(
        self, script: str, keys: Sequence[str], arguments: Sequence[str | bytes | int | float]
    ) -> Any:  # noqa: ANN401 - each script has its own answer
        """Run a Lua script as `run` does and, where there are replicas, wait a moment until one has what it wrote."""
        if not self._replicated:
            return await self.run(script, keys, arguments)
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.eval(script, len(keys), *keys, *arguments)
            # Only on the same connection does it wait for that write.
            pipe.execute_command("WAIT", 1, REPLICATION_TIMEOUT_MS)
            answer, copies = await self._call(pipe.execute())
        if not copies:
            structlog.get_logger().warning("no replica of the broker has the job yet")
        return _decode_text(answer)

    async def fields(self, *keys: str) -> list[dict[str, str]]:
        """Read whole hashes; a missing key gives an empty one, a key of another kind one with a nameless field."""
        # The block returns the pipeline's connection to the pool even when the call is cancelled.
        async with self._redis.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.hgetall(key)
            answers: list[Mapping[bytes, bytes] | RedisError] = await self._call(pipe.execute(raise_on_error=False))
        return [self._decode_fields(answer) for answer in answers]

    def _decode_fields(self, answer: Mapping[bytes, bytes] | RedisError) -> dict[str, str]:
        if not isinstance(answer, RedisError):
            return {name.decode(errors="replace"): value.decode(errors="replace") for name, value in answer.items()}
        if str(answer).startswith("WRONGTYPE"):
            return {"": str(answer)}
        raise self._refusal(answer) from answer

    async def field(self, key: str, name: str) -> bytes | None:
        """Read one field of a hash; None when it is missing."""
        return await self._call(self._redis.hget(key, name))

    async def members(self, key: str) -> list[str]:
        """List the members of a sorted set, lowest score first."""
        return _decode_text(await self._call(self._redis.zrange(key, 0, -1)))

    async def add_member(self, key: str, member: str, score: float) -> None:
        """Add a member to a sorted set."""
        await self._call(self._redis.zadd(key, {member: score}))

    async def remove_members(self, key: str, members: Sequence[str]) -> None:
        """Remove members from a sorted set."""
        if members:
            await self._call(self._redis.zrem(key, *members))

    async def read_stream(self, key: str, after: str, wait: float) -> list[tuple[str, bytes]]:
        """Read the entries of a stream after an entry id, waiting up to `wait` seconds for the first.

        Returns:
            Pairs of entry id and event, oldest first; at most 200.
        """
        reading = self._redis.xread({key: after}, count=200, block=int(wait * 1000))
        answer = await self._call(reading, wait)
        return [(entry.decode(), fields[b"event"]) for _, entries in answer or () for entry, fields in entries]

    async def last_entries(self, key: str, count: int) -> list[tuple[str, bytes]]:
        """Read the last entries of a stream; pairs of entry id and event, oldest first."""
        answer = await self._call(self._redis.xrevrange(key, count=count))
        return [(entry.decode(), fields[b"event"]) for entry, fields in reversed(answer)]

    async def enqueue(self, queue: str, function: str, job_id: str) -> bool:
        """Give a job to arq; does nothing and returns False when arq has it already."""
        given = await self._call(self._redis.enqueue_job(function, job_id, _job_id=job_id, _queue_name=queue))
        return given is not None

    async def rewrite_append_only_file(self) -> None:
        """Have the server write its append-only file anew, if it has one, without what was deleted."""
        persistence = await self._call(self._redis.info("persistence"))
        if not persistence.get("aof_enabled"):
            return
        for _ in range(REWRITE_TRIES):
            try:
                await self._call(self._redis.bgrewriteaof())
            except QueueError as error:
                # The one that is under way may hold what was just deleted.
                if "already in progress" not in error.detail:
                    raise
                await asyncio.sleep(REWRITE_PAUSE_S)
            else:
                return

    async def _call(self, work: Awaitable[T], extra: float = 0.0) -> T:
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S + extra):
                return await work
        except (RedisConnectionError, RedisTimeoutError, TimeoutError, OSError, AttributeError) as error:
            # AttributeError: the library shares its connection to a Sentinel, which one call may close under another.
            raise QueueError(f"The queue at {self._address} is away.", detail=repr(error)) from error
        except RedisError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: RedisError) -> QueueError:
        if "MISCONF" in str(error):
            message, hint = "cannot write to its disk", "Make room on the disk of the broker."
        elif "command not allowed when used memory" in str(error):
            message, hint = "has no memory left", "Give the broker more memory."
        else:
            message, hint = "refused a command", ""
        return QueueError(f"The queue at {self._address} {message}.", hint=hint, detail=repr(error))


def _decode_text(value: Any) -> Any:  # noqa: ANN401 - as deep as the answer of a script
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list):
        return [_decode_text(item) for item in cast("list[Any]", value)]
    return value
