"""The mix: exact gains, loudness by a second meter, time of a re-balance, memory of a long clip.

    .venv/bin/python -m tests.bench.mix [--minutes 5 120]

Makes its own stems. Times are of this machine at this moment.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyloudnorm
import soxr
from numpy.typing import NDArray

from pipeline.audio import io as audio_io
from pipeline.graph.stage import NoParams
from pipeline.mix.contracts import MeasureInputs, MixInputs, MixOutput, MixParams
from pipeline.mix.gains import Track, mix_blocks
from pipeline.mix.loudness_stage import measure_stage
from pipeline.mix.presets import LoudnessTarget
from pipeline.mix.stage import mix_stage
from pipeline.separation.contracts import StemFiles
from tests.bench.spine import decode
from tests.pipeline.clips import make_context

RATE = 44_100
STEMS = ("vocals", "background")
TARGETS = {"streaming": -14.0, "podcast": -16.0, "broadcast": -23.0}


def make_block(seed: int, index: int, kind: int) -> tuple[audio_io.Samples, audio_io.Samples]:
    """Ten seconds of voice (bursts of noise) and background (steady, or with clicks); `kind` sets their levels."""
    generator = np.random.default_rng([seed, index])
    burst = np.repeat(generator.uniform(0, 1, 20) ** 2, RATE // 2)[:, None]
    voice = burst * generator.standard_normal((10 * RATE, 2)) * 0.02 * 1.6 ** (kind % 5)
    background = generator.standard_normal((10 * RATE, 2)) * 0.01 * 1.5 ** (kind % 4)
    background[:: RATE * (1 + kind % 3)] += 0.4 * (kind % 2)
    # Speech and music have little above 5 kHz.
    parts = (np.cumsum(part, axis=0) - np.cumsum(np.roll(part, 8, axis=0), axis=0) for part in (voice, background))
    voice, background = (np.clip(np.rint(part * 2**22) / 2**23, -0.49, 0.49).astype(np.float32) for part in parts)
    return voice, background


def make_clip(folder: Path, seconds: int, kind: int) -> dict[str, Path]:
    """Stems and their sum, as the stage takes them."""
    paths = {name: folder / f"{name}.flac" for name in ("sound", *STEMS)}
    writers = {name: audio_io.SoundWriter(path, sample_rate=RATE, channels=2) for name, path in paths.items()}
    with writers["sound"], writers["vocals"], writers["background"]:
        for index in range(seconds // 10):
            voice, background = make_block(kind, index, kind)
            for name, samples in (("sound", voice + background), ("vocals", voice), ("background", background)):
                writers[name].write(samples)
    return paths | {"source": paths["sound"]}


def remix(folder: Path, files: dict[str, Path], **changes: Any) -> tuple[MixOutput[Path], float]:
    """The output of the mix stage, and the seconds of that stage alone."""
    stems = StemFiles(**{name: files[name] for name in STEMS})
    context = make_context(folder / "measured")
    measured = measure_stage(context, MeasureInputs(original=files["sound"], stems=stems), NoParams()).loudness
    params = {"voice": 1.0, "background": 0.7, "original": measured["original"], "vocals": measured["vocals"]}
    inputs, context = MixInputs(sound=files["sound"], stems=stems), make_context(folder / "out")
    started = time.perf_counter()
    made = mix_stage(context, inputs, MixParams(**params | changes))
    return made, time.perf_counter() - started


def whole(parts: list[Track], clip_info: audio_io.SoundInfo) -> NDArray[np.float64]:
    """A short mix in one piece."""
    return np.concatenate(list(mix_blocks(parts, clip_info))).astype(np.float64)


def decibels(amplitude: float) -> float:
    """Linear as dB, with a floor."""
    return 20 * float(np.log10(amplitude + 1e-12))


def gains(inputs: dict[str, Path]) -> Iterator[tuple[str, str]]:
    """Gain error, null and step."""
    clip_info = audio_io.info(inputs["sound"])
    stems = {name: audio_io.read(inputs[name]).astype(np.float64) for name in STEMS}
    worst = 0.0
    for voice, background in ((1.0, 0.7), (0.5, 1.0), (1.41254, 0.1), (0.0, 0.70795)):
        made = whole(
            [Track(path=inputs["vocals"], gain=voice), Track(path=inputs["background"], gain=background)], clip_info
        )
        table = np.stack([stems[name].ravel() for name in STEMS], axis=1)
        found = np.linalg.lstsq(table, made.ravel())[0]
        worst = max(
            worst, *(abs(decibels(a) - decibels(b)) for a, b in zip(found, (voice, background), strict=True) if b)
        )
    yield "largest error of a gain", f"{worst:.5f} dB"
    unity = whole([Track(path=inputs[name], gain=1.0) for name in STEMS], clip_info)
    residual = unity - audio_io.read(inputs["sound"])
    yield "voice 1.0 + background 1.0 - original", f"{decibels(float(np.sqrt(np.mean(residual**2)))):.1f} dBFS"
    short = inputs["vocals"].with_name("short.flac")
    audio_io.write(short, stems["vocals"][: clip_info.frames // 2].astype(np.float32), RATE)
    cut = whole([Track(path=short, gain=1.0), Track(path=inputs["background"], gain=0.7)], clip_info)[
        clip_info.frames // 2 :
    ]
    after = stems["background"][clip_info.frames // 2 :]
    step = decibels(float(np.sqrt(np.mean(cut**2) / np.mean((0.7 * after) ** 2))))
    yield "step when the voice's stem ends early", f"{step:.5f} dB"


def check_loudness(clips: int) -> None:
    """A table of targets and what a second meter finds in the decoded m4a."""
    print("clip  target        LUFS  second meter       error  true peak (dBTP)")
    for kind in range(clips):
        name = list(TARGETS)[kind % len(TARGETS)]
        with tempfile.TemporaryDirectory() as folder:
            made, _ = remix(Path(folder), make_clip(Path(folder), 30, kind), loudness=LoudnessTarget(name))
            samples = decode(made.mix, RATE, 2)
        found = pyloudnorm.Meter(RATE).integrated_loudness(samples)
        peak = decibels(float(np.abs(soxr.resample(samples, 1, 8, quality="VHQ")).max()))
        print(f"{kind:<5} {name:<10} {TARGETS[name]:>7.1f} {found:>13.2f} {found - TARGETS[name]:>+12.2f} {peak:>8.2f}")
        print(f"      {made.notes}")


def time_and_memory(minutes: int, loudness: str | None) -> None:
    """In a process of its own: seconds of the mix stage and the highest memory of this process."""
    code = f"from tests.bench.mix import run_long; run_long({minutes}, {loudness!r})"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=3600)


def run_long(minutes: int, loudness: str | None) -> None:
    """Mix a long clip and print what it took."""
    with tempfile.TemporaryDirectory() as folder:
        inputs = make_clip(Path(folder), 60 * minutes, 1)
        target = None if loudness is None else LoudnessTarget(loudness)
        _, seconds = remix(Path(folder), inputs, voice=0.5, loudness=target)
    # What getrusage tells is at least what the process had that started this one.
    status = Path("/proc/self/status").read_text()
    memory = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    name = loudness or "gains"
    print(f"{minutes:>4} min, {name}: mix stage {seconds:.2f} s, highest memory {memory:.0f} MiB", flush=True)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, nargs="+", default=[5, 120])
    parser.add_argument("--clips", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, figure in gains(make_clip(Path(folder), 30, 1)):
            print(f"{name:<40}{figure}")
    check_loudness(options.clips)
    for loudness in (None, "podcast"):
        for minutes in options.minutes:
            time_and_memory(minutes, loudness)


if __name__ == "__main__":
    main()
