"""What kind of file is taken, and what is said of one that is not."""

from pathlib import Path

import pytest

from pipeline.errors import MediaError
from pipeline.media.clip_tools import cut
from pipeline.media.contracts import MuxInputs, MuxParams
from pipeline.media.probe import probe
from pipeline.media.sound.encoding import encode_aac
from pipeline.media.stages import mux_stage
from tests.pipeline.clips import describe, extract, ffmpeg, heard_at, make_click, make_clip, make_context, packets

SECONDS = 3.0
SOUNDS = {
    "a.flv": ("-c:a", "aac"),
    "mp3.flv": ("-c:a", "libmp3lame"),
    "nellymoser.flv": ("-c:a", "nellymoser"),
    "adpcm.flv": ("-c:a", "adpcm_swf"),
    "pcm.caf": ("-c:a", "pcm_s16be"),
    "float.caf": ("-c:a", "pcm_f32le"),
    "alac.caf": ("-c:a", "alac"),
    "ima4.caf": ("-c:a", "adpcm_ima_qt"),
    "mp2.mpg": ("-c:a", "mp2", "-f", "mpeg"),
    "a.vob": ("-c:a", "ac3", "-f", "vob"),
    "a.amr": ("-c:a", "libopencore_amrnb", "-ar", "8000"),
    "a.3gp": ("-c:a", "libopencore_amrnb", "-ar", "8000"),
    "a.ac3": ("-c:a", "ac3"),
    "a.eac3": ("-c:a", "eac3"),
    "a.dts": ("-c:a", "dca", "-strict", "-2", "-ac", "2"),
    "a.wv": ("-c:a", "wavpack"),
    "a.tta": ("-c:a", "tta"),
    "a.au": ("-c:a", "pcm_s16be"),
    "a.mka": ("-c:a", "flac"),
    "a.mp2": ("-c:a", "mp2"),
    "a.loas": ("-c:a", "aac", "-f", "latm"),
    "truehd.mka": ("-c:a", "truehd", "-strict", "-2", "-ac", "2"),
}


@pytest.mark.parametrize("name", SOUNDS)
def test_kinds_of_sound_that_are_taken(tmp_path: Path, name: str) -> None:
    rate = 44_100 if name.endswith("flv") else 48_000
    clip = make_clip(tmp_path / name, "-ac", "1", *SOUNDS[name], seconds=SECONDS, rate=rate, picture=False)
    clip = clip.rename(tmp_path / "0123abcd")
    facts = describe(clip, tmp_path / "out")
    assert facts.media.duration == pytest.approx(SECONDS, abs=0.1)
    assert facts.notes == ()
    assert extract(clip, tmp_path / "out").duration == pytest.approx(SECONDS, abs=0.1)


VIDEOS = {
    "a.flv": ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "2", "-c:a", "aac", "-ar", "44100"),
    "sorenson.flv": ("-c:v", "flv1", "-c:a", "libmp3lame", "-ar", "44100"),
    "mpeg1.mpg": ("-c:v", "mpeg1video", "-r", "25", "-bf", "2", "-c:a", "mp2", "-f", "mpeg"),
    "mpeg2.mpg": ("-c:v", "mpeg2video", "-r", "25", "-bf", "2", "-c:a", "mp2", "-f", "mpeg"),
    "mpeg2.vob": ("-c:v", "mpeg2video", "-r", "25", "-bf", "2", "-c:a", "ac3", "-f", "vob"),
    "lpcm.vob": ("-c:v", "mpeg2video", "-r", "25", "-c:a", "pcm_dvd", "-f", "vob"),
}


@pytest.mark.parametrize("name", VIDEOS)
def test_the_picture_of_kinds_that_are_taken_is_kept(tmp_path: Path, name: str) -> None:
    clip = make_clip(tmp_path / name, *VIDEOS[name], seconds=SECONDS)
    encode_aac(make_click(tmp_path / "click.wav", at=0.4), tmp_path / "click.m4a", duration=1.0)
    made = mux_stage(
        make_context(tmp_path / "out"),
        MuxInputs(source=clip, sound=tmp_path / "click.m4a"),
        MuxParams(language=""),
    )
    assert made.video is not None, made.notes
    kept, original = packets(made.video), packets(clip)
    assert len(kept) == len(original) > 25
    times = sorted({time for _, time in kept})
    assert len(times) == len(kept)
    assert times[-1] - times[0] == pytest.approx(SECONDS, abs=0.15)
    assert heard_at(made.video) == pytest.approx(0.4, abs=0.02)


def test_a_stretch_of_an_mpg_is_exact(tmp_path: Path) -> None:
    click = make_click(tmp_path / "click.wav", at=1.5, seconds=3)
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=25:d=3", "-i", click, "-c:a", "mp2", tmp_path / "a.mpg")
    cut(tmp_path / "a.mpg", probe(tmp_path / "a.mpg"), tmp_path / "a.wav", start=1.0, end=2.0)
    assert heard_at(tmp_path / "a.wav") == pytest.approx(0.5, abs=0.03)


