"""A stretch, the sound or one picture of a clip: exact, whole or not at all, the clip untouched."""

from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.clip_options import parse_time
from pipeline.errors import LimitError, MediaError, ValidationError
from pipeline.media.clip_tools import cut, extract_sound, open_clip, take_frame
from pipeline.media.probe import probe
from tests.bench.picture import delay, heard
from tests.pipeline.clips import decode, extract, ffmpeg, heard_at, make_click, make_clip

RATE = 48_000
H264 = ("-c:v", "libx264", "-g", "20", "-pix_fmt", "yuv420p")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Three seconds of a picture that changes, with noise."""
    samples = (0.1 * np.random.default_rng(8).standard_normal((3 * RATE, 2))).astype(np.float32)
    audio_io.write(tmp_path / "noise.wav", samples, RATE)
    source = ("-f", "lavfi", "-i", "testsrc=s=64x48:r=20:d=3", "-i", tmp_path / "noise.wav")
    ffmpeg(*source, *H264, "-c:a", "flac", "-strict", "-2", tmp_path / "clip.mp4")
    return tmp_path / "clip.mp4"


def frames(path: Path) -> list[tuple[float, bytes]]:
    with av.open(str(path)) as container:
        return [(float(frame.time or 0), frame.to_ndarray().tobytes()) for frame in container.decode(video=0)]


@pytest.mark.parametrize(
    ("text", "seconds"), [("12.5", 12.5), ("0:12.5", 12.5), ("1:03", 63.0), ("1:02:03.5", 3723.5), ("0", 0.0)]
)
def test_times_are_read(text: str, seconds: float) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "x", "1:2:3:4", "nan", "1e5", "1:", "٣"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="is no time"):
        parse_time(text)


def test_a_cut_is_exact_and_its_pictures_are_the_clips_own(tmp_path: Path, clip: Path) -> None:
    known = clip.read_bytes()
    cut(clip, probe(clip), tmp_path / "part.mp4", start=1.35, end=2.6)
    assert clip.read_bytes() == known
    before, after = dict(frames(clip)), frames(tmp_path / "part.mp4")
    assert [time for time, _ in after[:25]] == pytest.approx([index / 20 for index in range(25)], abs=1e-4)
    assert len(after) <= 27  # of pictures that are stored out of order, two follow
    for time, data in after:
        assert before[round(20 * (time + 1.35)) / 20] == data
    assert delay(heard(clip), heard(tmp_path / "part.mp4")) == pytest.approx(-1.35, abs=0.0002)
    assert probe(tmp_path / "part.mp4").media.duration == pytest.approx(1.25, abs=0.26)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "noise.wav", "part.mp4"]


def test_a_cut_of_the_sound_is_exact_to_the_sample(tmp_path: Path, clip: Path) -> None:
    cut(clip, probe(clip), tmp_path / "part.wav", start=1.0, end=1.5)
    whole = decode(clip)
    assert np.array_equal(audio_io.read(tmp_path / "part.wav"), whole[RATE : RATE * 3 // 2])


def test_the_sound_as_mp3(tmp_path: Path, clip: Path) -> None:
    extract_sound(clip, probe(clip), tmp_path / "a.MP3")
    with av.open(str(tmp_path / "a.MP3")) as container:
        assert container.format.name == "mp3"
    assert len(decode(tmp_path / "a.MP3")) == 3 * RATE
    before, after = heard(clip), heard(tmp_path / "a.MP3")
    assert delay(before, (before[0], *after[1:])) == pytest.approx(0.0, abs=0.0002)


@pytest.mark.parametrize("at", [0.0, 1.35, 1.37, 2.95])
def test_a_picture_is_the_one_that_is_shown(tmp_path: Path, clip: Path, at: float) -> None:
    take_frame(clip, probe(clip), tmp_path / "a.png", at=at)
    with av.open(str(clip)) as container:
        shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)][int(at * 20 + 1e-6)]
    with av.open(str(tmp_path / "a.png")) as container:
        found = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert np.abs(found.astype(int) - shown.astype(int)).mean() < 2


@pytest.mark.parametrize("suffix", ["ts", "flv"])
def test_pictures_far_from_a_key_frame_are_found(tmp_path: Path, suffix: str) -> None:
    picture = ("-f", "lavfi", "-i", "testsrc=size=64x48:rate=20:duration=8")
    coding = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "120", "-bf", "2", "-c:a", "aac")
    path = tmp_path / f"a.{suffix}"
    ffmpeg(*picture, "-f", "lavfi", "-i", "sine=duration=8", *coding, path)
    with av.open(str(path)) as container:
        shown = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    for at in (0.06, 3.06, 7.06):
        take_frame(path, probe(path), tmp_path / "a.png", at=at)
        with av.open(str(tmp_path / "a.png")) as container:
            found = next(container.decode(video=0)).to_ndarray(format="rgb24")
        nearest = min(range(len(shown)), key=lambda index: np.abs(found - shown[index]).mean())
        assert nearest / 20 == pytest.approx(at, abs=0.08)
    cut(path, probe(path), tmp_path / "part.mp4", start=3.0, end=5.0)
    with av.open(str(tmp_path / "part.mp4")) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times[0] == pytest.approx(0.0, abs=0.05)
    assert len(times) >= 40


def test_a_cut_tells_what_is_missing_of_the_sound(tmp_path: Path, clip: Path) -> None:
    path = tmp_path / "gap.mkv"
    with av.open(str(clip)) as source, av.open(str(path), "w") as made:
        copies = {stream.index: made.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            time = None if packet.dts is None else float((packet.pts or 0) * (packet.time_base or 0))
            if time is not None and not (packet.stream.type == "audio" and 1.0 <= time < 1.5):
                packet.stream = copies[packet.stream.index]
                made.mux(packet)
    notes = cut(path, probe(path), tmp_path / "part.mp4", start=0.5, end=2.0)
    assert [note for note in notes if "0.5 s of the sound at 0:0" in note]


def test_a_picture_is_turned_as_it_is_played(tmp_path: Path, clip: Path) -> None:
    ffmpeg("-display_rotation", "90", "-i", clip, "-c", "copy", "-strict", "-2", tmp_path / "turned.mp4")
    take_frame(tmp_path / "turned.mp4", probe(tmp_path / "turned.mp4"), tmp_path / "a.png", at=1.0)
    with av.open(str(tmp_path / "a.png")) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (48, 64)


def test_what_cannot_be_made_is_said(tmp_path: Path, clip: Path) -> None:
    opened = probe(clip)
    for start, end in ((2.0, 1.0), (5.0, None), (1.0, 1.0)):
        with pytest.raises(ValidationError, match="empty"):
            cut(clip, opened, tmp_path / "a.mp4", start=start, end=end)
    with pytest.raises(ValidationError, match="cannot be written as"):
        extract_sound(clip, opened, tmp_path / "a.exe")
    with pytest.raises(ValidationError, match="itself would be replaced"):
        cut(clip, opened, clip, start=1.0, end=2.0)
    with pytest.raises(ValidationError, match="ends before"):
        take_frame(clip, opened, tmp_path / "a.png", at=9.0)
    with pytest.raises(ValidationError, match="folder that exists"):
        extract_sound(clip, opened, tmp_path / "no" / "a.mp3")
    webm = make_clip(tmp_path / "a.webm", "-c:v", "libvpx", "-c:a", "libopus")
    with pytest.raises(MediaError, match="mp4 cannot hold"):
        cut(webm, probe(webm), tmp_path / "a.mp4", start=0.1, end=0.3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.webm", "clip.mp4", "noise.wav"]


def test_limits_hold_here_too(tmp_path: Path, clip: Path) -> None:
    with pytest.raises(LimitError):
        open_clip(clip, max_size=100, max_duration=60)
    with pytest.raises(LimitError):
        open_clip(clip, max_size=1e9, max_duration=1)
    with pytest.raises(ValidationError, match="no file"):
        open_clip(tmp_path / "none", max_size=1e9, max_duration=1)


@pytest.mark.parametrize("start", [2**33 / 90_000 - 8.0, 2**33 / 90_000 - 2.0, 95_000.0])
def test_a_transport_stream_whose_clock_runs_over_is_cut_rightly(tmp_path: Path, start: float) -> None:
    click = make_click(tmp_path / "click.wav", at=5.0, seconds=12.0)
    path = tmp_path / "a.ts"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc=size=64x48:rate=25:duration=12", "-i", click, "-c:v", "libx264", "-g", "50"),
        *("-c:a", "aac", "-output_ts_offset", f"{start - 1.4:.3f}", path),
    )
    clip = probe(path)
    assert clip.media.duration == pytest.approx(12.0, abs=0.1)
    assert heard_at(extract(path, tmp_path / "out").sound) == pytest.approx(5.0, abs=0.05)
    for begin in (3.0, 4.5):
        assert cut(path, clip, tmp_path / "part.wav", start=begin, end=9.0) == ()
        assert heard_at(tmp_path / "part.wav") == pytest.approx(5.0 - begin, abs=0.05)
        cut(path, clip, tmp_path / "part.mp4", start=begin, end=9.0)
        assert heard_at(tmp_path / "part.mp4") == pytest.approx(5.0 - begin, abs=0.05)
        times = [time for time, _ in frames(tmp_path / "part.mp4")]
        assert times[0] == pytest.approx(0.0, abs=0.05)
        # One or two pictures from after the end stay, since others are made from them.
        assert len(times) == pytest.approx(25 * (9.0 - begin), abs=3)
    take_frame(path, clip, tmp_path / "at.png", at=7.0)
    assert (tmp_path / "at.png").is_file()
