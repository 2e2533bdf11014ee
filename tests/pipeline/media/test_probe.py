"""Every kind of clip that people post is described rightly; everything else is one clear sentence."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.errors import AudioProcessingError, LimitError, MediaError, ValidationError
from pipeline.media.probe import probe
from pipeline.types import VideoStream
from tests.pipeline.clips import describe, extract, ffmpeg, make_clip

H264 = VideoStream(codec="h264", width=64, height=48, frame_rate=10.0)
VP9 = VideoStream(codec="vp9", width=64, height=48, frame_rate=10.0)
FORMATS = {
    "clip.mp4": (["-c:v", "libx264", "-c:a", "aac"], "aac", H264),
    "clip.mov": (["-c:v", "libx264", "-c:a", "pcm_s16le"], "pcm_s16le", H264),
    "clip.mkv": (["-c:v", "libx264", "-c:a", "flac"], "flac", H264),
    "clip.webm": (["-c:v", "libvpx-vp9", "-c:a", "libopus"], "opus", VP9),
    "clip.mp3": (["-c:a", "libmp3lame"], "mp3", None),
    "clip.m4a": (["-c:a", "aac"], "aac", None),
    "clip.wav": (["-c:a", "pcm_s16le"], "pcm_s16le", None),
    "clip.flac": (["-c:a", "flac"], "flac", None),
    "clip.ogg": (["-c:a", "libvorbis"], "vorbis", None),
    "clip.opus": (["-c:a", "libopus"], "opus", None),
}


@pytest.mark.parametrize("name", FORMATS)
def test_what_people_post_is_described(tmp_path: Path, name: str) -> None:
    coding, codec, video = FORMATS[name]
    made = make_clip(tmp_path / name, *coding, picture=video is not None)
    # The store names files by digest: nothing may depend on the name.
    clip = made.rename(tmp_path / "0123abcd")
    facts = describe(clip, tmp_path / "out")
    media = facts.media
    assert media.duration == pytest.approx(0.6, abs=0.05)
    assert (media.audio.codec, media.audio.sample_rate, media.audio.channels) == (codec, 48_000, 1)
    assert media.audio.layout == "mono"
    assert media.audio.start == pytest.approx(0.0, abs=0.001)
    assert media.video == video
    assert facts.notes == ()


def test_the_sound_begins_later_than_the_picture(tmp_path: Path) -> None:
    make_clip(tmp_path / "late.mkv", "-c:v", "libx264", "-c:a", "flac", "-af", "asetpts=PTS+0.25/TB")
    assert probe(tmp_path / "late.mkv").media.audio.lead_in == pytest.approx(0.25, abs=0.001)


def test_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    make_clip(
        tmp_path / "song.mp3",
        "-map",
        "0",
        "-map",
        "1",
        "-c:v",
        "png",
        "-frames:v",
        "1",
        "-disposition:v",
        "attached_pic",
    )
    assert probe(tmp_path / "song.mp3").media.video is None


def test_a_length_the_container_does_not_tell_is_counted(tmp_path: Path) -> None:
    make_clip(tmp_path / "raw.aac", "-c:a", "aac", picture=False, seconds=2)
    make_clip(tmp_path / "live.mkv", "-c:v", "libx264", "-c:a", "aac", "-live", "1", "-f", "matroska", seconds=2)
    assert probe(tmp_path / "raw.aac").media.duration == pytest.approx(2.0, abs=0.05)
    live = probe(tmp_path / "live.mkv")
    assert live.media.duration == pytest.approx(2.0, abs=0.05)
    assert live.notes == ()


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.wav"])
def test_of_a_cut_off_file_the_rest_is_used_and_said(tmp_path: Path, name: str) -> None:
    coding = {"a.mp4": ("-c:v", "libx264", "-movflags", "+faststart"), "a.mkv": ("-c:v", "libx264"), "a.wav": ()}[name]
    whole = make_clip(tmp_path / name, *coding, seconds=4, picture=name != "a.wav").read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) * 6 // 10])
    facts = describe(tmp_path / name, tmp_path / "out")
    assert 1.0 < facts.media.duration < 3.5
    if name != "a.wav":  # of a wav the length is taken from the bytes that are there
        assert "cut off" in facts.notes[0]
    assert 1.0 < extract(tmp_path / name, tmp_path / "out").duration < 3.5


def _declare(path: Path, seconds: float) -> None:
    """Write a smaller size of the samples into the header of a mono sound of 16 bits."""
    data, size = bytearray(path.read_bytes()), int(seconds * 48_000) * 2
    mark, offset, form = {
        ".wav": (b"data", 4, "<I"),
        ".aiff": (b"SSND", 4, ">I"),
        ".caf": (b"data", 4, ">q"),
        ".w64": (b"data\xf3\xac", 16, "<q"),
    }[path.suffix]
    extra = {".wav": 0, ".aiff": 8, ".caf": 4, ".w64": 24}[path.suffix]
    struct.pack_into(form, data, data.find(mark) + offset, size + extra)
    if path.suffix == ".aiff":
        struct.pack_into(">I", data, data.find(b"COMM") + 10, int(seconds * 48_000))
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["a.wav", "a.aiff", "a.caf", "a.w64"])
def test_samples_behind_the_declared_end_are_told(tmp_path: Path, name: str) -> None:
    path = make_clip(tmp_path / name, "-ac", "1", seconds=20.0, picture=False)
    assert probe(path).notes == ()
    path.write_bytes(path.read_bytes() + bytes(40_000))
    assert probe(path).notes == ()
    path = make_clip(tmp_path / name, "-ac", "1", seconds=20.0, picture=False)
    _declare(path, 19.5)
    assert probe(path).notes == ("The last 0.5 s lie behind the end that the file declares; they are left out.",)
    assert probe(path).media.duration == pytest.approx(19.5, abs=0.01)


@pytest.mark.parametrize("behind", [b"LIST\x10\0\0\0INFOICMT\4\0\0\0abcd", b"TAG" + b"x" * 125, b"id3 \4\0\0\0abcd"])
def test_what_may_stand_behind_samples_is_not_told(tmp_path: Path, behind: bytes) -> None:
    path = make_clip(tmp_path / "a.wav", "-ac", "1", "-ar", "8000", seconds=2.0, picture=False)
    path.write_bytes(path.read_bytes() + behind * 100)
    assert probe(path).notes == ()


def _text(path: Path) -> None:
    path.write_text("This is no film.\n" * 200)


def _cut_mp4(path: Path) -> None:
    whole = make_clip(path, "-c:v", "libx264").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def _noise(path: Path) -> None:
    path.write_bytes(np.random.default_rng(5).bytes(50_000))


def _header_only(path: Path) -> None:
    soundfile.write(path, np.zeros((0, 1)), 44_100, format="WAV")


BAD = {
    "zero bytes": (lambda path: path.write_bytes(b""), "empty"),
    "text": (_text, "no video or sound"),
    "random bytes": (_noise, "no video or sound"),
    "cut mp4": (_cut_mp4, "cut off"),
    "no sound track": (
        lambda path: ffmpeg("-f", "lavfi", "-i", "testsrc=d=0.2:s=64x48", "-c:v", "libx264", path),
        "no sound",
    ),
    "no samples": (_header_only, "cannot be decoded"),
    "playlist": (
        lambda path: path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n"),
        "no video or sound",
    ),
    "script": (lambda path: path.write_text("ffconcat version 1.0\nfile /etc/passwd\n"), "no video or sound"),
    "subtitles": (lambda path: path.write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n"), "no video or sound"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_clip_is_refused_in_a_sentence(tmp_path: Path, kind: str) -> None:
    make, sentence = BAD[kind]
    path = tmp_path / "clip.mp4"
    make(path)
    with pytest.raises(MediaError, match=sentence) as caught:
        describe(path, tmp_path / "out")
    assert caught.value.message.count(".") == 1
    assert caught.value.hint.endswith(".")
    assert list((tmp_path / "out").iterdir()) == []


def test_limits_are_told_in_people_s_units(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.wav", picture=False)
    with pytest.raises(LimitError, match=r"0\.1 MiB and at most 0\.0 MiB"):
        describe(clip, tmp_path / "out", max_size=1000)
    with pytest.raises(LimitError, match="lasts 1 s and at most 0 s"):
        describe(clip, tmp_path / "out", max_duration=0.1)


@pytest.mark.parametrize(("rate", "channels", "subtype"), [(8_000, 1, "PCM_U8"), (96_000, 8, "PCM_24")])
def test_unusual_sound_is_worked_on(tmp_path: Path, rate: int, channels: int, subtype: str) -> None:
    samples = 0.1 * np.random.default_rng(1).standard_normal((rate // 2, channels))
    soundfile.write(tmp_path / "a.wav", samples, rate, subtype=subtype, format="WAVEX" if channels > 2 else "WAV")
    media = probe(tmp_path / "a.wav").media
    assert (media.audio.sample_rate, media.audio.channels) == (rate, channels)
    facts = extract(tmp_path / "a.wav", tmp_path / "out")
    assert (facts.sample_rate, facts.channels) == (rate, channels)
    assert facts.duration == 0.5
    assert facts.notes == ()


def test_broken_bytes_never_crash(tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "a.mp4", "-c:v", "libx264", "-movflags", "+faststart").read_bytes()
    generator = np.random.default_rng(11)
    for index in range(40):
        data = bytearray(whole)
        for place in generator.integers(0, len(data), 60):
            data[place] = int(generator.integers(0, 256))
        path = tmp_path / f"broken{index}"
        path.write_bytes(data)
        out = tmp_path / f"out{index}"
        error = _error_of(path, out)
        assert error is None or isinstance(error, ValidationError), f"{error} {error.detail}"
        assert error is None or list(out.iterdir()) == []


def _error_of(path: Path, out: Path) -> AudioProcessingError | None:
    try:
        describe(path, out)
        extract(path, out)
    except AudioProcessingError as error:
        return error
    return None


def write_wav_header(path: Path, *, rate: int, channels: int = 1) -> Path:
    """A WAV of 600 kB that claims a rate and a number of channels."""
    size = 600_000
    form = struct.pack("<HHIIHH", 1, channels, rate, (rate * channels * 2) % 2**32, channels * 2 % 2**16, 16)
    head = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", size)
    path.write_bytes(b"RIFF" + struct.pack("<I", len(head) + size) + head + bytes(size))
    return path


@pytest.mark.parametrize(("rate", "channels"), [(2_000_000_000, 1), (1_000_000, 2), (100, 1), (48_000, 200)])
def test_a_form_that_no_recording_has_is_refused(tmp_path: Path, rate: int, channels: int) -> None:
    with pytest.raises(MediaError, match=f"{channels} channels at {rate} Hz"):
        probe(write_wav_header(tmp_path / "claims.wav", rate=rate, channels=channels))


def test_more_samples_than_may_be_decoded_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_wav_header(tmp_path / "wide.wav", rate=96_000, channels=8)
    assert probe(path).media.audio.channels == 8
    monkeypatch.setattr("pipeline.media.probe.MAX_SAMPLES", 100_000)
    with pytest.raises(LimitError, match="8 channels at 96 kHz"):
        probe(path)
