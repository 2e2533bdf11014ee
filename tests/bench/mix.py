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

import numpy as np
import pyloudnorm
import soxr
from numpy.typing import NDArray

from pipeline.audio import io as sound
from pipeline.graph.stage import StageMetadata
from pipeline.mix.gains import Part, mixed
from pipeline.mix.loudness_stage import measure_stage
from pipeline.mix.stage import mix_stage
from pipeline.types import JsonValue
from tests.bench.spine import decode
from tests.pipeline.clips import make_work

RATE = 44_100
STEMS = ("vocals", "background")
TARGETS = {"streaming": -14.0, "podcast": -16.0, "broadcast": -23.0}


def make_block(seed: int, index: int, kind: int) -> tuple[sound.Samples, sound.Samples]:
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
    writers = {name: sound.SoundWriter(path, sample_rate=RATE, channels=2) for name, path in paths.items()}
    with writers["sound"], writers["vocals"], writers["background"]:
        for index in range(seconds // 10):
            voice, background = make_block(kind, index, kind)
            for name, samples in (("sound", voice + background), ("vocals", voice), ("background", background)):
                writers[name].write(samples)
    return paths | {"source": paths["sound"]}


def remix(folder: Path, inputs: dict[str, Path], **changes: JsonValue) -> tuple[StageMetadata, Path, float]:
    """Facts, the file and the seconds of the mix stage alone."""
    heard = {"original": inputs["sound"]} | {name: inputs[name] for name in STEMS}
    measured = measure_stage(make_work(folder / "measured", heard))["loudness"]
    assert isinstance(measured, dict)
    params: dict[str, JsonValue] = {"voice": 1.0, "background": 0.7, "dub": False, "audio_start": 0.0}
    params |= {"original": measured["original"], "vocals": measured["vocals"]}
    started = time.perf_counter()
    facts = mix_stage(make_work(folder / "out", inputs, params | changes))
    return facts, folder / "out" / "final.m4a", time.perf_counter() - started


def whole(parts: list[Part], like: sound.SoundInfo) -> NDArray[np.float64]:
    """A short mix in one piece."""
    return np.concatenate(list(mixed(parts, like))).astype(np.float64)


def decibels(amplitude: float) -> float:
    """Linear as dB, with a floor."""
    return 20 * float(np.log10(amplitude + 1e-12))


def gains(inputs: dict[str, Path]) -> Iterator[tuple[str, str]]:
    """Gain error, null and step."""
    like = sound.info(inputs["sound"])
    stems = {name: sound.read(inputs[name]).astype(np.float64) for name in STEMS}
    worst = 0.0
    for voice, background in ((1.0, 0.7), (0.5, 1.0), (1.41254, 0.1), (0.0, 0.70795)):
        made = whole([Part(path=inputs["vocals"], gain=voice), Part(path=inputs["background"], gain=background)], like)
        table = np.stack([stems[name].ravel() for name in STEMS], axis=1)
        found = np.linalg.lstsq(table, made.ravel())[0]
        worst = max(
            worst, *(abs(decibels(a) - decibels(b)) for a, b in zip(found, (voice, background), strict=True) if b)
        )
    yield "largest error of a gain", f"{worst:.5f} dB"
    unity = whole([Part(path=inputs[name], gain=1.0) for name in STEMS], like)
    residual = unity - sound.read(inputs["sound"])
    yield "voice 1.0 + background 1.0 - original", f"{decibels(float(np.sqrt(np.mean(residual**2)))):.1f} dBFS"
    short = inputs["vocals"].with_name("short.flac")
    sound.write(short, stems["vocals"][: like.frames // 2].astype(np.float32), RATE)
    cut = whole([Part(path=short, gain=1.0), Part(path=inputs["background"], gain=0.7)], like)[like.frames // 2 :]
    after = stems["background"][like.frames // 2 :]
    step = decibels(float(np.sqrt(np.mean(cut**2) / np.mean((0.7 * after) ** 2))))
    yield "step when the voice's stem ends early", f"{step:.5f} dB"


def check_loudness(clips: int) -> None:
    """A table of targets and what a second meter finds in the decoded m4a."""
    print("clip  target        LUFS  second meter       error  true peak (dBTP)")
    for kind in range(clips):
        name = list(TARGETS)[kind % len(TARGETS)]
        with tempfile.TemporaryDirectory() as folder:
            facts, final, _ = remix(Path(folder), make_clip(Path(folder), 30, kind), loudness=name)
            samples = decode(final, RATE, 2)
        found = pyloudnorm.Meter(RATE).integrated_loudness(samples)
        peak = decibels(float(np.abs(soxr.resample(samples, 1, 8, quality="VHQ")).max()))
        print(f"{kind:<5} {name:<10} {TARGETS[name]:>7.1f} {found:>13.2f} {found - TARGETS[name]:>+12.2f} {peak:>8.2f}")
        print(f"      {facts['notes']}")


def time_and_memory(minutes: int, loudness: str | None) -> None:
    """In a process of its own: seconds of the mix stage and the highest memory of this process."""
    code = f"from tests.bench.mix import run_long; run_long({minutes}, {loudness!r})"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=3600)


def run_long(minutes: int, loudness: str | None) -> None:
    """Mix a long clip and print what it took."""
    with tempfile.TemporaryDirectory() as folder:
        inputs = make_clip(Path(folder), 60 * minutes, 1)
        _, _, seconds = remix(Path(folder), inputs, voice=0.5, loudness=loudness)
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
