"""How much sooner many jobs, or one long one, are done by several workers, with stages whose time is simulated.

    .venv/bin/python -m tests.bench.scale [--jobs 200] [--seconds 0.5] [--workers 1 2 4] [--long]

With --long a single job has one stage in four parts, each of which takes the seconds.

The workers are real processes with real engines on a real broker; the stages sleep, since a machine with fewer cores
than workers could show nothing else.
"""

import argparse
import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from deploy.local.embedded_broker import EmbeddedBroker
from tests.worker.conftest import System
from tests.worker.test_app import worker_process
from tests.worker.toy_stages import PARTS
from worker.engine.confinement.policy import cache_folder
from worker.protocol import Finished
from worker.queue import Queue
from worker.settings import WorkerSettings
from worker.store import Store


async def measure(workers: int, jobs: int, seconds: float, *, long: bool) -> float:
    """Return the seconds from the first submission to the last end."""
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (home / "clips").mkdir()
        cache_folder(home).mkdir()
        url = await stack.enter_async_context(EmbeddedBroker(home))
        queue = await stack.enter_async_context(Queue.connect(url))
        settings = WorkerSettings(redis_url=url, home=home)
        system = System(settings, queue, Store.open(settings.store_url), home / "clips")
        for _ in range(workers):
            await stack.enter_async_context(worker_process(system, "media"))
        if long:
            parts = {f"part-{number}": "sleep" for number in range(PARTS)}
            made = [await system.job("long.json", {"seconds": seconds, **parts})]
        else:
            plan = {"second": "sleep", "seconds": seconds}
            made = [await system.job(f"{number}.json", {"tag": number, **plan}) for number in range(jobs)]
        began = time.monotonic()
        for job in made:
            await queue.submit(job)
        for job in made:
            last = [event async for event in queue.events(job.id)][-1]
            assert isinstance(last, Finished), last
        return time.monotonic() - began


async def main(workers: list[int], jobs: int, seconds: float, *, long: bool) -> None:
    """Measure with each number of workers and print how much sooner they are done than the first."""
    first = 0.0
    for count in workers:
        took = await measure(count, jobs, seconds, long=long)
        first = first or took
        what = f"a job of {PARTS} parts of {seconds} s" if long else f"{jobs} jobs of {seconds} s"
        print(f"{count} workers: {what} in {took:.1f} s, {first / took:.2f} times as quick")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args()
    asyncio.run(main(options.workers, options.jobs, options.seconds, long=options.long))
