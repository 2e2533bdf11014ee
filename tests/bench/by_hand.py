"""The whole job beside what a person would put together by hand from the same libraries, step after step.

    .venv/bin/python -m tests.bench.by_hand [--pairs 3] [--clip FILE]

By hand: ffmpeg takes the sound out, Demucs parts it by its own `apply_model`, PaddleSpeech's Whisper writes it down by
its own `transcribe`, pyannote's own `SpeakerDiarization` tells the speakers apart as its published pipeline does, and
ffmpeg mixes the parts and muxes them. Each step is a process of its own that loads what it needs. Weights that no
package brings are drawn by chance (HTDemucs of the published shape, pyannote's WeSpeaker network): they cost the same
time, and nothing is said of quality. Nobody joins words with speakers, and nothing measures loudness: that is not in
the time by hand. Ours: `stemcord run --fresh`, which starts its own workers, and the same with workers of `stemcord
up`. Runs are taken in turns; read the ratios, on a quiet machine.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from rich.table import Table

from pipeline.audio import io as audio_io
from pipeline.catalog import PRESETS
from pipeline.media.ffmpeg import executable
from pipeline.models.loader import Models
from pipeline.speech.diarization import pyannote_pipeline
from pipeline.types import Preset
from tests.bench.htdemucs_runs import save_checkpoint
from tests.bench.rebalance import COMMAND, SAMPLE, environment, up

ROOT = Path(__file__).parents[2]
ASR_PYTHON = ROOT / ".venv-asr/bin/python"
STEP_TIMEOUT_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of a command and all its processes."""

    seconds: float
    processor_s: float


def run(command: Sequence[str], *, env: Mapping[str, str] | None = None, stdin: bytes = b"") -> Cost:
    """Run a command to its end."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, input=stdin, timeout=STEP_TIMEOUT_S, cwd=ROOT, env=env, capture_output=True)
    if done.returncode:
        sys.stderr.buffer.write(done.stderr)
        done.check_returncode()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(seconds=time.perf_counter() - began, processor_s=busy)


def by_hand(clip: Path, folder: Path, home: Path) -> dict[str, Cost]:
    """Do each step once."""
    ffmpeg = [str(executable()), "-v", "error", "-y"]
    sound, speech, stems = folder / "sound.wav", folder / "speech.wav", folder / "stems"
    others = "".join(f"[{place}]" for place in (0, 1, 2))
    mix = f"{others}amix=inputs=3:normalize=0,volume=0.7[rest];[3][rest]amix=inputs=2:normalize=0[mixed]"
    parts = [argument for name in ("drums", "bass", "other", "vocals") for argument in ("-i", f"{stems}/{name}.wav")]
    own = [sys.executable, "-m", "tests.bench.by_hand", "--step"]
    whisper = [str(ASR_PYTHON), "tests/bench/recogniser_runs.py", "library", str(home), str(speech)]
    mux = ["-map", "4:v:0", "-map", "[mixed]", "-c:v", "copy", "-c:a", "aac", str(folder / "final.mp4")]
    return {
        "ffmpeg: sound": run([*ffmpeg, "-i", str(clip), "-ar", "44100", "-ac", "2", str(sound)]),
        "ffmpeg: speech": run([*ffmpeg, "-i", str(clip), "-ar", "16000", "-ac", "1", str(speech)]),
        "Demucs": run([sys.executable, "-m", "tests.bench.htdemucs_runs", "stock", str(home), str(sound), str(stems)]),
        "Whisper": run(whisper, stdin=b"\n", env=os.environ | {"PYTHONPATH": str(ROOT)}),
        "pyannote": run([*own, "diarize", str(home), str(speech)]),
        "ffmpeg: mix": run([*ffmpeg, *parts, "-i", str(clip), "-filter_complex", mix, *mux]),
    }


def diarize(home: Path, speech: Path) -> None:
    """Tell speakers apart by pyannote's own pipeline, with the settings of its published one."""
    import torch

    checkpoint = Models(home, "cpu").files(PRESETS[Preset.POCKET].segmentation)["checkpoint"]
    network = pyannote_pipeline.load_segmentation_network(checkpoint)
    from pyannote.audio.core.plda import PLDA
    from pyannote.audio.models.embedding.wespeaker import WeSpeakerResNet34
    from pyannote.audio.pipelines import SpeakerDiarization

    torch.manual_seed(0)
    made_by: Any = SpeakerDiarization
    pipeline = made_by(
        segmentation=network,
        segmentation_step=0.1,
        embedding=cast("Any", WeSpeakerResNet34)().eval(),
        embedding_exclude_overlap=True,
        clustering="AgglomerativeClustering",
        # Only another clustering asks it anything.
        plda=cast("Any", PLDA).__new__(PLDA),
        embedding_batch_size=32,
        segmentation_batch_size=32,
    )
    clustering = {"method": "centroid", "min_cluster_size": 12, "threshold": 0.7}
    pipeline.instantiate({"clustering": clustering, "segmentation": {"min_duration_off": 0.0}})
    wave = torch.from_numpy(audio_io.read(speech).T.copy())
    pipeline({"waveform": wave, "sample_rate": 16_000})


