"""Is the picture untouched, and does the sound stay where it was? One line for each kind of clip.

The sound of each clip is extracted, encoded anew and joined to the picture again. Bars: the same bytes in the
video stream (from an AVI, the same pictures), each shown after the one before, and sound against picture moved by
1 ms at most. Run: `python -m tests.bench.picture`.
"""

import hashlib
import itertools
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from pipeline.audio import io as audio_io
from pipeline.media.mux import container_for, mux
from pipeline.media.probe import probe
from pipeline.media.sound.encoding import encode_aac
from pipeline.media.sound.extract import extract_master
from tests.pipeline.clips import ffmpeg

MAX_SHIFT_MS = 1.0
"""Milliseconds."""
RATE = 48_000
SECONDS = 3.0

H264 = ("-c:v", "libx264", "-g", "10", "-pix_fmt", "yuv420p")
VFR = ("-vf", "setpts=PTS+0.037*mod(N\\,3)/TB", "-fps_mode", "passthrough", "-enc_time_base:v", "1/90000")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A kind of clip: how its tracks are coded and how much later than the other each starts."""

    name: str
    suffix: str
    coding: tuple[str, ...]
    late_sound: float = 0.0
    late_picture: float = 0.0
    cut_at: float | None = None
    """Seconds at which the finished clip is cut without coding it anew, which leaves an edit list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What became of a clip."""

    suffix: str
    same_picture: bool
    in_order: bool
    """Each picture is shown after the one before; asked of an AVI, which does not say when they are shown."""
    same_times: float
    """The most that a picture moved against the first one, ms."""
    moved: float
    """The sound against the picture, ms."""


CASES = (
    Case(name="AAC", suffix="mp4", coding=(*H264, "-c:a", "aac")),
    Case(name="AAC", suffix="mp4", coding=(*H264, "-c:a", "aac"), late_sound=0.31),
    Case(name="AAC", suffix="mp4", coding=(*H264, "-c:a", "aac"), late_sound=0.007),
    Case(name="AAC", suffix="mp4", coding=(*H264, "-c:a", "aac"), late_picture=0.23),
    Case(name="AAC, edit list", suffix="mp4", coding=(*H264, "-c:a", "aac"), cut_at=0.37),
    Case(name="AAC, variable frame rate", suffix="mp4", coding=(*H264, *VFR, "-c:a", "aac")),
    Case(name="AAC 44.1 kHz", suffix="mp4", coding=(*H264, "-ar", "44100", "-c:a", "aac"), late_sound=0.1234),
    Case(name="MPEG-4, MP3", suffix="mp4", coding=("-c:v", "mpeg4", "-c:a", "libmp3lame")),
    Case(name="HEVC, AC-3", suffix="mp4", coding=("-c:v", "libx265", "-x265-params", "log-level=none", "-c:a", "ac3")),
    Case(name="PCM", suffix="mov", coding=(*H264, "-c:a", "pcm_s16le"), late_sound=0.05),
    Case(name="PCM, edit list", suffix="mov", coding=(*H264, "-c:a", "pcm_s16le"), cut_at=0.52),
    Case(name="AAC", suffix="mov", coding=(*H264, "-c:a", "aac"), late_picture=0.1),
    Case(name="ProRes, PCM", suffix="mov", coding=("-c:v", "prores_ks", "-c:a", "pcm_s24le"), late_sound=0.2),
    Case(name="FLAC", suffix="mkv", coding=(*H264, "-c:a", "flac"), late_sound=0.25),
    Case(name="AAC", suffix="mkv", coding=(*H264, "-c:a", "aac"), late_picture=0.15),
    Case(name="Opus, variable frame rate", suffix="mkv", coding=(*H264, *VFR, "-c:a", "libopus"), late_sound=0.1),
    Case(name="MPEG-2, AC-3", suffix="mkv", coding=("-c:v", "mpeg2video", "-r", "25", "-c:a", "ac3")),
    Case(name="VP9, Opus", suffix="webm", coding=("-c:v", "libvpx-vp9", "-c:a", "libopus"), late_sound=0.2),
    Case(name="VP9, Opus", suffix="webm", coding=("-c:v", "libvpx-vp9", "-c:a", "libopus"), late_picture=0.1),
    Case(name="VP8, Vorbis", suffix="webm", coding=("-c:v", "libvpx", "-c:a", "libvorbis"), late_sound=0.12),
    Case(name="VP8, Opus", suffix="webm", coding=("-c:v", "libvpx", "-c:a", "libopus"), late_picture=0.2),
    Case(name="H.264, MP2", suffix="ts", coding=(*H264, "-c:a", "mp2")),
    Case(name="MJPEG, PCM", suffix="mkv", coding=("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-c:a", "pcm_s16le")),
    Case(name="PNG, FLAC", suffix="mkv", coding=("-c:v", "png", "-c:a", "flac"), late_sound=0.2),
    Case(name="GIF, PCM", suffix="mkv", coding=("-c:v", "gif", "-c:a", "pcm_s16le")),
    Case(name="H.263, AAC", suffix="3gp", coding=("-c:v", "h263", "-s", "176x144", "-c:a", "aac")),
    Case(name="H.264 with B-frames, PCM", suffix="avi", coding=(*H264, "-bf", "3", "-c:a", "pcm_s16le")),
    Case(name="MPEG-4 with B-frames, PCM", suffix="avi", coding=("-c:v", "mpeg4", "-bf", "2", "-c:a", "pcm_s16le")),
    Case(name="Xvid, packed B-frames, PCM", suffix="avi", coding=("-c:v", "libxvid", "-bf", "2", "-c:a", "pcm_s16le")),
    Case(name="MPEG-1 with B-frames, MP2", suffix="avi", coding=("-c:v", "mpeg1video", "-bf", "2", "-c:a", "mp2")),
)


def make(case: Case, folder: Path) -> Path:
    """The clip of a case: a test picture, and noise that swells so that no stretch is like another."""
    made, target = folder / "noise.wav", folder / f"clip.{case.suffix}"
    generator = np.random.default_rng(17)
    samples = np.cumsum(generator.standard_normal((int(SECONDS * RATE), 2)), axis=0)
    samples = np.diff(samples - np.mean(samples), axis=0, prepend=0.0)
    swell = 0.05 * (1.2 + np.sin(np.linspace(0, 23, len(samples))))[:, None]
    audio_io.write(made, (samples * swell).astype(np.float32), RATE)
    inputs = ("-itsoffset", str(case.late_picture), "-f", "lavfi", "-i", f"testsrc=s=96x64:r=25:d={SECONDS}")
    inputs += ("-itsoffset", str(case.late_sound), "-i", str(made))
    ffmpeg(*inputs, "-map", "0", "-map", "1", *case.coding, "-b:a", "192k", target)
    if case.cut_at is None:
        return target
    ffmpeg("-ss", str(case.cut_at), "-i", target, "-c", "copy", folder / f"cut.{case.suffix}")
    return folder / f"cut.{case.suffix}"


def rejoin(source: Path, folder: Path) -> Path:
    """The clip with its sound extracted, encoded and joined again."""
    clip = probe(source)
    extract_master(source, clip, folder / "master.flac")
    encode_aac(folder / "master.flac", folder / "final.m4a", duration=clip.media.duration)
    target = folder / f"final.{container_for(clip)}"
    mux(source, clip, folder / "final.m4a", target)
    return target


def compare(source: Path, final: Path) -> Found:
    """What was changed between two clips."""
    before, after = shown(source), shown(final)
    drift = [abs((b - after[0]) - (a - before[0])) for a, b in zip(before, after, strict=True)]
    moved = delay(heard(source), heard(final)) - (after[0] - before[0])
    in_order = True
    if source.suffix == ".avi":
        times, pictures = decoded(final)
        same = decoded(source)[1] == pictures
        in_order = len(times) == len(after) and all(b > a for a, b in itertools.pairwise(times))
    else:
        same = digest(source, units=source.suffix == ".ts") == digest(final, units=source.suffix == ".ts")
    return Found(
        suffix=final.suffix.removeprefix("."),
        same_picture=same,
        in_order=in_order,
        same_times=1000 * max(drift),
        moved=1000 * moved,
    )


def shown(path: Path) -> list[float]:
    """When each picture is shown, in order; an AVI only tells when it is decoded."""
    with av.open(str(path)) as container:
        packets = list(container.demux(container.streams.video[0]))
    kept = [one for one in packets if one.size and not one.is_discard]
    return sorted(float(((one.dts if path.suffix == ".avi" else one.pts) or 0) * one.time_base) for one in kept)


def decoded(path: Path) -> tuple[list[float], list[bytes]]:
    """The times and the digests of all pictures, in the order in which they are shown."""
    times, digests = list[float](), list[bytes]()
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            times.append(frame.time or 0.0)
            digests.append(hashlib.sha256(b"".join(bytes(plane) for plane in frame.planes)).digest())
    return times, digests


def digest(path: Path, *, units: bool = False) -> str:
    """One digest of the whole video stream, of pictures too that an edit list hides.

    `units`: of the H.264 NAL units alone, which a ts parts by start codes and an mp4 by their lengths.
    """
    with av.open(str(path), options={"ignore_editlist": "1"}) as container:
        stream = container.streams.video[0]
        data = [bytes(packet) for packet in container.demux(stream) if packet.size]
    if units:
        data = [unit for packet in data for unit in split_units(packet, coded_lengths=path.suffix != ".ts")]
    return hashlib.sha256(b"".join(data)).hexdigest()


def split_units(packet: bytes, *, coded_lengths: bool) -> list[bytes]:
    """The NAL units of one packet (ISO/IEC 14496-10 Annex B, 14496-15)."""
    if not coded_lengths:
        return [unit.rstrip(b"\0") for unit in packet.split(b"\0\0\1") if unit.rstrip(b"\0")]
    units, place = list[bytes](), 0
    while place < len(packet):
        length = int.from_bytes(packet[place : place + 4])
        units.append(packet[place + 4 : place + 4 + length].rstrip(b"\0"))
        place += 4 + length
    return units


def heard(path: Path) -> tuple[float, int, np.ndarray]:
    """When the first sample is heard, the rate, and the first channel."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="fltp")
        start: float | None = None
        rate = 0
        blocks = list[np.ndarray]()
        for frame in container.decode(audio=0):
            start = frame.time if start is None else start
            blocks += [part.to_ndarray()[0] for part in resampler.resample(frame)]
            rate = frame.sample_rate
    assert start is not None
    return start, rate, np.concatenate(blocks)


