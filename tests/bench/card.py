"""What a graphics card brings: separation against stock, the whole job of 1, 10 and 60 minutes, memory.

    .venv/bin/python -m tests.bench.card [--device cuda] [--seconds 60 600] [--minutes 1 10 60] [--limit 460]

It ends within `--limit` seconds: what would take longer is left out, and it says so. Weights of HTDemucs are drawn by
chance, of the published shape, so nothing has to be fetched. Needs the environments of `make env`, with a build of
torch for the card; with `--device cpu` it can be tried where there is none.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, cast

import numpy as np
from rich.console import Console
from rich.table import Table

from pipeline.audio import io as audio_io
from pipeline.types import StemName
from tests.bench.htdemucs_runs import SIGNATURE, SOURCES, quiet, save_checkpoint, save_sound
from tests.bench.rebalance import COMMAND, environment, make_clip, up

PAIRS = 3
POLL_S = 0.2
GROWTH_MARGIN = 1.5
"""A run that is `n` times as long is begun when so many times `n` times the last one's seconds are left."""
QUERY = ("nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "--id=0")


class Budget:
    """The seconds that are left."""

    def __init__(self, seconds: float) -> None:
        self._end_s = time.monotonic() + seconds

    def allows(self, seconds: float) -> bool:
        """Tell whether something that takes so long still fits."""
        return time.monotonic() + seconds < self._end_s


def main() -> int:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.card", description=__doc__)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--seconds", type=int, nargs="+", default=[60, 600], help="of the sound that is separated")
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 10, 60], help="of the clip of the whole job")
    parser.add_argument("--limit", type=float, default=460.0, help="seconds for all of it")
    asked = parser.parse_args()
    import torch

    if asked.device == "cuda" and not torch.cuda.is_available():
        sys.stderr.write("torch sees no card. Install its build for CUDA, or try the script with --device cpu.\n")
        return 2
    budget = Budget(asked.limit)
    with tempfile.TemporaryDirectory(prefix="stemcord-card-") as scratch:
        home = Path(scratch) / "home"
        save_checkpoint(home / "checkpoints")
        compare_separation(Path(scratch), home, asked.device, asked.seconds, budget)
        measure_jobs(Path(scratch), home, asked.device, asked.minutes, budget)
    return 0


def compare_separation(scratch: Path, home: Path, device: str, lengths: Sequence[int], budget: Budget) -> None:
    """Print stock against ours, and ours in bfloat16, in turns; each loads its weights, and ours writes files, too."""
    table = Table("sound s", "way", "s", "ratio to stock", "difference dB", "memory MiB", box=None)
    last = 1.0
    for seconds in lengths:
        if not budget.allows(last * GROWTH_MARGIN):
            table.add_row(str(seconds), "left out: no time", *[""] * 4)
            continue
        source = scratch / f"sound{seconds}.wav"
        save_sound(source, seconds)
        began = time.monotonic()
        rows = _compare(source, scratch / "stems", home, device)
        last = (time.monotonic() - began) * 10
        for way, cells in rows.items():
            table.add_row(str(seconds), way, *cells)
    Console().print(table)


def _compare(source: Path, out: Path, home: Path, device: str) -> dict[str, tuple[str, str, str, str]]:
    import torch

    # Typed so, since torch's stubs leave these out.
    library = cast("Any", torch)
    ways: dict[str, Callable[[], np.ndarray]] = {
        "stock": lambda: _separate_stock(_load_stock(home, device), source, device),
        "ours": lambda: _separate(source, out, home, device),
        "ours, bfloat16": lambda: _separate(source, out, home, device, half=True),
    }
    took: dict[str, list[float]] = {way: [] for way in ways}
    memory: dict[str, float] = {}
    vocals: dict[str, np.ndarray] = {}
    for number in range(PAIRS + 1):
        for way in sorted(ways, reverse=bool(number % 2)):
            if device == "cuda":
                library.cuda.reset_peak_memory_stats()
            began = time.perf_counter()
            vocals[way] = ways[way]()
            if number:
                took[way].append(time.perf_counter() - began)
            memory[way] = library.cuda.max_memory_allocated() / 2**20 if device == "cuda" else 0.0
    stock = statistics.median(took["stock"])
    level = float(np.mean(vocals["stock"] ** 2))
    rows: dict[str, tuple[str, str, str, str]] = {}
    for way, seconds in took.items():
        middle = statistics.median(seconds)
        frames = min(len(vocals[way]), len(vocals["stock"]))
        error = float(np.mean((vocals[way][:frames] - vocals["stock"][:frames]) ** 2))
        difference = f"{10 * np.log10(error / level + 1e-30):.0f}" if way != "stock" else ""
        rows[way] = f"{middle:.2f}", f"{stock / middle:.2f}", difference, f"{memory[way]:.0f}"
    return rows


