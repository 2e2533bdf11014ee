"""What it costs to read the files of strangers in children that end with their stage.

`python -m tests.bench.isolation` runs probe and extract on the sample in turns, in a warm engine and in forked
children, and prints the medians and what the process that forks needs.
"""

import asyncio
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import psutil

from pipeline.catalog import MAX_DURATION, MAX_SIZE
from pipeline.graph.stage import AnyStage
from pipeline.media.contracts import EXTRACT, PROBE
from pipeline.types import JsonValue
from tests.worker.toy_stages import ignore_progress
from worker.app import READER_MODULES
from worker.engine.supervisor import EngineSupervisor

SAMPLE = Path(__file__).parents[1] / "data" / "sample.mp4"
ROUNDS = 16
STAGES: tuple[tuple[AnyStage, dict[str, JsonValue]], ...] = (
    (PROBE, {"name": SAMPLE.name, "max_duration": MAX_DURATION, "max_size": MAX_SIZE}),
    (EXTRACT, {}),
)


async def measure(home: Path) -> None:
    """Print the medians."""
    scratch = home / "scratch"
    scratch.mkdir()
    source = Path(shutil.copy(SAMPLE, scratch))
    engines = {
        kind: EngineSupervisor(home, "cpu", scratch=scratch, preload=READER_MODULES, forking=kind == "forked")
        for kind in ("warm", "forked")
    }
    took = defaultdict[tuple[str, str], list[float]](list)
    for number in range(ROUNDS + 1):
        for kind in sorted(engines, reverse=bool(number % 2)):
            for stage, params in STAGES:
                out = scratch / f"{kind}-{stage.name}-{number}" / "out"
                out.mkdir(parents=True)
                began = time.perf_counter()
                await engines[kind].run_stage(
                    *(stage, {"source": source}, params, out, ignore_progress, asyncio.Event(), 120.0)
                )
                # The first round loads what is needed.
                if number:
                    took[stage.name, kind].append(time.perf_counter() - began)
    for (stage, kind), seconds in took.items():
        print(f"{stage:8} {kind:7} {1000 * statistics.median(seconds):7.1f} ms")
    process = psutil.Process(engines["forked"].pid)
    spent, memory = process.cpu_times(), process.memory_info().rss
    print(f"the process that forks: {spent.user + spent.system:.2f} s of processor, {memory / 2**20:.0f} MiB")
    for engine in engines.values():
        await engine.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder)))
