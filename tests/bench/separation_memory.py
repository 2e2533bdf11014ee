"""Peak memory of HTDemucs on the processor, for a short and a long sound, beside stock.

    .venv/bin/python -m tests.bench.separation_memory [--minutes 10 60] [--stock 10] [--every 1]

Ours is the whole stage as a job runs it. `--stock` names the lengths that stock runs at: it takes about 16 GB for an
hour. With `--every 20` the network works on one segment of twenty and copies the others: the same peaks in a
twentieth of the time, as every segment worked on needs the same and all of the sound still goes through.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.htdemucs_runs import run, save_checkpoint, save_sound

MAX_PEAK_MB = 2500
"""MB."""
MAX_PEAK_GROWTH = 0.10
"""Of the shortest sound's peak, that the longest may take more or less."""
NAMES = {"stage": "ours", "stock": "stock"}


def main() -> None:
    """Run all lengths and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, nargs="+", default=[10, 60])
    parser.add_argument("--stock", type=float, nargs="*", default=[10])
    parser.add_argument("--every", type=int, default=1)
    asked = parser.parse_args()
    peaks: dict[float, float] = {}
    table = Table("minutes", "way", "peak MB", "seconds")
    with tempfile.TemporaryDirectory() as scratch:
        home, source, out = (Path(scratch) / name for name in ("home", "sound.wav", "out"))
        save_checkpoint(home / "checkpoints")
        for minutes in sorted(asked.minutes):
            save_sound(source, 60 * minutes)
            for way in ("stage", "stock") if minutes in asked.stock else ("stage",):
                found = run(way, home, source, out, every=asked.every)
                shutil.rmtree(out)
                if way == "stage":
                    peaks[minutes] = found["peak"]
                figures = (f"{minutes:g}", NAMES[way], f"{found['peak']:.0f}", f"{found['seconds']:.0f}")
                print(", ".join(figures), flush=True)
                table.add_row(*figures)
    Console().print(table)
    if asked.every > 1:
        print(f"The network worked on one segment of {asked.every}, so the seconds mean nothing.")
    judge(peaks)


def judge(peaks: dict[float, float]) -> None:
    """Print the bars: growth from the shortest sound to the longest, and the highest peak."""
    shortest, longest = min(peaks), max(peaks)
    growth = peaks[longest] / peaks[shortest] - 1
    met = "pass" if abs(growth) <= MAX_PEAK_GROWTH else "miss"
    print(f"from {shortest:g} to {longest:g} minutes: {growth:+.1%} (bar {MAX_PEAK_GROWTH:.0%}: {met})")
    highest = max(peaks.values())
    print(f"highest peak: {highest:.0f} MB (bar {MAX_PEAK_MB}: {'pass' if highest < MAX_PEAK_MB else 'miss'})")


if __name__ == "__main__":
    main()