REFUSED = {
    "a.wmv": (("-c:v", "msmpeg4v3"), r"Windows Media \(wmv, wma, asf\) is not taken"),
    "a.wma": (("-vn", "-c:a", "wmav2"), r"Windows Media \(wmv, wma, asf\) is not taken"),
    "a.rm": (("-c:v", "rv10", "-c:a", "ac3"), r"RealMedia \(rm, rmvb\) is not taken"),
    "a.swf": (("-c:v", "flv1", "-ar", "44100"), r"Flash \(swf\) is not taken"),
    "a.mxf": (("-c:v", "mpeg2video", "-r", "25"), "MXF is not taken"),
    "a.nut": ((), "NUT is not taken"),
    "a.voc": (("-vn",), r"Creative Voice \(voc\) is not taken"),
    "a.gif": (("-an",), "is a GIF, which has no sound"),
    "a.webp": (("-an", "-c:v", "libwebp"), "is a WebP picture, which has no sound"),
    "a.apng": (("-an",), "is a PNG picture, which has no sound"),
    **{f"a.{suffix}": (("-an", "-frames:v", "1"), "picture, which has no sound") for suffix in ("png", "jpg", "bmp")},
    "a.tiff": (("-an", "-frames:v", "1"), "is a TIFF picture, which has no sound"),
    "a.h264": (("-an", "-c:v", "libx264"), "is a raw video stream, which has no sound"),
    "a.m2v": (("-an", "-r", "25"), "is a raw video stream, which has no sound"),
    "a.mp4": (("-an", "-c:v", "libx264"), "The file has no sound track"),
    "a.avi": (("-an",), "The file has no sound track"),
    "a.flv": (("-an", "-c:v", "libx264"), "The file has no sound track"),
    "a.mpg": (("-an", "-r", "25"), "The file has no sound track"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_kind_that_is_not_taken_is_named_with_what_to_do(tmp_path: Path, name: str) -> None:
    coding, sentence = REFUSED[name]
    clip = make_clip(tmp_path / name, *coding).rename(tmp_path / "0123abcd")
    with pytest.raises(MediaError, match=sentence) as caught:
        probe(clip)
    assert caught.value.message.count(".") == 1
    assert ("Convert it to mp4" if "not taken" in sentence else "with sound") in caught.value.hint


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        (b"\r\n<!DOCTYPE html>\n<html>", "a web page"),
        (b"<HTML lang=en>", "a web page"),
        (b"PK\x03\x04", r"an archive \(zip\)"),
        (b"%PDF-1.7", "a PDF"),
        (b"MAC \x96\x0f", r"Monkey's Audio \(ape\) is not taken"),
        (b"MThd\0\0\0\6", "MIDI is not taken"),
        (b"BMxx", "no video or sound"),
        (b"GIF8", "no video or sound"),
        (b"FLV\x01\x05", "no video or sound|has no sound track"),
    ],
)
def test_first_bytes_tell_the_kind(tmp_path: Path, head: bytes, sentence: str) -> None:
    (tmp_path / "a.mp4").write_bytes(head + bytes(2000))
    with pytest.raises(MediaError, match=sentence):
        probe(tmp_path / "a.mp4")


def test_a_track_that_appears_late_takes_nothing_from_the_sound(tmp_path: Path) -> None:
    sound = make_clip(tmp_path / "a.flv", "-c:a", "libmp3lame", seconds=SECONDS, rate=44_100, picture=False)
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=10:d=1", "-c:v", "flv1", tmp_path / "b.flv")
    # 9 bytes of header and 4 of the size before the first tag.
    sound.write_bytes(sound.read_bytes() + (tmp_path / "b.flv").read_bytes()[13:])
    assert describe(sound, tmp_path / "out").media.duration == pytest.approx(SECONDS, abs=0.1)
    assert extract(sound, tmp_path / "out").duration == pytest.approx(SECONDS, abs=0.1)


KEY = ("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "76" * 16, "-encryption_kid", "a7" * 16)


@pytest.mark.parametrize("coding", [("-c:v", "libx264"), ("-vn",)])
def test_a_protected_clip_is_called_so(tmp_path: Path, coding: tuple[str, ...]) -> None:
    clip = make_clip(tmp_path / "a.mp4", *coding, "-c:a", "aac", *KEY)
    with pytest.raises(MediaError, match="copy protection"):
        probe(clip)


def test_a_bought_song_is_called_protected(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.m4a", "-c:a", "aac", picture=False)
    clip.write_bytes(clip.read_bytes().replace(b"mp4a\0\0\0\0\0\0", b"drms\0\0\0\0\0\0"))
    with pytest.raises(MediaError, match="copy protection"):
        probe(clip)


@pytest.mark.parametrize(
    ("name", "mark", "offset", "length"),
    [("a.au", b".snd", 8, 4), ("a.aiff", b"SSND", 4, 4), ("a.w64", b"data", 16, 8)],
)
def test_a_sound_whose_header_says_that_it_is_empty_is_told(
    tmp_path: Path, name: str, mark: bytes, offset: int, length: int
) -> None:
    clip = make_clip(tmp_path / name, picture=False)
    data = bytearray(clip.read_bytes())
    at = data.find(mark) + offset
    data[at : at + length] = bytes(length)
    if name == "a.aiff":
        at = data.find(b"COMM") + 10
        data[at : at + 4] = bytes(4)
    clip.write_bytes(data)
    with pytest.raises(MediaError, match="says that it holds no sound"):
        probe(clip)


def test_a_wav_behind_a_tag_is_told(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.wav", picture=False)
    clip.write_bytes(b"ID3\x03\0\0\0\0\x0f\x7f" + bytes(2047) + clip.read_bytes())
    with pytest.raises(MediaError, match="An ID3 tag stands in front of this wav"):
        probe(clip)


def test_a_picture_that_an_avi_calls_raw_has_its_true_name(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.avi", "-c:v", "libx265", "-x265-params", "log-level=error", "-c:a", "libmp3lame")
    video = probe(clip).media.video
    assert video is not None
    assert video.codec == "hevc called rawvideo"
