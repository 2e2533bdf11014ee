"""Memory of the bot's process after many jobs, and how fast it acknowledges commands that come at once.

    .venv/bin/python -m tests.bench.bot_memory [--jobs 500]

The bot is a process of its own, with an unmodified discord.py, a real broker, store and database;
Discord and the worker are played. Every job brings in a clip and posts a card with its files;
the results pages are served.
The bars are 200 MB, and 1 s with 20 commands at once.
"""

import argparse
import asyncio
import socket
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from deploy.local.embedded_broker import EmbeddedBroker
from pipeline.types import Artefact, Progress
from tests.bot.world import make_result
from tests.wire.processes import Program, ready_or_dead, run_program
from tests.wire.server import FakeDiscord
from tests.wire.world import Knobs
from worker.protocol import Finished, Job, Progressed, Started
from worker.queue import Queue
from worker.queue.keys import MEDIA
from worker.queue.lease import Lease
from worker.store import Store

AT_ONCE = 20
CLIP_SIZE = 256 * 1024
FILE_SIZE = 512 * 1024
FILES = ("stems/vocals.flac", "stems/background.flac", "final.m4a", "transcript.srt", "report.png")
LIMIT = 60.0
"""Seconds for one round of jobs."""
MEGABYTE = 1e6


async def play(queue: Queue, job: Job, artefacts: tuple[Artefact, ...]) -> None:
    """A worker's part in one job."""
    lease = await Lease.acquire(queue, MEDIA, job.id, "played")
    await lease.emit(Started(attempt=lease.attempt, worker="played"))
    for step in range(1, 5):
        await lease.emit(Progressed(progress=Progress(stage="separate", fraction=step / 4)))
    await lease.end("finished", Finished(result=replace(make_result(job.request), artefacts=artefacts)))


async def run_round(fake: FakeDiscord, queue: Queue, artefacts: tuple[Artefact, ...], clip: Path) -> list[float]:
    """Some jobs from their commands to their answers; the seconds to each acknowledgement."""
    acted = await asyncio.gather(*(fake.slash("separate", clip=clip, timeout=15.0) for _ in range(AT_ONCE)))
    done = 0
    async with asyncio.timeout(LIMIT):
        while done < AT_ONCE:
            waiting = [state.job for state in await queue.jobs() if state.status == "queued"]
            await asyncio.gather(*(play(queue, job, artefacts) for job in waiting))
            done += len(waiting)
            await asyncio.sleep(0.05)
        while await queue.undelivered():
            await asyncio.sleep(0.05)
    # What is played keeps all traffic and every file; that is no part of the measurement.
    fake.recorder.exchanges.clear()
    return [interaction.delay for interaction in acted]


async def measure(jobs: int, folder: Path) -> tuple[list[tuple[int, float]], list[float]]:
    """Megabytes by the number of jobs done, and the seconds to each acknowledgement."""
    async with AsyncExitStack() as exits:
        home = folder / "home"
        home.mkdir()
        url = await exits.enter_async_context(EmbeddedBroker(home))
        knobs = Knobs(edits_per_window=1000, acknowledge_within=15.0)
        fake = await exits.enter_async_context(FakeDiscord.start(knobs))
        limits = dict.fromkeys(("JOBS_AT_ONCE", "MINUTES_PER_DAY_PERSON", "MINUTES_PER_DAY_GUILD"), "0")
        environment = {
            **fake.environment,
            **{f"STEMCORD_{name}": value for name, value in limits.items()},
            "STEMCORD_HOME": str(home),
            "STEMCORD_REDIS_URL": url,
            "STEMCORD_PUBLIC_URL": "http://127.0.0.1",
            "STEMCORD_WEB_PORT": str(_free_port()),
        }
        bot = await exits.enter_async_context(run_program("bot", [sys.executable, "-m", "bot"], environment, folder))
        queue = await exits.enter_async_context(Queue.connect(url))
        await ready_or_dead(fake, bot, commands=("separate",))
        artefacts = await _keep_files(Store.open(f"file://{home / 'store'}"), folder)
        clip = folder / "clip.mp4"
        clip.write_bytes(bytes(CLIP_SIZE))
        sizes, delays = [(0, _size(bot))], list[float]()
        while sizes[-1][0] < jobs:
            delays += await run_round(fake, queue, artefacts, clip)
            sizes.append((sizes[-1][0] + AT_ONCE, _size(bot)))
        return sizes, delays


async def _keep_files(store: Store, folder: Path) -> tuple[Artefact, ...]:
    kept: list[Artefact] = []
    for number, name in enumerate(FILES):
        path = folder / f"file-{number}"
        path.write_bytes(bytes([number]) * FILE_SIZE)
        kept.append(await store.put(path, name=name))
    return tuple(kept)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as line:
        return line.getsockname()[1]


def _size(bot: Program) -> float:
    return psutil.Process(bot.process.pid).memory_info().rss / MEGABYTE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=500)
    jobs = parser.parse_args().jobs
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sc-") as folder:
        sizes, delays = asyncio.run(measure(jobs, Path(folder)))
    table = Table("jobs", "resident MB")
    for count, size in sizes[:: max(1, len(sizes) // 10)]:
        table.add_row(str(count), f"{size:.0f}")
    console = Console()
    console.print(table)
    console.print(
        f"after {sizes[-1][0]} jobs: {sizes[-1][1]:.0f} MB (bar 200); most: {max(s for _, s in sizes):.0f} MB"
    )
    console.print(f"acknowledged, {AT_ONCE} at once: slowest {max(delays):.2f} s (bar 1), of {len(delays)}")
    console.print(f"in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