def ours(clip: Path, folder: Path, home: Path) -> Cost:
    """Run the same job as one command."""
    command = [*COMMAND, "run", str(clip), "--out", str(folder / "out"), "--task", "all", "--fresh"]
    return run(command, env=environment(home))


def main() -> None:
    """Measure in turns, and print medians and ratios."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.by_hand", description=__doc__)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--clip", type=Path, default=SAMPLE)
    parser.add_argument("--step", nargs=3, metavar=("NAME", "HOME", "SPEECH"), help="one step by hand, in this process")
    asked = parser.parse_args()
    if asked.step:
        warnings.simplefilter("ignore")
        diarize(Path(asked.step[1]), Path(asked.step[2]))
        return
    with tempfile.TemporaryDirectory(prefix="stemcord-by-hand-") as scratch:
        home = Path(scratch) / "home"
        save_checkpoint(home / "checkpoints")
        measure(asked.clip.resolve(), Path(scratch), home, asked.pairs)


def measure(clip: Path, scratch: Path, home: Path, pairs: int) -> None:
    """Print the table; the first run of each, which converts weights and is not counted, comes before."""
    ways: dict[str, Callable[[Path], dict[str, Cost]]] = {
        "by hand": lambda folder: by_hand(clip, folder, home),
        "ours, cold": lambda folder: {"one command": ours(clip, folder, home)},
    }
    found: dict[str, list[dict[str, Cost]]] = {name: [] for name in (*ways, "ours, warm")}
    for number in range(pairs + 1):
        for name in sorted(ways, reverse=bool(number % 2)):
            with tempfile.TemporaryDirectory(dir=scratch) as folder:
                costs = ways[name](Path(folder))
            if number:
                found[name].append(costs)
    with up(home):
        for number in range(pairs + 1):
            with tempfile.TemporaryDirectory(dir=scratch) as folder:
                cost = ours(clip, Path(folder), home)
            if number:
                found["ours, warm"].append({"one command": cost})
    show(found)


def show(found: dict[str, list[dict[str, Cost]]]) -> None:
    """Print medians of each step, and how many times as long by hand takes."""
    table = Table("way", "step", "s", "processor s", box=None)
    wholes: dict[str, float] = {}
    for name, runs in found.items():
        for step in runs[0]:
            seconds = statistics.median(costs[step].seconds for costs in runs)
            busy = statistics.median(costs[step].processor_s for costs in runs)
            table.add_row(name, step, f"{seconds:.1f}", f"{busy:.1f}" if name != "ours, warm" else "")
        wholes[name] = statistics.median(sum(cost.seconds for cost in costs.values()) for costs in runs)
        table.add_row(name, "whole", f"{wholes[name]:.1f}", "")
    console = Console()
    console.print(table)
    console.print(json.dumps({name: round(wholes["by hand"] / whole, 2) for name, whole in wholes.items()}))


if __name__ == "__main__":
    main()
