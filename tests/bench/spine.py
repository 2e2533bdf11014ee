"""The whole job on the sample: quality, what the queue costs, what the store saves.

    .venv/bin/python -m tests.bench.spine [--runs 3]

Starts a broker and both workers in a home of its own, warms them, and prints for each
run the table of stages, then medians and ratios. Times are of this machine at this
moment: read the ratios.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import tempfile
import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import soundfile
import soxr
from rich.console import Console
from rich.table import Table

from deploy.cli.output import write_result
from deploy.local.embedded_broker import EmbeddedBroker
from deploy.local.supervisor import running_workers
from pipeline.errors import from_failure
from pipeline.types import Artefact, Request, Result, Task
from tests.bench.speech_scores import score_folder
from worker.protocol import Failed, Finished, Job
from worker.queue import Queue
from worker.settings import WorkerSettings
from worker.store import Store

DATA = Path(__file__).parents[1] / "data"
LIMIT = 600.0
LOOK_AHEAD_LIMIT = 300.0


async def run_job(queue: Queue, source: Artefact, task: Task, *, fresh: bool) -> tuple[Result, float]:
    """A job's result and its seconds from submission to the last event."""
    job = Job(id=uuid.uuid4().hex, request=Request(task=task), source=source, submitted=time.time(), fresh=fresh)
    started = time.perf_counter()
    await queue.submit(job)
    async with asyncio.timeout(LIMIT):
        async for event in queue.events(job.id):
            if isinstance(event, Finished):
                return event.result, time.perf_counter() - started
            if isinstance(event, Failed):
                raise from_failure(event.failure)
    raise AssertionError("the job ended without a result")


def decode(path: Path, rate: int, channels: int) -> np.ndarray:
    """The sound of a file as ffmpeg gives it, shape (frames, channels), float64."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-vn", "-f", "f32le", "-ar", str(rate)]
    done = subprocess.run([*command, "-ac", str(channels), "-"], capture_output=True, check=True, timeout=120)
    return np.frombuffer(done.stdout, np.float32).reshape(-1, channels).astype(np.float64)


def si_sdr(estimate: np.ndarray, reference: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio in dB of two mono signals (Le Roux et al. 2019)."""
    target = reference * (estimate @ reference) / (reference @ reference)
    return float(10 * np.log10((target @ target) / np.sum((estimate - target) ** 2)))


def quality(out: Path) -> list[tuple[str, str]]:
    """The figures of the issue's bars for a finished folder."""
    vocals, rate = soundfile.read(out / "stems/vocals.flac", always_2d=True)
    background, _ = soundfile.read(out / "stems/background.flac", always_2d=True)
    original = decode(DATA / "sample.mp4", rate, vocals.shape[1])
    speech, speech_rate = soundfile.read(DATA / "sample.speech.flac")
    speech = np.asarray(soxr.resample(speech, speech_rate, rate, "VHQ"))
    frames = min(len(speech), len(vocals))
    before = si_sdr(original[:frames].mean(1), speech[:frames])
    after = si_sdr(vocals[:frames].mean(1), speech[:frames])
    residual = vocals + background - original[: len(vocals)]
    null = 20 * np.log10(np.sqrt(np.mean(residual**2)) + 1e-12)
    scores = score_folder(out, DATA / "sample.rttm", DATA / "sample.turns.json")
    return [
        ("speakers", str(scores.speakers)),
        ("DER", f"{100 * scores.der:.2f} %"),
        ("cpWER", f"{100 * scores.cpwer:.2f} %"),
        ("SI-SDR of the mix", f"{before:.2f} dB"),
        ("SI-SDR of the vocals", f"{after:.2f} dB (+{after - before:.2f})"),
        ("vocals + background - original", f"{null:.1f} dBFS"),
    ]


def stage_table(result: Result, wall: float) -> tuple[Table, float]:
    """The table of stages and the whole job over the sum of its engines."""
    table = Table("stage", "job s", "engine s", title="whole job, warm workers", box=None)
    for timing in result.timings:
        table.add_row(timing.stage, f"{timing.seconds:.2f}", f"{timing.engine_seconds:.2f}")
    engines = sum(timing.engine_seconds for timing in result.timings)
    table.add_row("all", f"{wall:.2f}", f"{engines:.2f}", style="bold")
    return table, wall / engines