def _load_stock(home: Path, device: str) -> Any:
    from demucs.pretrained import get_model

    load: Any = get_model
    return load(SIGNATURE, repo=home / "checkpoints").to(device)


def _separate_stock(network: Any, source: Path, device: str) -> np.ndarray:
    """Separate the whole sound as the library's command does; shape (frames, channels)."""
    import torch
    from demucs.apply import apply_model

    wave = torch.from_numpy(audio_io.read(source).T)
    reference = wave.mean(0)
    mean, deviation = reference.mean(), reference.std() + 1e-8
    given = ((wave - mean) / deviation)[None]
    made = apply_model(network, given, shifts=0, overlap=0.25, split=True, device=device)
    return (made * deviation + mean)[0, SOURCES.index("vocals")].cpu().numpy().T


def _separate(source: Path, out: Path, home: Path, device: str, *, half: bool = False) -> np.ndarray:
    """Separate as the engine does; shape (frames, channels)."""
    import torch

    from pipeline.separation.engines.demucs.engine import run_demucs_separation

    short = torch.autocast(device, torch.bfloat16) if half else nullcontext()
    with tempfile.TemporaryDirectory(dir=out.parent) as folder, short:
        stems = run_demucs_separation(
            source, Path(folder), SIGNATURE, repo=home / "checkpoints", device=device, report=quiet
        )
        return audio_io.read(stems[StemName.VOCALS])


def measure_jobs(scratch: Path, home: Path, device: str, minutes: Sequence[float], budget: Budget) -> None:
    """Print what whole jobs take with warm workers, the shortest twice so that the first warms them."""
    table = Table("clip min", "s", "s a minute", "memory of the card MiB", box=None)
    settings = environment(home) | {"STEMCORD_DEVICE": device}
    last = 0.0
    with up(home, settings):
        for place, length in enumerate([minutes[0], *minutes]):
            growth = length / minutes[max(0, place - 2)]
            if not budget.allows(last * growth * GROWTH_MARGIN):
                table.add_row(f"{length:g}", "left out: no time", "", "")
                continue
            folder = scratch / f"clip{place}"
            folder.mkdir()
            clip = make_clip(folder, round(60 * length))
            command = [*COMMAND, "run", str(clip), "--out", str(folder / "out"), "--task", "all", "--fresh"]
            began = time.perf_counter()
            with _card_memory(device) as memory:
                subprocess.run(command, env=settings, check=True, stdout=subprocess.DEVNULL)
            last = time.perf_counter() - began
            if place:
                table.add_row(f"{length:g}", f"{last:.1f}", f"{last / length:.1f}", f"{max(memory, default=0):.0f}")
                timings = json.loads((folder / "out/result.json").read_bytes())["timings"]
                for timing in timings:
                    table.add_row("", f"{timing['engine_seconds']:.1f}", "", timing["stage"])
    Console().print(table)


@contextmanager
def _card_memory(device: str) -> Iterator[list[float]]:
    """Collect how much memory of the card all processes use, until the block ends."""
    used: list[float] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(POLL_S):
            done = subprocess.run(QUERY, check=False, capture_output=True, text=True)
            used.extend(float(line) for line in done.stdout.split()[:1])

    watching = threading.Thread(target=watch, daemon=True)
    if device == "cuda":
        watching.start()
    try:
        yield used
    finally:
        ended.set()
        if watching.ident is not None:
            watching.join()


if __name__ == "__main__":
    sys.exit(main())
