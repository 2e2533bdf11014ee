"""Looks regularly at what nobody reports: how the queue stands, and what engines hold in memory."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import psutil

from pipeline.errors import QueueError
from worker.engine.process_group import members_of
from worker.queue import Queue
from worker.queue.statistics import read_statistics
from worker.telemetry.current import current_metrics

SAMPLE_INTERVAL_S: Final = 5.0
"""Time between two looks."""


async def sample_queue(queue: Queue) -> None:
    """Note how the queue stands, again and again, until cancelled; returns at once when metrics are off."""
    while (metrics := current_metrics()) is not None:
        metrics.note_alive()
        # The alerts on what is missing take care of a broker that is away.
        with suppress(QueueError):
            metrics.note_queue(await read_statistics(queue.connection))
        await asyncio.sleep(SAMPLE_INTERVAL_S)


async def sample_engines(pids: Mapping[str, Callable[[], int | None]]) -> None:
    """Note what engines hold in memory, again and again, until cancelled; returns at once when metrics are off.

    Args:
        pids: For each engine by its name, what gives the id of its process; None while there is none.
    """
    while (metrics := current_metrics()) is not None:
        for name, pid_of in pids.items():
            pid = pid_of()
            held = 0 if pid is None else await asyncio.to_thread(memory_of_group, pid)
            metrics.set_engine_memory(name, held)
        await asyncio.sleep(SAMPLE_INTERVAL_S)


def memory_of_group(pid: int) -> int:
    """Return the resident bytes of all processes of a group; what they share counts for each of them."""
    held = 0
    for member in members_of(pid):
        with suppress(psutil.Error):
            held += psutil.Process(member).memory_info().rss
    return held
