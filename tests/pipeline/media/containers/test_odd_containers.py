"""Odd containers made by recipe are read as they were made: length, clock, tracks and picture."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.audio import io as audio_io
from pipeline.media import clip_tools
from pipeline.media.probe import probe
from pipeline.media.sound.extract import extract_master
from pipeline.media.sound.mono import write_mono
from tests.pipeline.clips import ffmpeg

RECIPES_TRIED = int(os.environ.get("STEMCORD_TEST_RECIPES", "25"))
"""Beside one of each kind; `make fuzz` tries 220."""
SECONDS = 4.0
CLICKS = (0.5, 1.5, 2.5, 3.5)
CLICK_S = 0.01
RATE = 48_000
GAP = (2.0, 3.0)
"""Seconds of a sound whose packets are left out."""
SHORT_LENGTH_S = 1.5
"""Seconds that a header declares instead."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A container with what it may hold."""

    suffix: str
    sound: str
    picture: str | None
    several: bool = True
    """Whether a second sound track fits in."""
    priming: float = 0.0
    """Seconds that the encoder put in front of the sound and that the container does not say to skip."""


KINDS = (
    Kind("mkv", "aac", "h264"),
    Kind("mkv", "flac", "h264"),
    Kind("mkv", "opus", None),
    Kind("webm", "opus", "vp8"),
    Kind("mp4", "aac", "h264"),
    Kind("m4a", "aac", None),
    Kind("mov", "pcm", "h264"),
    Kind("ts", "aac", "h264", priming=1024 / RATE),
    Kind("ts", "ac3", "h264", priming=256 / RATE),
    Kind("flv", "aac", "h264", several=False, priming=1024 / RATE),
)
SOUND_CODINGS: Mapping[str, tuple[str, ...]] = {
    "aac": ("-c:a", "aac", "a.mka"),
    "flac": ("-c:a", "flac", "a.mka"),
    "opus": ("-c:a", "libopus", "a.mka"),
    "pcm": ("-c:a", "pcm_s16le", "a.mov"),
    "ac3": ("-c:a", "ac3", "a.mka"),
}
PICTURE_CODINGS: Mapping[str, tuple[str, ...]] = {
    "h264": ("-c:v", "libx264", "-g", "10", "-pix_fmt", "yuv420p", "v.mp4"),
    "vp8": ("-c:v", "libvpx", "-g", "10", "v.webm"),
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a container is odd; times are seconds."""

    kind: Kind
    start: float
    """First time stamp."""
    late: float
    """By how much the sound begins after the picture; less than 0: before it."""
    gap: bool
    short_header: bool
    silent_first: bool
    inverted: bool
    sound_first: bool
    """In the order of tracks."""

    @property
    def has_gap(self) -> bool:
        """Whether packets are left out; in a mov, PCM is samples by number, and a gap cannot be told."""
        return self.gap and self.kind.suffix != "mov"

    @property
    def priming(self) -> float:
        """Seconds in front of the encoded sound; the writer of an mp4 has them skipped only where it begins at 0."""
        late_mp4 = self.kind.suffix in ("mp4", "m4a") and self.start + max(0.0, self.late) > 0
        return 1024 / RATE if late_mp4 else self.kind.priming

    @property
    def content_begins(self) -> float:
        """When the sound that was encoded begins on the clip's clock."""
        if self.kind.picture is None:
            return self.priming
        return max(0.0, self.late) - min(max(0.0, self.late) - self.priming, max(0.0, -self.late))

    @property
    def seconds(self) -> float:
        """Length of the clip."""
        return SECONDS + max(self.content_begins, self.content_begins - self.late if self.kind.picture else 0.0)


RECIPES = st.builds(
    Recipe,
    kind=st.sampled_from(KINDS),
    start=st.sampled_from((0.0, 3.2, 68.7)),
    late=st.sampled_from((0.0, 1.5, -0.7)),
    gap=st.booleans(),
    short_header=st.booleans(),
    silent_first=st.booleans(),
    inverted=st.booleans(),
    sound_first=st.booleans(),
)


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files with one track each: clicks, the same with the right channel inverted, silence, a test picture."""
    folder = tmp_path_factory.mktemp("streams")
    noise = np.random.default_rng(3).uniform(-0.4, 0.4, int(CLICK_S * RATE)).astype(np.float32)
    mono = np.zeros(int(SECONDS * RATE), np.float32)
    for at in CLICKS:
        mono[int(at * RATE) :][: len(noise)] = noise
    for name, right in (("plain", mono), ("inverted", -mono), ("silent", 0 * mono)):
        left = 0 * mono if name == "silent" else mono
        audio_io.write(folder / f"{name}.wav", np.stack((left, right), axis=1), RATE)
    for (codec, coding), name in product(SOUND_CODINGS.items(), ("plain", "inverted", "silent")):
        ffmpeg("-i", folder / f"{name}.wav", *coding[:-1], folder / f"{codec} {name} {coding[-1]}")
    for codec, coding in PICTURE_CODINGS.items():
        picture = f"testsrc=size=64x48:rate=10:duration={SECONDS}"
        ffmpeg("-f", "lavfi", "-i", picture, *coding[:-1], folder / f"{codec} {coding[-1]}")
    return folder


def one_of_each_kind(test: Any) -> Any:
    """Begin with each kind of container, odd in all ways that it can be, whatever chance gives beside."""
    odd = {"gap": True, "short_header": True, "silent_first": True, "inverted": True, "sound_first": True}
    for kind in KINDS:
        test = example(recipe=Recipe(kind=kind, start=3.2, late=1.5, **odd))(test)
    return test


@one_of_each_kind
@given(recipe=RECIPES)
@settings(
    max_examples=RECIPES_TRIED,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_odd_container_is_read_as_it_was_made(recipe: Recipe, streams: Path, tmp_path: Path) -> None:
    path = make(recipe, streams, tmp_path)
    clip = probe(path)
    assert clip.media.duration == pytest.approx(recipe.seconds, abs=0.1)
    assert clip.media.track == (2 if recipe.silent_first and recipe.kind.several else 1)
    assert (clip.media.video is not None) == (recipe.kind.picture is not None)
    extracted = extract_master(path, clip, tmp_path / "master.flac")
    where = [at + recipe.content_begins for at in CLICKS if not (recipe.has_gap and GAP[0] < at < GAP[1])]
    assert clicks(tmp_path / "master.flac") == pytest.approx(where, abs=0.02)
    told = [note for note in extracted.notes if re.match(r"(1\.0|0\.9) s of the sound at", note)]
    assert bool(told) == recipe.has_gap
    assert any("begins" in note for note in extracted.notes) == (recipe.content_begins > 0.1)
    clip_tools.extract_sound(path, clip, tmp_path / "part.wav", start=1.0, end=recipe.seconds)
    assert clicks(tmp_path / "part.wav") == pytest.approx([at - 1.0 for at in where if at > 1.0], abs=0.02)
    heard = write_mono(tmp_path / "master.flac", tmp_path / "heard.wav", (0.5, 0.5), RATE, ignore)
    assert heard.inverted == recipe.inverted
    assert clicks(tmp_path / "heard.wav") == pytest.approx(where, abs=0.02)


def ignore(fraction: float, message: str = "") -> None:
    """Take no notice of progress."""


def clicks(sound: Path) -> list[float]:
    """When clicks begin, seconds."""
    loud = np.abs(audio_io.read(sound)).max(axis=1) > 0.12
    at = np.flatnonzero(loud) / audio_io.info(sound).sample_rate
    return [float(time) for index, time in enumerate(at) if not index or time - at[index - 1] > 0.2]


def make(recipe: Recipe, streams: Path, folder: Path) -> Path:
    """Write the container."""
    path = folder / f"clip.{recipe.kind.suffix}"
    sounds = ["inverted" if recipe.inverted else "plain"]
    if recipe.silent_first and recipe.kind.several:
        sounds.insert(0, "silent")
    codec = recipe.kind.sound
    files = [streams / f"{codec} {name} {SOUND_CODINGS[codec][-1]}" for name in sounds]
    # A time stamp of flv is never less than 0.
    begin = recipe.start + (1.0 if recipe.kind.suffix == "flv" else 0.0)
    shifts = [begin + max(0.0, recipe.late)] * len(files)
    if recipe.kind.picture:
        at = len(files) if recipe.sound_first else 0
        files.insert(at, streams / f"{recipe.kind.picture} {PICTURE_CODINGS[recipe.kind.picture][-1]}")
        shifts.insert(at, begin + max(0.0, -recipe.late))
    inputs = [av.open(str(file)) for file in files]
    options = {"avoid_negative_ts": "disabled"}
    with av.open(str(path), "w", options=options) as output:
        tracks = [list(packets(output, opened, shift, recipe)) for opened, shift in zip(inputs, shifts, strict=True)]
        for packet in sorted((packet for track in tracks for packet in track), key=decoding_time):
            output.mux(packet)
    for opened in inputs:
        opened.close()
    if recipe.short_header and recipe.kind.suffix in ("mkv", "webm"):
        declare_length(path, SHORT_LENGTH_S)
    return path


def packets(output: OutputContainer, source: InputContainer, shift: float, recipe: Recipe) -> Iterator[Packet]:
    """The packets of a file's one track, moved in time, without those of the gap."""
    track = source.streams[0]
    copy = output.add_stream_from_template(track)
    for packet in source.demux(track):
        if packet.dts is None or packet.pts is None or packet.time_base is None:
            continue
        if recipe.has_gap and track.type == "audio" and GAP[0] <= float(packet.pts * packet.time_base) < GAP[1]:
            continue
        moved = round(shift / packet.time_base)
        packet.pts, packet.dts = packet.pts + moved, packet.dts + moved
        packet.stream = copy
        yield packet


def decoding_time(packet: Packet) -> float:
    """When a packet is decoded, seconds."""
    assert packet.dts is not None
    assert packet.time_base is not None
    return float(packet.dts * packet.time_base)


def declare_length(path: Path, seconds: float) -> None:
    """Write another length into the header of a Matroska file."""
    data = bytearray(path.read_bytes())
    found = re.search(rb"\x44\x89\x88", data)
    assert found is not None
    data[found.end() : found.end() + 8] = np.array([seconds * 1000], ">f8").tobytes()
    path.write_bytes(data)
