"""The final video: the same picture, the sound in its place, and all that came with the clip."""

import hashlib
from pathlib import Path

import av
import msgspec
import numpy as np
import pytest
from av.stream import Disposition

from pipeline.errors import MediaError
from pipeline.export.escaping import clean
from pipeline.media.containers.tags import keep_tags
from pipeline.media.contracts import MuxInputs, MuxOutput, MuxParams
from pipeline.media.mux import container_for, mux
from pipeline.media.probe import probe
from pipeline.media.sound.encoding import encode_aac
from pipeline.media.stages import mux_stage
from pipeline.types import Chapter
from tests.bench import picture
from tests.pipeline.clips import extract, ffmpeg, heard_at, make_click, make_clip, make_context, packets

H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p")
SRT = "1\n00:00:00,200 --> 00:00:00,600\nSpeaker 1: Hello = you; #1\n"
NAMED = (
    *("AAC, edit list", "AAC, variable frame rate", "ProRes, PCM", "VP8, Opus", "AAC 44.1 kHz", "PCM, edit list"),
    *("MJPEG, PCM", "PNG, FLAC", "GIF, PCM", "H.263, AAC", "H.264 with B-frames, PCM", "MPEG-4 with B-frames, PCM"),
    *("Xvid, packed B-frames, PCM", "MPEG-1 with B-frames, MP2"),
)


def join(
    folder: Path, source: Path, *, subtitles: Path | None = None, chapters: Path | None = None, language: str = ""
) -> tuple[MuxOutput[Path], Path]:
    """The stage with a new sound that clicks at 0.4 s."""
    encode_aac(make_click(folder / "click.wav", at=0.4), folder / "click.m4a", duration=1.0)
    inputs = MuxInputs(source=source, sound=folder / "click.m4a", subtitles=subtitles, chapters=chapters)
    params = MuxParams(language=language)
    known = hashlib.sha256(source.read_bytes()).digest()
    context = make_context(folder / "out")
    made = mux_stage(context, inputs, params)
    assert hashlib.sha256(source.read_bytes()).digest() == known
    return made, context.out


@pytest.mark.parametrize(
    "case", [case for case in picture.CASES if case.name in NAMED], ids=lambda case: f"{case.suffix} {case.name}"
)
def test_bytes_of_the_picture_and_place_of_the_sound(case: picture.Case) -> None:
    found = picture.measure(case)
    assert found.same_picture
    assert found.in_order
    assert abs(found.moved) < 0.1
    assert found.same_times < 0.1


def test_a_sound_that_is_late_is_late_again(tmp_path: Path) -> None:
    click = make_click(tmp_path / "a.wav", at=0.4)
    source = tmp_path / "a.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=10:d=1.5", "-itsoffset", "0.3", "-i", click, *H264, source)
    final = remux(source, tmp_path)
    assert heard_at(final) == pytest.approx(heard_at(source), abs=0.001)
    with av.open(str(final)) as container:
        assert next(container.decode(audio=0)).time == pytest.approx(0.0, abs=0.001)


def test_recordings_that_were_put_together_are_one_video(tmp_path: Path) -> None:
    click = make_click(tmp_path / "a.wav", at=0.4)
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=25:d=1", "-i", click, *H264, "-c:a", "mp2", tmp_path / "part.ts")
    source = tmp_path / "joined.ts"
    source.write_bytes(2 * (tmp_path / "part.ts").read_bytes())
    shown = packets(remux(source, tmp_path))
    assert len(shown) == 50
    times = sorted(time for _, time in shown)
    assert np.diff(times) == pytest.approx(0.04, abs=0.03)


