"""Which jobs are in the engines of a worker: when the worker dies, the others had no part in it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog

from pipeline.errors import QueueError
from worker.queue.job_queue import Queue
from worker.queue.keys import ENGINE_PREFIX

MARK_TTL_S: Final = 24 * 3600
"""Longer than a stage takes."""
UNMARK_TIMEOUT_S: Final = 2.0
"""How long the end of a block waits for the broker; the mark is taken away later when the broker is slow."""

_MARK: Final = "redis.call('SADD', KEYS[1], ARGV[1]) return redis.call('EXPIRE', KEYS[1], ARGV[2])"
_UNMARK: Final = "return redis.call('SREM', KEYS[1], ARGV[1])"


@asynccontextmanager
async def engine_occupancy(queue: Queue, worker: str, job_id: str) -> AsyncGenerator[Callable[[], None]]:
    """Give a function that notes, once called, that a job is in an engine until the end of the block.

    Args:
        queue: The queue.
        worker: Name of the worker whose engine it is.
        job_id: The job.
    """
    marking: asyncio.Task[None] | None = None

    def enter() -> None:
        nonlocal marking
        if marking is None:
            marking = asyncio.create_task(_run(queue, _MARK, worker, (job_id, MARK_TTL_S)))

    async def leave(marked: asyncio.Task[None]) -> None:
        await asyncio.wait({marked})
        await _run(queue, _UNMARK, worker, (job_id,))

    try:
        yield enter
    finally:
        if marking is not None:
            leaving = asyncio.create_task(leave(marking))
            try:
                await asyncio.wait({leaving}, timeout=UNMARK_TIMEOUT_S)
            except asyncio.CancelledError:
                # Who was cancelled once may be cancelled again on the way out.
                await asyncio.wait({leaving}, timeout=UNMARK_TIMEOUT_S)
                raise


async def _run(queue: Queue, script: str, worker: str, arguments: tuple[str | int, ...]) -> None:
    try:
        await queue.connection.run(script, [f"{ENGINE_PREFIX}{worker}"], arguments)
    except QueueError as error:
        structlog.get_logger().warning("the job in the engine is not noted", error=error.message)
