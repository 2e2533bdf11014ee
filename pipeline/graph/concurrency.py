"""Branches of the graph side by side."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, cast

A = TypeVar("A")
B = TypeVar("B")


async def run_branches(
    first: Awaitable[A | None] | None, second: Awaitable[B | None] | None
) -> tuple[A | None, B | None]:
    """Run two branches side by side and give what both gave; None for a branch that is None.

    When one of them must end the job, the other is stopped and that one error is raised.
    """
    tasks: list[asyncio.Task[Any] | None] = []
    try:
        async with asyncio.TaskGroup() as group:
            for branch in (first, second):
                tasks.append(None if branch is None else group.create_task(_awaited(branch)))
    except BaseExceptionGroup as group:
        raise _first_leaf(group) from group
    one, other = (None if task is None else task.result() for task in tasks)
    return one, other


async def run_side_by_side(work: Callable[[A], Awaitable[B]], items: Sequence[A], *, limit: int) -> list[B]:
    """Do the same work for several items, so many at a time, and give what was made of them, in their order.

    When one of them fails, the others are stopped and that one error is raised.
    """
    slots = asyncio.Semaphore(limit)

    async def run(item: A) -> B:
        async with slots:
            return await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(run(item)) for item in items]
    except BaseExceptionGroup as group:
        raise _first_leaf(group) from group
    return [task.result() for task in tasks]


async def _awaited(work: Awaitable[A]) -> A:
    return await work


def _first_leaf(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return (
        _first_leaf(cast("BaseExceptionGroup[BaseException]", first))
        if isinstance(first, BaseExceptionGroup)
        else first
    )
