"""Small clips made with the real ffmpeg, and the work a stage is given."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

from pipeline.audio import io as audio_io
from pipeline.audio.channels import Layout
from pipeline.catalog import MAX_DURATION, MAX_SIZE
from pipeline.graph.stage import NoParams, ProgressCallback, StageContext
from pipeline.media.contracts import (
    ExtractInputs,
    ExtractOutput,
    ExtractParams,
    MixDownInputs,
    MixDownOutput,
    PrepareSpeechInputs,
    PrepareSpeechOutput,
    ProbeInputs,
    ProbeOutput,
    ProbeParams,
)
from pipeline.media.ffmpeg import executable
from pipeline.media.stages import extract_stage, mix_down_stage, prepare_speech_stage, probe_stage
from pipeline.models.loader import Models

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
    audio_io.write(path, samples, rate)
    return path


def make_tones(path: Path, layout: Layout, *, seconds: float = 0.5, rate: int = 48_000) -> Path:
    """A FLAC with a tone of its own in each channel: 80 Hz in the LFE, else `tone_of` its index."""
    time = np.arange(int(seconds * rate)) / rate
    waves = [0.2 * np.sin(2 * np.pi * tone_of(layout, index) * time) for index in range(len(layout.channels))]
    samples = np.stack(waves, axis=1).astype(np.float32)
    with audio_io.SoundWriter(path, sample_rate=rate, channels=samples.shape[1], layout=layout) as writer:
        writer.write(samples)
    return path


def tone_of(layout: Layout, index: int) -> float:
    """The frequency (Hz) that `make_tones` puts into a channel."""
    return 80.0 if layout.channels[index] == "LFE" else 400.0 + 200.0 * index


def decode(path: Path) -> audio_io.Samples:
    """What is heard of any clip, shape (frames, channels)."""
    ffmpeg("-i", path, "-vn", "-sample_fmt", "s32", path.with_suffix(".decoded.flac"))
    return audio_io.read(path.with_suffix(".decoded.flac"))


def heard_tones(samples: audio_io.Samples, tones: Sequence[float], rate: int = 48_000) -> np.ndarray:
    """Amplitude of each tone (column) in each channel (row), over 0.2 s from the middle."""
    middle = samples[len(samples) // 2 - rate // 10 :][: rate // 5].astype(np.float64)
    phases = np.exp(-2j * np.pi * np.outer(np.arange(len(middle)) / rate, tones))
    return np.asarray(2 * np.abs(middle.T @ phases) / len(middle))


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


def make_context(out: Path, report: ProgressCallback | None = None) -> StageContext:
    """The context of a stage that uses no model; progress must stay between 0 and 1."""

    def check(fraction: float, message: str = "") -> None:
        assert 0.0 <= fraction <= 1.0, message

    out.mkdir(exist_ok=True)
    return StageContext(out=out, report=report or check, models=Models(out.parent / "models"))


def describe(source: Path, out: Path, *, max_size: int = MAX_SIZE, max_duration: float = MAX_DURATION) -> ProbeOutput:
    """Run the probe stage."""
    params = ProbeParams(name=source.name, max_size=max_size, max_duration=max_duration)
    return probe_stage(make_context(out), ProbeInputs(source=source), params)


def extract(source: Path, out: Path) -> ExtractOutput[Path]:
    """Run the extract stage."""
    return extract_stage(make_context(out), ExtractInputs(source=source), ExtractParams())


def mix_down(sound: Path, out: Path) -> MixDownOutput[Path]:
    """Mix down a sound as the basic route does."""
    return mix_down_stage(make_context(out), MixDownInputs(sound=sound), NoParams())


def prepare_speech(sound: Path, out: Path) -> PrepareSpeechOutput[Path]:
    """Run the prepare_speech stage."""
    return prepare_speech_stage(make_context(out), PrepareSpeechInputs(sound=sound), NoParams())