def delay(before: tuple[float, int, np.ndarray], after: tuple[float, int, np.ndarray]) -> float:
    """Seconds by which the same sound is heard later, to a part of a sample."""
    rate = before[1]
    assert rate == after[1]
    a, b = before[2], after[2]
    size = 1 << (len(a) + len(b)).bit_length()
    product = np.fft.rfft(b, size) * np.conj(np.fft.rfft(a, size))
    correlation = np.fft.irfft(product, size)
    best = int(np.argmax(correlation))
    left, middle, right = (correlation[(best + step) % size] for step in (-1, 0, 1))
    exact = best + 0.5 * (left - right) / (left - 2 * middle + right)
    lag = exact - size if exact > size / 2 else exact
    return after[0] - before[0] + lag / rate


def measure(case: Case) -> Found:
    """Make, join and compare."""
    with tempfile.TemporaryDirectory(prefix="picture-") as folder:
        source = make(case, Path(folder))
        known = source.read_bytes()
        found = compare(source, rejoin(source, Path(folder)))
        assert source.read_bytes() == known
        return found


def main(tell: Callable[[str], object] = print) -> int:
    """Print the table; exit code 1 when a bar is missed."""
    tell("| clip | kind | sound, picture late, s | video | picture's bytes | pictures moved, ms | sound moved, ms |")
    tell("|---|---|---|---|---|---:|---:|")
    missed = 0
    for case in CASES:
        found = measure(case)
        good = found.same_picture and found.in_order and abs(found.moved) <= MAX_SHIFT_MS
        missed += not good
        same = "same" if found.same_picture else "CHANGED"
        same += "" if found.in_order else ", OUT OF ORDER"
        late = f"{case.late_sound:g}, {case.late_picture:g}"
        row = (case.suffix, case.name, late, found.suffix, same, f"{found.same_times:.3f}", f"{found.moved:+.3f}")
        tell("| " + " | ".join(row) + (" |" if good else " | MISSED"))
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
