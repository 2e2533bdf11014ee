"""What metrics and traces cost a job: processor time of a worker with them and without, on jobs of toy stages.

    .venv/bin/python -m tests.bench.telemetry [--jobs 100]

The stages do nothing, so all that is measured is the worker around them; the share is told for a job of ten seconds.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

from deploy.local.embedded_broker import EmbeddedBroker
from tests.worker.conftest import System
from tests.worker.telemetry.scraping import free_port
from worker.engine.confinement.policy import cache_folder
from worker.queue import Queue
from worker.settings import WorkerSettings
from worker.store import Store

ROUNDS: Final = 5
JOB_S: Final = 10.0
"""Processor seconds of a short clip's job (docs/figures.md)."""


async def measure(jobs: int, *, on: bool) -> float:
    """Return the processor milliseconds that a worker takes for a job."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "clips").mkdir()
        cache_folder(home).mkdir()
        async with EmbeddedBroker(home) as url, Queue.connect(url) as queue:
            fields = {"metrics_port": free_port(), "traces_url": (home / "traces.jsonl").as_uri()} if on else {}
            settings = WorkerSettings(redis_url=url, home=home, look_ahead=False, **fields)
            system = System(settings, queue, Store.open(settings.store_url), home / "clips")
            await system.start()
            made = [await system.job(f"{number}.json", tag=number) for number in range(jobs + 1)]
            await system.queue.submit(made[0])
            await system.events(made[0])
            began = time.process_time()
            for job in made[1:]:
                await system.queue.submit(job)
                await system.events(job)
            taken = time.process_time() - began
            await system.stop()
    return 1000 * taken / jobs


async def main(jobs: int) -> None:
    """Measure by turns and print the medians."""
    off: list[float] = []
    on: list[float] = []
    for _ in range(ROUNDS):
        off.append(await measure(jobs, on=False))
        on.append(await measure(jobs, on=True))
    without, with_both = statistics.median(off), statistics.median(on)
    print(f"without: {without:.2f} ms of processor time a job (of {ROUNDS} rounds: {min(off):.2f} to {max(off):.2f})")
    print(f"with:    {with_both:.2f} ms ({min(on):.2f} to {max(on):.2f})")
    more = with_both - without
    print(f"more:    {more:.2f} ms, {more / (10 * JOB_S):.3f} % of a job of {JOB_S:.0f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100)
    asyncio.run(main(parser.parse_args().jobs))
