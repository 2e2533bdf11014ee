"""Runs of HTDemucs, stock and ours, from one saved checkpoint: a sound file in, files of stems out.

Weights are random, of the published htdemucs's shape; every branch is weighted with 0.3, for fresh branches
(0.001 and less) would hide differences. Each run is a process of its own, so each has its own peak memory.
What is timed holds loading the checkpoint, reading, the work, and writing; imports are not in it.
"""

import argparse
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.audio import io as audio_io

SIGNATURE = "published"
RATE = 44_100
THREADS = 2
SOURCES = ("drums", "bass", "other", "vocals")
BLOCK_FRAMES = 1 << 20


def quiet(fraction: float, message: str = "") -> None:
    """Progress that nobody reads."""


def save_checkpoint(folder: Path) -> None:
    """A checkpoint in demucs's own format, and a bag `htdemucs` that holds it."""
    import torch
    from demucs import htdemucs
    from demucs.states import get_state, save_with_checksum

    torch.manual_seed(0)
    made_by: Any = htdemucs.HTDemucs
    network = made_by(list(SOURCES), bottom_channels=512, dconv_mode=3, segment=Fraction(39, 5))
    for name, parameter in network.named_parameters():
        if name.endswith(("gamma_1.scale", "gamma_2.scale", "6.scale")):
            torch.nn.init.constant_(parameter, 0.3)
    args, kwargs = network._init_args_kwargs
    content = {"klass": made_by, "args": args, "kwargs": kwargs, "training_args": {"epochs": 0}}
    folder.mkdir(parents=True, exist_ok=True)
    save_with_checksum(content | {"state": get_state(network, None)}, folder / f"{SIGNATURE}.th")
    (folder / "htdemucs.yaml").write_text(f"models: ['{SIGNATURE}']\n")


def save_sound(path: Path, seconds: float) -> None:
    """Stereo noise and tones of that length, 16 bit, written second by second."""
    generator = np.random.default_rng(1)
    left = round(seconds * RATE)
    with audio_io.SoundWriter(path, sample_rate=RATE, channels=2, subtype="PCM_16") as writer:
        while left > 0:
            frames = min(RATE, left)
            time_axis = np.arange(frames)[:, None] / RATE
            tones = np.sin(2 * np.pi * generator.uniform(80, 4_000, 2) * time_axis)
            writer.write((0.2 * tones + 0.1 * generator.standard_normal((frames, 2))).astype(np.float32))
            left -= frames


def run_stock(home: Path, source: Path, out: Path) -> None:
    """The library's own way: the clip whole, normalised, `apply_model`, every source to a file."""
    from demucs.pretrained import get_model

    load: Any = get_model
    _apply_whole(load(SIGNATURE, repo=home / "checkpoints"), source, out)


def _apply_whole(network: Any, source: Path, out: Path) -> None:
    import torch
    from demucs.apply import apply_model

    wave = torch.from_numpy(audio_io.read(source).T)
    reference = wave.mean(0)
    mean, deviation = reference.mean(), reference.std() + 1e-8
    made = apply_model(network, ((wave - mean) / deviation)[None], shifts=0, overlap=0.25, split=True)
    made = (made * deviation + mean)[0]
    out.mkdir()
    for name, part in zip(SOURCES, made, strict=True):
        with audio_io.SoundWriter(out / f"{name}.wav", sample_rate=RATE, channels=2, subtype="FLOAT") as writer:
            for first in range(0, part.shape[-1], BLOCK_FRAMES):
                writer.write(part[:, first : first + BLOCK_FRAMES].T.numpy())


def run_ours(home: Path, source: Path, out: Path) -> None:
    """The engine, to float files that can be compared."""
    from pipeline.separation.engines.demucs.engine import run_demucs_separation

    run_demucs_separation(source, out, SIGNATURE, repo=home / "checkpoints", device="cpu", report=quiet)


def run_stage(home: Path, source: Path, out: Path) -> None:
    """The stage as a job runs it, to 24-bit FLAC."""
    from pipeline.graph.stage import StageContext
    from pipeline.models.loader import Models
    from pipeline.separation.contracts import SeparateInputs, SeparateParams
    from pipeline.separation.stage import separate_stage

    context = StageContext(out=out, report=quiet, models=Models(home, "cpu"))
    separate_stage(context, SeparateInputs(sound=source), SeparateParams(engine="demucs", model="htdemucs", weights=""))


WAYS: dict[str, Callable[[Path, Path, Path], None]] = {
    "stock": run_stock,
    "ours": run_ours,
    "stage": run_stage,
}


def thin_out(every: int) -> None:
    """Let the network itself work on one segment of `every` only; it copies the others, which takes no time.

    Peak memory is that of the full work: each segment worked on needs the same, and all sound still goes through.
    """
    from demucs import htdemucs

    network: Any = htdemucs.HTDemucs
    forward, calls = network.forward, itertools.count()

    def thinned(self: Any, mix: Any) -> Any:
        if next(calls) % every == 0:
            return forward(self, mix)
        return mix[:, None].repeat(1, len(SOURCES), 1, 1)

    network.forward = thinned


def peak_memory() -> float:
    """The most resident memory of this process so far, MB of 2**20 bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def run(way: str, home: Path, source: Path, out: Path, *, every: int = 1) -> dict[str, float]:
    """Seconds by the clock and of the processor, and peak memory of one run, in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.htdemucs_runs", way, str(home), str(source), str(out)]
    command += ["--every", str(every)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """One run in this process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("way", choices=WAYS)
    for name in ("home", "source", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--every", type=int, default=1)
    given = parser.parse_args()
    import torch

    torch.set_num_threads(THREADS)
    if given.every > 1:
        thin_out(given.every)
    begun, worked = time.perf_counter(), time.process_time()
    WAYS[given.way](given.home, given.source, given.out)
    seconds, processor = time.perf_counter() - begun, time.process_time() - worked
    print(json.dumps({"seconds": seconds, "processor": processor, "peak": peak_memory()}))


if __name__ == "__main__":
    main()
