"""HTDemucs on the processor: stock against ours, same checkpoint, runs taken in turns.

    .venv/bin/python -m tests.bench.separation_speed [--seconds 30 120 600] [--pairs 5 3 1]

A run is a sound file in and files of stems out, with the loading of the checkpoint, in a process of its own with
two threads (`htdemucs_runs`). The difference is that of ours to stock over all vocals and all of the background.
"""

import argparse
import os
import shutil
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from pipeline.audio import io as audio_io
from pipeline.audio.io import Samples
from tests.bench.htdemucs_runs import BLOCK_FRAMES, SOURCES, THREADS, run, save_checkpoint, save_sound

WAYS = ("stock", "ours")
MIN_SPEEDUP = 1.5
"""Ratio of times."""
MAX_DIFFERENCE_DB = -60.0
"""dB rms of the stock output."""
MAX_IDLE_LOAD = 0.5
"""Processes beside ours that a machine may run when its times are to count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What all pairs of one length gave; times in seconds, peaks in MB."""

    seconds: float
    times: dict[str, list[float]]
    processor: dict[str, list[float]]
    peaks: dict[str, float]
    difference: float

    @property
    def ratios(self) -> list[float]:
        """Stock's time over ours, pair by pair."""
        return _ratios(self.times)

    @property
    def work_ratios(self) -> list[float]:
        """The same of the processor's time, which other work on the machine changes less."""
        return _ratios(self.processor)


def _ratios(seconds: dict[str, list[float]]) -> list[float]:
    return [stock / ours for stock, ours in zip(seconds["stock"], seconds["ours"], strict=True)]


def main() -> None:
    """Compare at all lengths and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, nargs="+", default=[30, 120, 600])
    parser.add_argument(
        "--pairs", type=int, nargs="+", default=[5, 3, 1], help="for each length; the last for the rest"
    )
    asked = parser.parse_args()
    warn("before the first run", os.getloadavg()[0])
    lengths: list[float] = asked.seconds
    pairs: list[int] = asked.pairs + [asked.pairs[-1]] * (len(lengths) - len(asked.pairs))
    with tempfile.TemporaryDirectory() as scratch:
        save_checkpoint(Path(scratch) / "home" / "checkpoints")
        found = [compare(Path(scratch), length, count) for length, count in zip(lengths, pairs, strict=False)]
    show(found)


def compare(scratch: Path, seconds: float, pairs: int) -> Comparison:
    """Run both ways on one sound, as often as asked for."""
    source = scratch / "sound.wav"
    save_sound(source, seconds)
    outs = {way: scratch / way for way in WAYS}
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    processor: dict[str, list[float]] = {way: [] for way in WAYS}
    peaks: dict[str, float] = dict.fromkeys(WAYS, 0.0)
    for pair in range(pairs):
        # Who goes first changes, for a machine that grows slower or faster meanwhile.
        for way in WAYS if pair % 2 == 0 else WAYS[::-1]:
            shutil.rmtree(outs[way], ignore_errors=True)
            made = run(way, scratch / "home", source, outs[way])
            times[way].append(made["seconds"])
            processor[way].append(made["processor"])
            peaks[way] = max(peaks[way], made["peak"])
            if made["seconds"] > 60:  # the load is a mean over a minute
                warn(f"{seconds:g} s, {way}", os.getloadavg()[0] - THREADS)
        last = ", ".join(f"{way} {times[way][-1]:.1f} s" for way in WAYS)
        print(f"{seconds:g} s, pair {pair + 1}: {last}, ratio {times['stock'][-1] / times['ours'][-1]:.2f}", flush=True)
    level = difference(outs["ours"], outs["stock"])
    return Comparison(seconds=seconds, times=times, processor=processor, peaks=peaks, difference=level)


def difference(ours: Path, stock: Path) -> float:
    """Root mean square of the difference in dB of stock's output; files are read in blocks."""
    wrong = right = 0.0
    for name, sources in (("vocals", ["vocals"]), ("background", [name for name in SOURCES if name != "vocals"])):
        made = audio_io.read_blocks(ours / f"{name}.wav", block=BLOCK_FRAMES)
        for block, reference in zip(made, _summed(stock, sources), strict=True):
            wrong += float(np.square(block - reference, dtype=np.float64).sum())
            right += float(np.square(reference, dtype=np.float64).sum())
    return float(10 * np.log10(max(wrong, 1e-30) / right))


def _summed(folder: Path, names: Sequence[str]) -> Iterator[Samples]:
    """The sum of several files, block by block."""
    for blocks in zip(
        *(audio_io.read_blocks(folder / f"{name}.wav", block=BLOCK_FRAMES) for name in names), strict=True
    ):
        yield np.asarray(np.sum(blocks, axis=0), np.float32)


def warn(when: str, others: float) -> None:
    """Say so when the machine had other work."""
    if others > MAX_IDLE_LOAD:
        print(
            f"The machine was busy ({when}): {others:.1f} processes beside these. Times count for little.", flush=True
        )


def show(found: Sequence[Comparison]) -> None:
    """The table, and how the bars were met at each length."""
    table = Table(
        *("sound s", "pairs", "stock s", "ours s", "ratio", "from, to", "processor ratio"),
        *("stock MB", "ours MB", "difference", "bars"),
    )
    for each in found:
        ratio = statistics.median(each.ratios)
        met = ratio >= MIN_SPEEDUP and each.difference < MAX_DIFFERENCE_DB
        table.add_row(
            f"{each.seconds:g}",
            str(len(each.ratios)),
            *(f"{statistics.median(each.times[way]):.1f}" for way in WAYS),
            f"{ratio:.2f}",
            f"{min(each.ratios):.2f}, {max(each.ratios):.2f}",
            f"{statistics.median(each.work_ratios):.2f}",
            *(f"{each.peaks[way]:.0f}" for way in WAYS),
            f"{each.difference:.1f} dB",
            "pass" if met else "miss",
        )
    Console(width=120).print(table)
    bars = f"{MIN_SPEEDUP} times as fast or faster, difference under {MAX_DIFFERENCE_DB:g} dB"
    print(f"Medians; {THREADS} threads; bars: {bars}.")


if __name__ == "__main__":
    main()
