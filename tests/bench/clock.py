"""Where sounds of a clip land on the clip's own clock, by format: markers, encoders, correlation.

    .venv/bin/python -m tests.bench.clock [--minutes 60] [--only offset.mp4 plain.opus]

A silent clip holds short sweeps at known times. It is encoded in each format, taken through probe,
extract and prepare_speech as in a job, and the sweeps are looked for in what the recogniser would hear. The
clock of a clip is what a player shows: the first picture or the first sample is at 0.
"""

import argparse
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from pipeline.audio import io as audio_io
from pipeline.media.contracts import ProbeInputs, ProbeParams
from pipeline.media.ffmpeg import executable
from pipeline.media.stages import probe_stage
from pipeline.models.loader import Models
from tests.bench.speech_stages import extract, make_context, prepare_speech

RATE = 48_000
HEARD_RATE = 16_000
SWEEP = 0.06
"""Seconds of a marker: from 400 Hz to 4 kHz."""
SEARCH = 1.0
"""Seconds around a marker's place in which it is looked for."""
MAX_DRIFT_S = 0.040
OFFSET = 0.7
"""Seconds by which the sound of the offset clips comes later than the picture."""
PICTURE = ("-f", "lavfi", "-i", "testsrc=size=64x48:rate=5")
JUMPY = ("-vf", "select='not(mod(n,3))+eq(mod(n,7),1)',setpts=PTS+0.4*mod(N\\,2)/TB/10", "-fps_mode", "vfr")

