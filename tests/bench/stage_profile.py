"""Where the time of the sample's job goes, by stage and by operator, beside what the processor could do at best.

    .venv/bin/python -m tests.bench.stage_profile [--top 6]

The first table is of whole jobs through the queue, the first of new workers and a warm one. The others are of stages
that are called in this process on a warm model, with the operators of torch and onnxruntime counted; what these do not
explain is Python, numpy, files and ffmpeg. The recogniser runs in its own environment, where the calls of its network
are timed. The floor is the time for the same operations and bytes at the rates of a matrix product and a copy.
"""

import argparse
import asyncio
import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from rich.console import Console
from rich.table import Table

from deploy.local.worker_process import worker_python
from pipeline.models.loader import Models
from pipeline.types import Result, Task
from tests.bench.operators import GIGA, Floor, Watch, watching
from tests.bench.speech_stages import align, diarize, extract, prepare_speech, separate_vocals
from tests.bench.spine import DATA, run_job, running_system
from worker.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
RECOGNISER = ROOT / "tests/bench/recogniser_profile.py"
ResultT = TypeVar("ResultT")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--top", type=int, default=6, help="operators shown for each stage")
    top: int = parser.parse_args().top
    console = Console(width=110)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(show_jobs(Path(folder) / "jobs", console))
        show_stages(Path(folder) / "stages", top, console)


async def show_jobs(folder: Path, console: Console) -> None:
    """Print the stages of a cold and of a warm job."""
    async with running_system(folder) as (queue, store):
        source = await store.put(DATA / "sample.mp4", name="sample.mp4")
        cold, cold_s = await run_job(queue, source, Task.ALL, fresh=True)
        warm, warm_s = await run_job(queue, source, Task.ALL, fresh=True)
    table = Table("stage", "cold engine s", "warm engine s", "share of warm", title="The sample's job", box=None)
    before, after = _engine_seconds(cold), _engine_seconds(warm)
    whole = sum(after.values())
    for stage, seconds in sorted(after.items(), key=lambda item: -item[1]):
        table.add_row(stage, f"{before[stage]:.2f}", f"{seconds:.2f}", f"{seconds / whole:.0%}")
    table.add_row("all engines", f"{sum(before.values()):.1f}", f"{whole:.1f}")
    table.add_row("the whole job", f"{cold_s:.1f}", f"{warm_s:.1f}", style="bold")
    console.print(table)


def _engine_seconds(result: Result) -> dict[str, float]:
    return {timing.stage: timing.engine_seconds for timing in result.timings}


def show_stages(folder: Path, top: int, console: Console) -> None:
    """Print the operators of the stages that use networks."""
    floor = Floor.measure()
    rates = f"{floor.flops / GIGA:.0f} GFLOP/s, {floor.bandwidth / GIGA:.1f} GB/s"
    console.print(f"\nAt best, with {torch.get_num_threads()} threads: {rates}")
    models = Models(WorkerSettings().home, "cpu")
    sound = extract(DATA / "sample.mp4", folder / "extract", models)
    speech = prepare_speech(sound, folder / "speech", models)
    vocals = separate_vocals(sound, folder / "vocals", models)
    voices = prepare_speech(vocals, folder / "voices", models)

    def profiled(stage: str, run: Callable[[Path, Models], ResultT]) -> ResultT:
        loaded = Models(models.home, "cpu")
        with watching() as watch:
            run(folder / f"{stage}-warm", loaded)
            watch.begin()
            result = run(folder / stage, loaded)
            watch.end()
        show_operators(stage, watch, floor, top, console)
        return result

    profiled("separate", lambda out, loaded: separate_vocals(sound, out, loaded))
    spoken = profiled("diarize", lambda out, loaded: diarize(speech, out, loaded, voices))
    recognition = show_recogniser(folder / "words", speech, spoken.diarization, floor, console)
    profiled("align", lambda out, loaded: align(speech, spoken.diarization, recognition, out, loaded))


def show_operators(stage: str, watch: Watch, floor: Floor, top: int, console: Console) -> None:
    """Print what a stage spent in operators."""
    operators = watch.operators
    title = f"\n{stage}: {watch.seconds:.2f} s, {watch.processor_s:.2f} of processor"
    table = Table("operator", "s", "GFLOP", "floor s", title=title, box=None)
    for name, seconds in operators.seconds.most_common(top):
        best = max(operators.flops[name] / floor.flops, operators.moved_bytes[name] / floor.bandwidth)
        table.add_row(name, f"{seconds:.2f}", f"{operators.flops[name] / GIGA:.1f}", f"{best:.2f}")
    whole, flops = operators.seconds.total(), sum(operators.flops.values()) / GIGA
    table.add_row("all operators", f"{whole:.2f}", f"{flops:.1f}", f"{operators.floor_s(floor):.2f}")
    table.add_row("the rest", f"{max(0.0, watch.seconds - whole):.2f}")
    console.print(table)


def show_recogniser(out: Path, speech: Path, diarization: Path, floor: Floor, console: Console) -> Path:
    """Print the calls of the recogniser's network; return what it found."""
    home = WorkerSettings().home
    command = [
        worker_python("asr", WorkerSettings()),
        str(RECOGNISER),
        str(home),
        str(speech),
        str(diarization),
        str(out),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    told = json.loads(done.stdout.splitlines()[-1])
    title = f"\ntranscribe: {told['seconds']:.2f} s, {told['processor']:.2f} of processor"
    table = Table("call", "calls", "s", "GFLOP", "floor s", title=title, box=None)
    for name, call in sorted(told["calls"].items(), key=lambda item: -item[1]["seconds"]):
        gigaflops, best = call["flops"] / GIGA, call["flops"] / floor.flops
        table.add_row(name, str(call["calls"]), f"{call['seconds']:.2f}", f"{gigaflops:.1f}", f"{best:.2f}")
    rest = told["seconds"] - sum(call["seconds"] for call in told["calls"].values())
    table.add_row("the rest", "", f"{rest:.2f}")
    console.print(table)
    return out / "recognition.json"


if __name__ == "__main__":
    main()
