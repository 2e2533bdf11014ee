"""Which stream is a moving picture, and when its pictures are shown."""

import itertools
import struct
from pathlib import Path

import av
import pytest

from pipeline.media.clip_tools import cut, take_frame
from pipeline.media.contracts import MuxInputs, MuxParams
from pipeline.media.probe import probe
from pipeline.media.stages import mux_stage
from tests.bench.picture import decoded
from tests.pipeline.clips import ffmpeg, make_click, make_clip, make_context

H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p")


def final_of(source: Path) -> Path:
    """The final video with another sound."""
    sound = source.with_name("click.m4a")
    ffmpeg("-i", make_click(sound.with_suffix(".wav"), at=0.4), "-c:a", "aac", sound)
    params = MuxParams(language="")
    made = mux_stage(make_context(source.with_name("out")), MuxInputs(source=source, sound=sound), params)
    assert made.video is not None, made.notes
    return made.video


@pytest.mark.parametrize("codec", ["mjpeg", "png", "gif"])
def test_many_stills_in_matroska_are_a_video_and_one_is_a_cover(codec: str, tmp_path: Path) -> None:
    film = make_clip(tmp_path / "film.mkv", "-c:v", codec, "-c:a", "pcm_s16le")
    clip = probe(film)
    assert clip.media.video is not None
    assert clip.media.video.codec == codec
    assert clip.media.audio.start == pytest.approx(0.0, abs=0.001)
    cover = make_clip(tmp_path / "cover.mkv", "-c:v", codec, "-frames:v", "1", "-c:a", "pcm_s16le")
    assert probe(cover).media.video is None


def test_a_cover_before_the_film_is_still_a_cover(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:d=0.1", "-frames:v", "1", tmp_path / "cover.png")
    film = make_clip(tmp_path / "film.mkv", *H264, "-c:a", "flac")
    both = tmp_path / "both.mkv"
    ffmpeg("-i", tmp_path / "cover.png", "-i", film, "-map", "0", "-map", "1", "-c", "copy", both)
    found = probe(both).media.video
    assert found is not None
    assert found.codec == "h264"


def test_a_stream_of_an_unknown_codec_is_no_picture(tmp_path: Path) -> None:
    film = make_clip(tmp_path / "a.mkv", *H264, "-c:a", "flac")
    strange = tmp_path / "strange.mkv"
    strange.write_bytes(film.read_bytes().replace(b"V_MPEG4/ISO/AVC", b"V_STRANGE/ISO/X"))
    assert probe(strange).media.video is None


@pytest.mark.parametrize(
    "coding",
    [
        (*H264, "-bf", "3", "-x264-params", "open-gop=1:keyint=10"),
        (*H264, "-bf", "16", "-x264-params", "b-adapt=0:b-pyramid=strict"),
        (*H264, "-bf", "3", "-x264-params", "tff=1:cqm=jvt"),
        ("-c:v", "libx264", "-pix_fmt", "yuv444p", "-x264-params", "slices=4"),
        (*H264, "-profile:v", "baseline"),
        ("-c:v", "mpeg2video", "-bf", "2", "-r", "25"),
        ("-c:v", "libxvid", "-bf", "1"),
        ("-c:v", "libxvid", "-bf", "0"),
    ],
)
def test_every_picture_of_an_avi_is_there_in_order(coding: tuple[str, ...], tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.avi", *coding, "-c:a", "pcm_s16le", seconds=2.5)
    _assert_same_pictures(source, final_of(source))


def test_an_avi_of_pictures_with_lengths(tmp_path: Path) -> None:
    make_clip(tmp_path / "a.mp4", *H264, "-bf", "3", "-c:a", "aac", seconds=2.5)
    ffmpeg("-i", tmp_path / "a.mp4", "-c", "copy", tmp_path / "a.avi")
    _assert_same_pictures(tmp_path / "a.avi", final_of(tmp_path / "a.avi"))


def test_matroska_in_the_mode_of_avi(tmp_path: Path) -> None:
    coding = ("-c:v", "mpeg4", "-bf", "2", "-bsf:v", "dump_extra=freq=keyframe,setts=pts=DTS+1:dts=DTS+1")
    native = make_clip(tmp_path / "native.mkv", *coding, "-c:a", "pcm_s16le", seconds=2)
    with av.open(str(native)) as container:
        headers = container.streams.video[0].codec_context.extradata or b""
    bitmap = struct.pack("<IiiHH4sIiiII", 40, 64, 48, 1, 24, b"XVID", 64 * 48 * 3, 0, 0, 0, 0)
    content = native.read_bytes().replace(b"V_MPEG4/ISO/ASP", b"V_MS/VFW/FOURCC")
    source = tmp_path / "a.mkv"
    source.write_bytes(content.replace(headers, bitmap + headers[40:], 1))
    _assert_same_pictures(source, final_of(source))


def test_a_part_of_an_avi_is_in_order_too(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.avi", *H264, "-bf", "3", "-g", "5", "-c:a", "pcm_s16le", seconds=3)
    cut(source, probe(source), tmp_path / "part.mp4", start=1.0, end=2.0)
    times, pictures = decoded(tmp_path / "part.mp4")
    assert all(b > a for a, b in itertools.pairwise(times))
    whole = decoded(source)[1]
    at = whole.index(pictures[0])
    assert at == pytest.approx(10, abs=1)
    assert whole[at : at + 10] == pictures[:10]


def _assert_same_pictures(source: Path, final: Path) -> None:
    times, pictures = decoded(final)
    assert pictures == decoded(source)[1]
    assert all(b > a for a, b in itertools.pairwise(times))
    assert times[0] == pytest.approx(0.0, abs=0.001)


@pytest.mark.parametrize(
    "coding", [(*H264, "-bf", "3"), ("-c:v", "mpeg4", "-bf", "2"), ("-c:v", "libxvid", "-bf", "0")]
)
def test_the_picture_at_a_time_of_an_avi_is_the_one_that_is_shown_then(coding: tuple[str, ...], tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.avi", *coding, "-c:a", "pcm_s16le", seconds=3)
    take_frame(source, probe(source), tmp_path / "a.png", at=1.55)
    final = final_of(source)
    ffmpeg("-i", final, "-vf", "select=eq(n\\,15)", "-frames:v", "1", tmp_path / "b.png")
    assert decoded(tmp_path / "a.png")[1] == decoded(tmp_path / "b.png")[1]
