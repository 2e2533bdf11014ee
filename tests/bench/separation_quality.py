"""Separation by each pocket engine, against the clean speech: SI-SDR, reconstruction, cost.

    .venv/bin/python -m tests.bench.separation_quality [--music FILE …]

Without arguments the sample clip is measured; each FILE is put under the sample's speech
at 3 and 0 dB below it, twenty seconds of each. Figures are for all channels together.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from pipeline import sound
from pipeline.catalog import MODELS
from pipeline.media import extract_master, probe
from pipeline.models import Models
from pipeline.separation.stage import separate_stage
from pipeline.sound import Samples
from pipeline.stages import Work
from tests.pipeline.separation.measure import DATA, si_sdr, steps

POCKET = ("deepfilternet3", "spleeter-2stems")
RATE = 44_100
BELOW = (3, 0)
"""dB that the music lies below the speech."""
EXCERPT = 20


def quiet(fraction: float, message: str = "") -> None:
    """Progress that nobody reads."""


def speech() -> Samples:
    """The sample's clean speech in stereo, shape (frames, 2)."""
    path = DATA / "sample.speech.flac"
    mono = sound.resample(sound.read(path), sound.info(path).sample_rate, RATE)
    return np.repeat(mono, 2, axis=1)


def cases(folder: Path, music: list[Path]) -> Iterator[tuple[str, Path, Samples]]:
    """Name, mixture and reference of each case."""
    clean = speech()
    if not music:
        path, clip = folder / "sample.flac", DATA / "sample.mp4"
        extract_master(clip, probe(clip), path)
        yield "sample", path, clean
    excerpt = clean[5 * RATE :][: EXCERPT * RATE]
    for file in music:
        rate = sound.info(file).sample_rate
        start = min(20 * rate, sound.info(file).frames // 4)
        under = sound.resample(sound.read(file, start=start, frames=EXCERPT * rate), rate, RATE)
        under = np.broadcast_to(under, (len(under), 2))[: len(excerpt)]
        voice = excerpt[: len(under)]
        for below in BELOW:
            gain = np.sqrt(np.mean(voice**2) / np.mean(under**2)) * 10 ** (-below / 20)
            mixture = np.asarray(voice + gain * under, np.float32)
            path = folder / f"{file.stem} {below}.flac"
            scale = np.float32(0.5)
            sound.write(path, mixture * scale, RATE)
            yield f"{file.stem}, {below} dB below", path, voice * scale


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--music", type=Path, nargs="*", default=[])
    music: list[Path] = parser.parse_args().music
    table = Table("clip", "model", "mix dB", "vocals dB", "gain dB", "background dB", "rest dBFS", "seconds", "RTF")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = Models(folder / "home")
        for clip, path, clean in cases(folder, music):
            for model in POCKET:
                table.add_row(clip, model, *measure(models, model, path, clean))
    Console().print(table)


def measure(models: Models, model: str, path: Path, clean: Samples) -> list[str]:
    """One row of figures; the model is loaded before the clock starts."""
    params = {"engine": MODELS[model].engine, "model": model}
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        models.files(model)
        begun = time.perf_counter()
        separate_stage(Work(inputs={"sound": path}, params=params, out=out, report=quiet, models=models))
        seconds = time.perf_counter() - begun
        whole, vocals, background = steps(path), steps(out / "vocals.flac"), steps(out / "background.flac")
    frames = min(len(whole), len(clean))
    mixed = si_sdr(whole[:frames], clean[:frames])
    voice = si_sdr(vocals[:frames], clean[:frames])
    rest = si_sdr(background[:frames], whole[:frames] / 2**23 - clean[:frames])
    left = np.abs(vocals + background - whole).max() / 2**23
    error = "none" if left == 0 else f"{20 * np.log10(left):.0f}"
    figures = (f"{value:.2f}" for value in (mixed, voice, voice - mixed, rest))
    return [*figures, error, f"{seconds:.1f}", f"{seconds / (len(whole) / sound.info(path).sample_rate):.3f}"]


if __name__ == "__main__":
    main()