FORMATS: Mapping[str, tuple[str, ...]] = {
    "cbr.mp3": ("-c:a", "libmp3lame", "-b:a", "96k"),
    "vbr.mp3": ("-c:a", "libmp3lame", "-q:a", "6"),
    "no-header.mp3": ("-c:a", "libmp3lame", "-b:a", "96k", "-write_xing", "0"),
    "44k.mp3": ("-c:a", "libmp3lame", "-b:a", "96k", "-ar", "44100"),
    "plain.m4a": ("-c:a", "aac", "-b:a", "96k"),
    "fragments.m4a": (
        "-c:a",
        "aac",
        "-b:a",
        "96k",
        "-movflags",
        "frag_keyframe+empty_moov",
        "-frag_duration",
        "5000000",
    ),
    "plain.opus": ("-c:a", "libopus", "-b:a", "48k"),
    "plain.ogg": ("-c:a", "libvorbis", "-q:a", "2"),
    "plain.flac": ("-c:a", "flac"),
}
"""Name of a sound file and how it is encoded."""
VIDEOS: Mapping[str, tuple[float, tuple[str, ...]]] = {
    "plain.mp4": (0.0, ("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-b:a", "96k")),
    "offset.mp4": (OFFSET, ("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-b:a", "96k")),
    "offset.mkv": (OFFSET, ("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "libopus", "-b:a", "48k")),
    "offset.webm": (
        OFFSET,
        ("-c:v", "libvpx", "-deadline", "realtime", "-b:v", "50k", "-c:a", "libopus", "-b:a", "48k"),
    ),
    "offset.ts": (OFFSET, ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-c:a", "aac", "-b:a", "96k")),
    "jumpy.mp4": (OFFSET, (*JUMPY, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-b:a", "96k")),
}
"""Name of a video file, by how much its sound comes later, and how it is encoded."""


def sweep(rate: int) -> NDArray[np.float32]:
    """The marker, with soft ends."""
    time = np.arange(int(SWEEP * rate)) / rate
    phase = 2 * np.pi * (400 * time + (4000 - 400) / (2 * SWEEP) * time**2)
    return (0.6 * np.sin(phase) * np.hanning(len(time))).astype(np.float32)


def write_markers(path: Path, seconds: float, places: Sequence[float]) -> None:
    """A mono sound of soft noise with a sweep that begins at each of the places, in seconds."""
    marker, generator = sweep(RATE), np.random.default_rng(5)
    with audio_io.SoundWriter(path, sample_rate=RATE, channels=1, subtype="PCM_16") as writer:
        for first in range(0, int(seconds * RATE), 10 * RATE):
            block = (1e-4 * generator.standard_normal(min(10 * RATE, int(seconds * RATE) - first))).astype(np.float32)
            for place in places:
                start = round(place * RATE) - first
                if 0 <= start < len(block):
                    part = marker[: len(block) - start]
                    block[start : start + len(part)] += part
            writer.write(block[:, None])


def spread(seconds: float) -> list[float]:
    """Places of markers over a clip, first and last moments included; none lies across a block of 10 s."""
    return [0.5, 3.25, *(round(part * seconds, 2) + 1.25 for part in (1 / 3, 2 / 3)), seconds - 2.5]


def encode(markers: Path, target: Path, seconds: float) -> float:
    """Make a clip of a format named in `FORMATS` or `VIDEOS`; gives by how much its sound comes later."""
    later, coding = VIDEOS.get(target.name, (0.0, FORMATS.get(target.name, ())))
    shifted = ("-itsoffset", str(later)) if later else ()
    picture = PICTURE if target.name in VIDEOS else ()
    bound = ("-t", str(seconds + later)) if picture else ()
    command = [
        executable(),
        "-nostdin",
        "-v",
        "error",
        "-y",
        *shifted,
        "-i",
        markers,
        *picture,
        *coding,
        *bound,
        target,
    ]
    subprocess.run(list(map(str, command)), check=True, timeout=1200)
    return later


def hear(clip: Path, folder: Path) -> tuple[Path, float]:
    """What the recogniser hears of a clip, and the time on the clip's clock at which it begins."""
    models = Models(folder)
    limits = ProbeParams(name=clip.name, max_duration=24 * 3600.0, max_size=2**40)
    media = probe_stage(make_context(folder, models), ProbeInputs(source=clip), limits).media
    speech = prepare_speech(extract(clip, folder, models), folder, models)
    return speech, media.audio.start


def find_drift(speech: Path, start: float, places: Sequence[float]) -> list[float]:
    """How much later than its place, in seconds, each sweep is heard."""
    marker = sweep(HEARD_RATE)
    drift: list[float] = []
    for place in places:
        first = max(0, round((place - start - SEARCH) * HEARD_RATE))
        samples = audio_io.read(speech, start=first, frames=round(2 * SEARCH * HEARD_RATE))[:, 0]
        match = np.abs(np.correlate(samples, marker, mode="valid"))
        drift.append((first + int(match.argmax())) / HEARD_RATE + start - place)
    return drift


def measure(name: str, markers: Path, seconds: float, folder: Path) -> list[float]:
    """The drift of each marker in a clip of one format."""
    clip = folder / name
    later = encode(markers, clip, seconds)
    speech, start = hear(clip, folder)
    return find_drift(speech, start, [place + later for place in spread(seconds)])


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--only", nargs="+", choices=(*FORMATS, *VIDEOS), default=[*FORMATS, *VIDEOS])
    asked = parser.parse_args()
    seconds, console, worst = asked.minutes * 60, Console(), 0.0
    console.print(f"drift in ms at {', '.join(f'{place:.0f}' for place in spread(seconds))} s", highlight=False)
    with tempfile.TemporaryDirectory(prefix="stemcord-") as scratch:
        folder = Path(scratch)
        write_markers(folder / "markers.wav", seconds, spread(seconds))
        for name in asked.only:
            drift = measure(name, folder / "markers.wav", seconds, folder)
            (folder / name).unlink()
            worst = max(worst, *map(abs, drift))
            console.print(f"{name:<16}{'  '.join(f'{value * 1000:+6.1f}' for value in drift)}", highlight=False)
    console.print(
        f"worst {worst * 1000:.1f} ms, bar {MAX_DRIFT_S * 1000:.0f} ms: {'kept' if worst <= MAX_DRIFT_S else 'MISSED'}"
    )


if __name__ == "__main__":
    main()
