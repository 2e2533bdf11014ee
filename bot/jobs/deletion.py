"""All that the bot knows of a person goes: what is kept, what waits, what runs."""

import asyncio
import time
from collections.abc import Collection
from typing import Final

from bot.database.repository import Repository
from worker.protocol import owner_of
from worker.queue import Queue

PATIENCE: Final = 8.0
"""Seconds for jobs that run to stop."""
LOOK: Final = 0.2
UNDER_WAY: Final = ("queued", "running")


async def forget_person(repository: Repository, queue: Queue, user_id: str) -> int:
    """Stop a person's jobs and delete all that is kept of them; how many jobs are gone.

    Raises `DatabaseError`, `StoreError` and `QueueError`.
    """
    states = await queue.jobs()
    mine = {s.job.id for s in states if s.job.reply_to is not None and s.job.reply_to.user_id == user_id}
    # Work done ahead is for nobody, but on a person's clip.
    ids = [state.job.id for state in states if owner_of(state.job.id) in mine]
    open_ids = {state.job.id for state in states if state.job.id in ids and state.status in UNDER_WAY}
    for job_id in open_ids:
        await queue.cancel(job_id)
    late = {owner_of(job_id) for job_id in await _await_end(queue, open_ids)}
    gone = await repository.forget_user(user_id, late)
    for job_id in ids:
        await queue.discard(job_id)
    return len(mine | set(gone))


async def _await_end(queue: Queue, job_ids: Collection[str]) -> set[str]:
    """Those that have not stopped in time: while a job runs, it leaves files behind."""
    waiting = set(job_ids)
    end = time.monotonic() + PATIENCE
    while waiting and time.monotonic() < end:
        for job_id in list(waiting):
            state = await queue.state(job_id)
            if state is None or state.status not in UNDER_WAY:
                waiting.discard(job_id)
        if waiting:
            await asyncio.sleep(LOOK)
    return waiting