def remux(source: Path, folder: Path) -> Path:
    """The clip's picture with the clip's own sound, through the master."""
    facts = extract(source, folder / "master")
    encode_aac(facts.sound, folder / "own.m4a", duration=facts.duration)
    inputs = MuxInputs(source=source, sound=folder / "own.m4a")
    made = mux_stage(make_context(folder / "final"), inputs, MuxParams(language=""))
    assert made.notes == ()
    assert made.video is not None
    return made.video


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_title_chapters_and_other_tracks_come_along(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "tags").write_text(
        ";FFMETADATA1\ntitle=A = B\nartist=Somebody\nlocation=+52.5200+013.4050/\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=400\ntitle=One\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=400\nEND=1000\ntitle=Two\n"
    )
    source, video = tmp_path / f"a.{suffix}", H264 if suffix == "mp4" else ("-c:v", "libvpx")
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc=s=64x48:r=10:d=1", "-f", "lavfi", "-i", "sine=d=1"),
        *("-f", "lavfi", "-i", "sine=f=900:d=1", "-i", tmp_path / "tags"),
        *("-map", "0", "-map", "1", "-map", "2", "-map_metadata", "3", "-map_chapters", "3", *video, "-c:a", "aac"),
        *("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra", "-metadata:s:a:1", "title=Commentary"),
        *("-disposition:a:1", "default", "-disposition:a:0", "0", source),
    )
    with av.open(str(source)) as container:
        assert "location" in {key.lower() for key in container.metadata}
    main = probe(source)
    (tmp_path / "a.srt").write_text(SRT)
    made, out = join(tmp_path, source, subtitles=tmp_path / "a.srt", language="deu")
    assert made.notes == ()
    kept = next(track for track in main.tracks if track.kind == "audio" and track.index != main.sound_index)
    with av.open(str(out / f"final.{suffix}")) as container:
        kinds = [stream.type for stream in container.streams if stream.type != "data"]
        assert kinds == ["video", "audio", "audio", "subtitle"]
        tags = {key.lower(): value for key, value in container.metadata.items()}
        assert (tags["title"], tags["artist"]) == ("A = B", "Somebody")
        assert not any("location" in key for key in tags)
        first, second = container.streams.audio
        assert (first.language, second.language) == ("deu", kept.tags["language"])
        assert first.disposition & Disposition.default
        assert not second.disposition & Disposition.default
        assert container.streams.subtitles[0].language == first.language
        assert [chapter["metadata"]["title"] for chapter in container.chapters()] == ["One", "Two"]
    ffmpeg("-i", out / f"final.{suffix}", "-map", "0:s:0", tmp_path / "back.srt")
    assert "00:00:00,200 --> 00:00:00,600" in (tmp_path / "back.srt").read_text()
    assert "Hello = you; #1" in (tmp_path / "back.srt").read_text()
    assert sound_of(out / f"final.{suffix}", 1) == sound_of(source, kept.index - 1)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("own", [True, False], ids=["own", "found"])
def test_chapters_that_were_found_are_put_in_where_the_clip_has_none(tmp_path: Path, suffix: str, own: bool) -> None:
    """Whatever a title holds, it becomes no line of its own."""
    (tmp_path / "tags").write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=Own\n")
    source, video = tmp_path / f"a.{suffix}", H264 if suffix == "mp4" else ("-c:v", "libvpx")
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc=s=64x48:r=10:d=1", "-f", "lavfi", "-i", "sine=d=1", "-i", tmp_path / "tags"),
        *("-map", "0", "-map", "1", "-map_chapters", "2" if own else "-1", *video, "-c:a", "aac", source),
    )
    titles = ("Storm = coast; #1\\", "x\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=9\ntitle=y", "\u5929\u6c14")
    chapters = [Chapter(start=n * 0.3, end=(n + 1) * 0.3, title=title) for n, title in enumerate(titles)]
    (tmp_path / "chapters.json").write_bytes(msgspec.json.encode(chapters))
    _, out = join(tmp_path, source, chapters=tmp_path / "chapters.json")
    with av.open(str(out / f"final.{suffix}")) as container:
        found = container.chapters()
    if own:
        assert [chapter["metadata"]["title"] for chapter in found] == ["Own"]
        return
    assert [chapter["metadata"]["title"] for chapter in found] == [clean(title).rstrip("\\") for title in titles]
    starts = [float(chapter["start"] * (chapter["time_base"] or 0)) for chapter in found]
    assert starts == pytest.approx([0.0, 0.3, 0.6], abs=0.002)


def sound_of(path: Path, index: int) -> bytes:
    """The packets of a sound track."""
    with av.open(str(path)) as container:
        return b"".join(bytes(packet) for packet in container.demux(container.streams.audio[index]))


def test_without_a_language_the_track_keeps_that_of_the_one_before(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mkv", *H264, "-c:a", "aac", "-metadata:s:a:0", "language=ita")
    _, out = join(tmp_path, source)
    with av.open(str(out / "final.mp4")) as container:
        assert container.streams.audio[0].language == "ita"


def test_the_name_of_another_sound_track_of_an_mp4_stays(tmp_path: Path) -> None:
    sounds = ("-f", "lavfi", "-i", "sine=d=1", "-f", "lavfi", "-i", "sine=f=900:d=1")
    source = tmp_path / "a.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc=s=64x48:r=10:d=1", *sounds, "-map", "0", "-map", "1", "-map", "2"),
        *(*H264, "-c:a", "aac", "-metadata:s:a:1", "title=Commentary", source),
    )
    _, out = join(tmp_path, source)
    with av.open(str(out / "final.mp4")) as container:
        assert container.streams.audio[1].metadata["name"] == "Commentary"


