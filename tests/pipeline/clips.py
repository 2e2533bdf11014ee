"""Small clips made with the real ffmpeg, and the work a stage is given."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import av
import numpy as np

from pipeline import sound
from pipeline.media.ffmpeg import executable
from pipeline.models import Models
from pipeline.stages import Work
from pipeline.types import JsonValue

PICTURE = ("-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration={seconds}")
SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate={rate}:duration={seconds}")


def ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg; fails the test when ffmpeg fails."""
    command = [str(executable()), "-nostdin", "-loglevel", "error", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, timeout=60)


def make_clip(path: Path, *coding: str, seconds: float = 0.6, rate: int = 48_000, picture: bool = True) -> Path:
    """A clip with a 440 Hz tone and, if asked, a test picture."""
    inputs = (*(PICTURE if picture else ()), *SOUND)
    ffmpeg(*(part.format(seconds=seconds, rate=rate) for part in inputs), *coding, path)
    return path


def make_click(path: Path, *, at: float, seconds: float = 1.0, rate: int = 48_000) -> Path:
    """A silent mono sound with one loud sample-long noise burst of 10 ms at `at` seconds."""
    samples = np.zeros((int(seconds * rate), 1), np.float32)
    start = int(at * rate)
    samples[start : start + rate // 100] = np.random.default_rng(3).uniform(-0.8, 0.8, (rate // 100, 1))
    sound.write(path, samples, rate)
    return path


def packets(path: Path) -> list[tuple[bytes, float]]:
    """Bytes and presentation time of every video packet."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [
            (bytes(packet), float((packet.pts or 0) * packet.time_base))
            for packet in container.demux(stream)
            if packet.size
        ]


def heard_at(path: Path, *, above: float = 0.2) -> float:
    """Seconds on the container's clock at which the sound first goes above a level."""
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            samples = np.abs(frame.to_ndarray().astype(np.float64)).max(axis=0)
            loud = np.flatnonzero(samples > above)
            if len(loud):
                return float(frame.time + loud[0] / frame.sample_rate)
    raise AssertionError("the sound is silent")


def make_work(out: Path, inputs: Mapping[str, Path], params: Mapping[str, JsonValue] | None = None) -> Work:
    """Work for a stage that uses no model; progress must stay between 0 and 1."""

    def report(fraction: float, message: str = "") -> None:
        assert 0.0 <= fraction <= 1.0, message

    out.mkdir(exist_ok=True)
    return Work(inputs=inputs, params=params or {}, out=out, report=report, models=Models(out.parent / "models"))