@asynccontextmanager
async def running_system(folder: Path) -> AsyncGenerator[tuple[Queue, Store]]:
    """A broker and both workers with a home in a folder."""
    os.environ |= {"STEMCORD_HOME": str(folder)}
    settings = WorkerSettings()
    async with (
        EmbeddedBroker(settings.home) as url,
        Queue.connect(url) as queue,
        running_workers(settings, url),
    ):
        yield queue, Store.open(settings.store_url)


async def measure(runs: int, folder: Path, console: Console) -> None:
    """Run everything and print it."""
    async with running_system(folder) as (queue, store):
        source = await store.put(DATA / "sample.mp4", name="sample.mp4")
        result, cold = await run_job(queue, source, Task.ALL, fresh=True)
        out = folder / "out"
        await write_result(result, store, out)
        for name, figure in quality(out):
            console.print(f"{name:<32}{figure}")
        console.print(f"{'first job, cold workers':<32}{cold:.1f} s")
        await repeat(runs, queue, source, console)
        await after_separate(queue, store, console)


async def repeat(runs: int, queue: Queue, source: Artefact, console: Console) -> None:
    """Warm whole jobs, each followed by the same job from the store."""
    walls, ratios, again = list[float](), list[float](), list[float]()
    for _ in range(runs):
        result, wall = await run_job(queue, source, Task.ALL, fresh=True)
        table, ratio = stage_table(result, wall)
        console.print(table)
        walls.append(wall)
        ratios.append(ratio)
        again.append((await run_job(queue, source, Task.ALL, fresh=False))[1])
    console.print(f"{'whole job / sum of engines':<32}{statistics.median(ratios):.3f}")
    console.print(f"{'whole job, warm':<32}{statistics.median(walls):.2f} s")
    console.print(f"{'the same again':<32}{statistics.median(again):.2f} s")
    console.print(f"{'first / again':<32}{statistics.median(a / b for a, b in zip(walls, again, strict=True)):.0f}")


async def after_separate(queue: Queue, store: Store, console: Console) -> None:
    """`/transcribe` of a clip nobody has seen, against the same after `/separate` and idle time."""
    first_clip, other_clip = await variants(store)
    _, alone = await run_job(queue, first_clip, Task.TRANSCRIBE, fresh=False)
    _, separated = await run_job(queue, other_clip, Task.SEPARATE, fresh=False)
    console.print(f"{'/transcribe of a new clip':<32}{alone:.2f} s")
    console.print(f"{'/separate of a new clip':<32}{separated:.2f} s")
    waited = time.perf_counter()
    async with asyncio.timeout(LOOK_AHEAD_LIMIT):
        while any(state.status in ("queued", "running") for state in await queue.jobs()):
            await asyncio.sleep(0.2)
    waited = time.perf_counter() - waited
    _, after = await run_job(queue, other_clip, Task.TRANSCRIBE, fresh=False)
    console.print(f"{'look-ahead took':<32}{waited:.2f} s")
    console.print(f"{'/transcribe after /separate':<32}{after:.2f} s, {alone / after:.0f} times quicker")


async def variants(store: Store) -> tuple[Artefact, Artefact]:
    """The sample twice under other digests: the same streams with another title."""
    made: list[Artefact] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("one", "two"):
            path = Path(folder) / f"{name}.mp4"
            command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(DATA / "sample.mp4"), "-c", "copy"]
            # A cut of another length gives other sound, so that no stage is shared.
            cut = {"one": "60", "two": "59.9"}[name]
            await asyncio.to_thread(subprocess.run, [*command, "-t", cut, str(path)], check=True, timeout=60)
            made.append(await store.put(path, name=path.name))
    return made[0], made[1]


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stemcord-bench-") as folder:
        asyncio.run(measure(asked.runs, Path(folder), Console()))


if __name__ == "__main__":
    main()