def test_a_picture_that_is_turned_stays_turned(tmp_path: Path) -> None:
    make_clip(tmp_path / "plain.mp4", *H264)
    ffmpeg("-display_rotation", "90", "-i", tmp_path / "plain.mp4", "-c", "copy", tmp_path / "a.mp4")
    _, out = join(tmp_path, tmp_path / "a.mp4")
    with av.open(str(out / "final.mp4")) as container:
        assert next(container.decode(video=0)).rotation == 90


def test_what_tells_of_hdr_stays(tmp_path: Path) -> None:
    hdr = "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:log-level=none:"
    hdr += "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400"
    source = make_clip(tmp_path / "a.mp4", "-c:v", "libx265", "-x265-params", hdr, "-tag:v", "hvc1")
    _, out = join(tmp_path, source)
    for box in (b"colr", b"mdcv", b"clli"):
        assert (box in (out / "final.mp4").read_bytes()) == (box in source.read_bytes())
    with av.open(str(out / "final.mp4")) as container:
        assert container.streams.video[0].codec_context.color_trc == 16
    assert picture.digest(source) == picture.digest(out / "final.mp4")


def test_several_pictures_and_words_in_all_forms(tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_text(SRT)
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc=s=64x48:r=10:d=1", "-f", "lavfi", "-i", "testsrc=s=32x32:r=10:d=1"),
        *("-f", "lavfi", "-i", "sine=d=1", "-i", tmp_path / "a.srt", "-i", tmp_path / "a.srt"),
        *("-map", "0", "-map", "1", "-map", "2", "-map", "3", "-map", "4", *H264, "-c:s:0", "ass", "-c:s:1", "subrip"),
        *("-metadata:s:s:0", "language=spa", tmp_path / "a.mkv"),
    )
    made, out = join(tmp_path, tmp_path / "a.mkv", subtitles=tmp_path / "a.srt", language="eng")
    assert "video, h264" in str(made.notes)
    with av.open(str(out / "final.mp4")) as container:
        assert len(container.streams.video) == 1
        assert [stream.language for stream in container.streams.subtitles] == ["eng", "spa", "und"]


def test_a_cover_is_no_video(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:d=0.1", "-frames:v", "1", tmp_path / "cover.png")
    make_clip(tmp_path / "plain.m4a", "-c:a", "aac", picture=False)
    for name in ("a.m4a", "a.mp3"):
        coding = ("-c:a", "copy" if name == "a.m4a" else "libmp3lame", "-c:v", "copy", "-disposition:v", "attached_pic")
        ffmpeg(
            "-i",
            tmp_path / "plain.m4a",
            "-i",
            tmp_path / "cover.png",
            "-map",
            "0",
            "-map",
            "1",
            *coding,
            tmp_path / name,
        )
        clip = probe(tmp_path / name)
        assert clip.media.video is None
        with pytest.raises(MediaError, match="no picture"):
            container_for(clip)


def test_a_picture_that_no_container_holds_leaves_a_note(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.avi", "-c:v", "asv1", "-s", "64x48", "-c:a", "pcm_s16le")
    made, out = join(tmp_path, source)
    assert list(out.iterdir()) == []
    assert made.notes == (
        "There is no final video: Neither an mp4 nor an mkv can hold this picture (asv1). "
        "Use the sound alone, or convert the clip to mp4 and try again.",
    )


def test_a_film_of_stills_is_a_video(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.avi", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-c:a", "pcm_s16le")
    _, out = join(tmp_path, source)
    assert [file.name for file in out.iterdir()] == ["final.mkv"]
    assert picture.digest(source) == picture.digest(out / "final.mkv")


def test_the_same_inputs_make_the_same_bytes(tmp_path: Path) -> None:
    for suffix, video in (("mp4", H264), ("webm", ("-c:v", "libvpx", "-c:a", "libopus"))):
        source = make_clip(tmp_path / f"a.{suffix}", *video)
        encode_aac(make_click(tmp_path / "a.wav", at=0.1), tmp_path / "a.m4a", duration=1.0)
        for name in ("one", "two"):
            mux(source, probe(source), tmp_path / "a.m4a", tmp_path / name)
        assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_tags_that_tell_a_place_are_not_passed_on() -> None:
    tags = {"title": "A", "date": "2026", "creation_time": "2026-01-01", "com.apple.quicktime.model": "Phone"}
    places = {"location": "Berlin", "com.apple.quicktime.location.ISO6709": "x", "location-eng": "+1+1/"}
    places |= {"GPSLatitude": "5", "comment": "+52.5200+013.4050/", "encoder": "Lavf", "major_brand": "isom"}
    assert keep_tags(tags | places) == tags
    assert len(keep_tags({"lyrics": "la" * 9000})["lyrics"]) == 8000
