"""Speed of HTDemucs on the processor: stock `apply_model` against ours, same weights, runs taken in turns.

Weights are random, of the published htdemucs's shape; every branch is weighted with 0.3, for fresh branches
(0.001 and less) would hide differences. Each run is a process of its own, so each has its own peak memory.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

THREADS = 2
WAYS = ("stock", "ours")


def make_network() -> Any:
    import torch
    from demucs import htdemucs

    torch.manual_seed(0)
    made: Any = htdemucs.HTDemucs
    sources = ["drums", "bass", "other", "vocals"]
    network = made(sources, bottom_channels=512, dconv_mode=3, segment=7.8)
    for name, parameter in network.named_parameters():
        if name.endswith(("gamma_1.scale", "gamma_2.scale", "6.scale")):
            torch.nn.init.constant_(parameter, 0.3)
    return network.eval()


def separate(way: str, seconds: float, out: Path) -> dict[str, float]:
    """One run in this process, after a first segment that is not counted."""
    import torch
    from demucs.apply import apply_model

    from pipeline.separation.htdemucs_speed import kept_memory, optimise

    torch.set_num_threads(THREADS)
    network = make_network()
    if way == "ours":
        network = optimise(network)
    sound = torch.randn(1, 2, int(44_100 * seconds), generator=torch.Generator().manual_seed(1)) / 4
    with kept_memory() if way == "ours" else nullcontext():
        apply_model(network, sound[..., :44_100], shifts=0, overlap=0.25)
        start = time.perf_counter()
        made = apply_model(network, sound, shifts=0, overlap=0.25, split=True)
        taken = time.perf_counter() - start
    np.save(out, made.numpy())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": taken, "peak": peak}


def run_child(way: str, seconds: float, out: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.separation_speed", "--seconds", str(seconds)]
    done = subprocess.run([*command, "--child", way, str(out)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def difference(made: Path, stock: Path) -> float:
    """Root mean square of the difference in dB relative to the stock output; files are read piecewise."""
    ours, theirs = np.load(made, mmap_mode="r"), np.load(stock, mmap_mode="r")
    wrong = right = 0.0
    for first in range(0, ours.shape[-1], 1 << 20):
        block = slice(first, first + (1 << 20))
        reference = np.asarray(theirs[..., block], np.float64)
        wrong += float(np.square(ours[..., block] - reference).sum())
        right += float(np.square(reference).sum())
    return float(10 * np.log10(max(wrong, 1e-30) / right))


def compare(seconds: float, pairs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        outs = {way: Path(folder) / f"{way}.npy" for way in WAYS}
        found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for pair in range(pairs):
            # Who goes first changes, for a machine that grows slower or faster meanwhile.
            for way in WAYS if pair % 2 == 0 else WAYS[::-1]:
                found[way].append(run_child(way, seconds, outs[way]))
            ratio = found["stock"][-1]["seconds"] / found["ours"][-1]["seconds"]
            print(f"pair {pair + 1}: " + ", ".join(f"{way} {found[way][-1]['seconds']:.1f} s" for way in WAYS), end="")
            print(f", ratio {ratio:.2f}", flush=True)
        level = difference(outs["ours"], outs["stock"])
    print(f"\n{seconds:g} s of sound, {THREADS} threads, {pairs} pairs\n")
    print("| way | median s | x real time | peak MB |\n|---|---|---|---|")
    for way in WAYS:
        middle = statistics.median(run["seconds"] for run in found[way])
        peak = max(run["peak"] for run in found[way])
        print(f"| {way} | {middle:.1f} | {seconds / middle:.2f} | {peak:.0f} |")
    ratios = [a["seconds"] / b["seconds"] for a, b in zip(found["stock"], found["ours"], strict=True)]
    print(f"\nratio: median {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}")
    print(f"difference: {level:.1f} dB rms of the stock output")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--child", nargs=2, metavar=("WAY", "OUT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(separate(given.child[0], given.seconds, Path(given.child[1]))))
    else:
        compare(given.seconds, given.pairs)


if __name__ == "__main__":
    main()
