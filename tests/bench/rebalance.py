"""How long a re-balance of a clip takes from the command to `final.m4a`, and where the time goes.

    .venv/bin/python -m tests.bench.rebalance [--seconds 300] [--runs 3]

The clip is the sample over and over. It is taken apart once with the real engine; then only options of the mix
change, so that everything else comes from the store. Times are of this machine at this moment: the processor's time
is beside the clock's, and each command is measured with workers that it must start itself and with workers of
`stemcord up`.
"""

import argparse
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pipeline.media.ffmpeg import executable

SAMPLE = Path(__file__).parents[1] / "data/sample.mp4"
COMMAND = (sys.executable, "-c", "from deploy.cli import main; main()")
MAX_FINAL_SECONDS = 3.0
"""Seconds."""
START_TIMEOUT_S = 90.0
OPTIONS = {
    "gains": ("--voice", "1.0", "--background", "{gain}"),
    "podcast": ("--mix", "podcast", "--background", "{gain}"),
}
"""Name of a command and the options that it adds; each run has a gain of its own, so that none is remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One command."""

    final: float
    """Seconds from the command to `final.m4a` in its folder."""
    whole: float
    """Seconds to the command's end."""
    processor: float
    """Seconds of all its processes; those of workers that it did not start are not in it."""
    stages: dict[str, float]
    """Seconds of each stage that was not taken from the store."""


def make_clip(folder: Path, seconds: int, source: Path = SAMPLE) -> Path:
    """A clip, picture and all, over and over."""
    target = folder / f"clip{source.suffix}"
    command = [str(executable()), "-v", "error", "-stream_loop", "-1", "-i", str(source), "-t", str(seconds)]
    subprocess.run([*command, "-c", "copy", str(target)], check=True, timeout=120)
    return target


def environment(home: Path) -> dict[str, str]:
    """Without any setting but the home."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STEMCORD_", "DISCORD_"))}
    return kept | {"STEMCORD_HOME": str(home), "STEMCORD_LOOK_AHEAD": "false"}


def stemcord(home: Path, clip: Path, out: Path, *options: str) -> Timing:
    """Run the command and watch for its file."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    command = [*COMMAND, "run", str(clip), "--out", str(out), *options]
    process = subprocess.Popen(command, env=environment(home), stdout=subprocess.DEVNULL)
    final = 0.0
    while process.poll() is None:
        if not final and (out / "final.m4a").exists():
            final = time.perf_counter() - started
        time.sleep(0.005)
    whole = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise RuntimeError(f"stemcord run ended with {process.returncode}")
    result = json.loads((out / "result.json").read_bytes())
    return Timing(
        final=final or whole,
        whole=whole,
        processor=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        stages={one["stage"]: one["seconds"] for one in result["timings"] if not one["reused"]},
    )


@contextmanager
def up(home: Path, settings: Mapping[str, str] | None = None) -> Iterator[None]:
    """A running `stemcord up` without a bot, in an environment of its own if one is given."""
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen([*COMMAND, "up"], env=settings or environment(home), stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + START_TIMEOUT_S
            while not _says_workers(log.fileno()):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("stemcord up did not start")
                time.sleep(0.1)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _says_workers(log: int) -> bool:
    return b"workers" in os.pread(log, 1 << 16, 0)


def measure(home: Path, clip: Path, folder: Path, *, runs: int, task: str) -> dict[str, list[Timing]]:
    """Each command some times."""
    found: dict[str, list[Timing]] = {}
    for name, options in OPTIONS.items():
        for _ in range(runs):
            # A gain that was not used before: the last digits are those of the clock.
            gain = f"{0.3 + time.time_ns() // 10**6 % 10**7 * 1e-8:.8f}"
            chosen = (option.format(gain=gain) for option in options)
            found.setdefault(name, []).append(stemcord(home, clip, folder / f"{name} {gain}", "--task", task, *chosen))
    return found


def table(found: dict[str, dict[str, list[Timing]]], seconds: int) -> Table:
    """Medians."""
    made = Table(title=f"Re-balance of {seconds} s on {len(os.sched_getaffinity(0))} processors, medians")
    for heading in ("workers", "command", "to final.m4a, s", "to the end, s", "processor, s", "stages, s"):
        made.add_column(heading)
    for workers, commands in found.items():
        for name, timings in commands.items():
            spent = {stage: middle([one.stages.get(stage, 0.0) for one in timings]) for stage in timings[0].stages}
            final = middle([one.final for one in timings])
            made.add_row(
                workers,
                name,
                f"{final:.2f}" + ("" if final < MAX_FINAL_SECONDS else f" (bar: {MAX_FINAL_SECONDS:g})"),
                f"{middle([one.whole for one in timings]):.2f}",
                f"{middle([one.processor for one in timings]):.2f}",
                ", ".join(f"{stage} {value:.2f}" for stage, value in spent.items()),
            )
    return made


def middle(values: Sequence[float]) -> float:
    """The median."""
    return float(statistics.median(values))


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--task", default="all", help="all, or remix for a first run without a transcript")
    parser.add_argument("--home", type=Path, help="A home that is used again, so that nothing is taken apart twice.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rebalance-") as name:
        folder = Path(name)
        home = (options.home or folder / "home").absolute()
        clip = make_clip(folder, options.seconds)
        seeded = stemcord(home, clip, folder / "first", "--task", options.task)
        print(f"the first run: {seeded.whole:.1f} s", flush=True)
        found = {"its own": measure(home, clip, folder, runs=options.runs, task=options.task)}
        with up(home):
            found["of stemcord up"] = measure(home, clip, folder, runs=options.runs, task=options.task)
        Console(width=160).print(table(found, options.seconds))


if __name__ == "__main__":
    main()
