"""Two branches of the graph side by side."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar, cast

T = TypeVar("T")


async def run_branches(first: Awaitable[None] | None, second: Awaitable[T | None] | None) -> T | None:
    """What the second gives; when one must end the job, the other is stopped, and that one error is raised."""
    given: asyncio.Task[T | None] | None = None
    try:
        async with asyncio.TaskGroup() as group:
            if first is not None:
                group.create_task(_awaited(first))
            if second is not None:
                given = group.create_task(_awaited(second))
    except BaseExceptionGroup as group:
        raise _first_leaf(group) from group
    return None if given is None else given.result()


async def _awaited(work: Awaitable[T]) -> T:
    return await work


def _first_leaf(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return (
        _first_leaf(cast("BaseExceptionGroup[BaseException]", first))
        if isinstance(first, BaseExceptionGroup)
        else first
    )
