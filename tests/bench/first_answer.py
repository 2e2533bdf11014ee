"""How soon people read and hear something of a clip of three minutes, from the submission of its job.

    .venv/bin/python -m tests.bench.first_answer [--seconds 180]

The clip is the sample over and over; the workers are warm. Read it on a quiet machine.
"""

import argparse
import asyncio
import tempfile
import time
import uuid
from pathlib import Path

from rich.console import Console

from pipeline.types import Artefact, Request, Task
from tests.bench.rebalance import SAMPLE, make_clip
from tests.bench.spine import run_job, running_system
from worker.protocol import Job, Progressed
from worker.queue import Queue


async def follow(queue: Queue, source: Artefact) -> dict[str, float]:
    """Seconds to the first words, the first stems and the end of a job."""
    job = Job(id=uuid.uuid4().hex, request=Request(task=Task.ALL), source=source, submitted=time.time(), fresh=True)
    began = time.perf_counter()
    await queue.submit(job)
    found: dict[str, float] = {}
    async for event in queue.events(job.id):
        now = time.perf_counter() - began
        if isinstance(event, Progressed) and event.progress.draft:
            found.setdefault("first words", now)
        if isinstance(event, Progressed) and event.progress.files:
            found.setdefault("stems", now)
        found["end"] = now
    return found


async def measure(seconds: int, folder: Path, console: Console) -> None:
    """Warm the workers, then print what one job shows when."""
    async with running_system(folder) as (queue, store):
        await run_job(queue, await store.put(SAMPLE, name="sample.mp4"), Task.ALL, fresh=True)
        source = await store.put(make_clip(folder, seconds), name="clip.mp4")
        for name, moment in (await follow(queue, source)).items():
            console.print(f"{name:<14}{moment:6.1f} s")


def main() -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.first_answer", description=__doc__)
    parser.add_argument("--seconds", type=int, default=180)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stemcord-bench-") as folder:
        asyncio.run(measure(asked.seconds, Path(folder), Console()))


if __name__ == "__main__":
    main()
