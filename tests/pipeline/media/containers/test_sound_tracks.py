"""Which of several sound tracks is heard: the one that was chosen, else the best one that can be read and heard."""

from pathlib import Path

import av
import msgspec
import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.errors import MediaError, ValidationError
from pipeline.media.containers.sound_tracks import describe_choice
from pipeline.media.contracts import ExtractInputs, ExtractParams, MuxInputs, MuxParams, ProbeInputs, ProbeParams
from pipeline.media.probe import probe
from pipeline.media.sound.encoding import encode_aac
from pipeline.media.stages import extract_stage, mux_stage, probe_stage
from pipeline.options import parse_request
from pipeline.types import MediaInfo, Request, SoundTrack
from tests.pipeline.clips import ffmpeg, make_click, make_context

SILENCE = "anullsrc=r=48000:cl=mono:d={seconds}"
TONE = "sine=frequency={tone}:sample_rate=48000:duration={seconds}"
BLIP = "aevalsrc='0.5*sin(880*2*PI*t)*between(t,{at},{at}+0.05)':s=48000:d={seconds}"
PICTURE = "testsrc=s=64x48:r=10:d={seconds}"


def make_tracks(path: Path, *sounds: str, seconds: float = 2.0, coding: tuple[str, ...] = ("-c:a", "aac")) -> Path:
    """Make a video with sound tracks; each sound is a filter of ffmpeg."""
    sources = [PICTURE, *sounds]
    inputs = [part for source in sources for part in ("-f", "lavfi", "-i", source.format(seconds=seconds))]
    chosen = [part for index in range(len(sources)) for part in ("-map", str(index))]
    ffmpeg(*inputs, *chosen, "-c:v", "libx264", "-pix_fmt", "yuv420p", *coding, path)
    return path


def tone(frequency: int) -> str:
    return TONE.replace("{tone}", str(frequency))


def heard_tone(source: Path, folder: Path, track: int | None = None) -> float:
    """Extract the sound and return its strongest frequency, Hz."""
    made = extract_stage(make_context(folder / "out"), ExtractInputs(source=source), ExtractParams(track=track))
    samples = audio_io.read(made.sound)[:, 0].astype(np.float64)
    return float(np.fft.rfftfreq(len(samples), 1 / 48_000)[np.abs(np.fft.rfft(samples)).argmax()])


def edit(path: Path, old: bytes, new: bytes, *, which: int) -> Path:
    """Replace one occurrence of some bytes, counted from 0."""
    parts = path.read_bytes().split(old)
    assert len(parts) > which + 1
    path.write_bytes(old.join(parts[: which + 1]) + new + old.join(parts[which + 1 :]))
    return path


def make_unknown(path: Path, which: int) -> Path:
    """Give one of the AAC tracks of an mp4, counted from 0, a codec that nobody knows."""
    # Without its description under this name, the four letters alone tell the codec.
    return edit(edit(path, b"mp4a", b"apac", which=which), b"esds", b"free", which=which)


@pytest.mark.parametrize(("which", "heard", "unread"), [(0, 2, 1), (1, 1, 2)])
def test_a_codec_that_is_not_known_gives_way(tmp_path: Path, which: int, heard: int, unread: int) -> None:
    clip = make_unknown(make_tracks(tmp_path / "a.mp4", tone(500), tone(900)), which)
    media = probe(clip).media
    assert media.track == heard
    assert [(track.number, track.codec, track.readable) for track in media.tracks if track.number == unread] == [
        (unread, "apac", False)
    ]
    assert describe_choice(media.track, media.tracks) == (
        f"Sound track {heard} of 2 was heard (aac, mono). The other is {unread} (apac, cannot be read)."
    )
    assert heard_tone(clip, tmp_path) == pytest.approx({1: 500, 2: 900}[heard], abs=2)


def test_a_codec_without_a_name_gives_way_in_an_mkv(tmp_path: Path) -> None:
    clip = edit(make_tracks(tmp_path / "a.mkv", tone(500), tone(900)), b"A_AAC", b"A_XYZ", which=0)
    media = probe(clip).media
    assert (media.track, media.tracks[0].readable, media.tracks[0].codec) == (2, False, "unknown")
    assert heard_tone(clip, tmp_path) == pytest.approx(900, abs=2)


def test_without_a_track_that_can_be_read_the_codecs_are_named(tmp_path: Path) -> None:
    clip = make_unknown(make_tracks(tmp_path / "a.mp4", tone(500)), 0)
    with pytest.raises(MediaError, match=r"cannot be read \(apac\)"):
        probe(clip)


def test_dts_is_heard(tmp_path: Path) -> None:
    coding = ("-strict", "-2", "-c:a:0", "dca", "-c:a:1", "aac", "-ac", "2")
    clip = make_tracks(tmp_path / "a.mkv", tone(500), tone(900), coding=coding)
    media = probe(clip).media
    assert (media.track, [track.codec for track in media.tracks]) == (1, ["dts", "aac"])
    assert heard_tone(clip, tmp_path) == pytest.approx(500, abs=2)
    assert heard_tone(clip, tmp_path, track=2) == pytest.approx(900, abs=2)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        *(("a.mp4", codec) for codec in ("aac", "libmp3lame", "ac3", "alac", "libopus")),
        *(("a.mkv", codec) for codec in ("flac", "libvorbis", "eac3", "pcm_s16le", "pcm_f32le")),
        *(("a.mov", codec) for codec in ("pcm_alaw", "pcm_mulaw", "pcm_s24be", "adpcm_ima_qt")),
        *(("a.ts", codec) for codec in ("mp2", "ac3")),
    ],
)
def test_a_silent_track_gives_way(tmp_path: Path, name: str, codec: str) -> None:
    clip = make_tracks(tmp_path / name, SILENCE, tone(900), coding=("-c:a", codec))
    media = probe(clip).media
    assert (media.track, [track.silent for track in media.tracks]) == (2, [True, False])
    assert "The other is 1" in describe_choice(media.track, media.tracks)
    assert "silent" in describe_choice(media.track, media.tracks)
    assert heard_tone(clip, tmp_path) == pytest.approx(900, abs=2)


@pytest.mark.parametrize("sound", [BLIP.replace("{at}", "37.7"), f"{tone(500)},volume=-70dB"])
@pytest.mark.parametrize("codec", ["aac", "flac"])
def test_a_soft_track_or_one_with_a_single_sound_keeps_its_place(tmp_path: Path, sound: str, codec: str) -> None:
    clip = make_tracks(tmp_path / "a.mkv", sound, tone(900), seconds=40, coding=("-c:a", codec))
    media = probe(clip).media
    assert (media.track, [track.silent for track in media.tracks]) == (1, [False, False])


def test_of_silent_tracks_the_first_is_heard(tmp_path: Path) -> None:
    media = probe(make_tracks(tmp_path / "a.mp4", SILENCE, SILENCE)).media
    assert (media.track, [track.silent for track in media.tracks]) == (1, [True, True])


def test_an_empty_track_gives_way(tmp_path: Path) -> None:
    clip = make_tracks(tmp_path / "a.mp4", tone(500), tone(900), coding=("-c:a:0", "aac", "-c:a:1", "flac"))
    # All packets of the first track are spoilt, the header is whole.
    spoilt = bytearray(clip.read_bytes())
    with av.open(str(clip)) as container:
        for packet in container.demux(container.streams.audio[0]):
            if packet.size and packet.pos is not None:
                spoilt[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    clip.write_bytes(spoilt)
    assert probe(clip).media.track == 2


def test_a_comment_comes_after_the_others(tmp_path: Path) -> None:
    coding = ("-c:a:0", "dca", "-strict", "-2", "-ac", "2", "-c:a:1", "aac", "-c:a:2", "aac")
    marks = ("-disposition:a:0", "default", "-disposition:a:1", "visual_impaired", "-disposition:a:2", "0")
    clip = make_tracks(tmp_path / "a.mkv", tone(500), tone(700), tone(900), coding=(*coding, *marks))
    edit(clip, b"A_DTS", b"A_XYZ", which=0)
    assert probe(clip).media.track == 3


def test_a_track_is_chosen_by_number_in_every_stage(tmp_path: Path) -> None:
    marks = ("-metadata:s:a:0", "title=Desktop", "-metadata:s:a:1", "title=Mic", "-metadata:s:a:1", "language=deu")
    clip = make_tracks(tmp_path / "a.mkv", tone(500), tone(900), SILENCE, coding=("-c:a", "aac", *marks))
    params = ProbeParams(name="a.mkv", max_duration=60, max_size=10**9, track=2)
    facts = probe_stage(make_context(tmp_path / "out"), ProbeInputs(source=clip), params)
    assert (facts.media.track, facts.media.tracks[0], facts.media.tracks[1]) == (
        2,
        SoundTrack(number=1, codec="aac", channels=1, title="Desktop"),
        SoundTrack(number=2, codec="aac", channels=1, language="deu", title="Mic"),
    )
    assert facts.notes == (
        "Sound track 2 of 3 was heard (aac, mono, deu, Mic). The others are 1 (aac, mono, Desktop), 3 (aac, mono). "
        "Choose another with the option track, such as --track 1.",
    )
    assert heard_tone(clip, tmp_path, track=2) == pytest.approx(900, abs=2)
    encode_aac(make_click(tmp_path / "click.wav", at=0.4), tmp_path / "click.m4a", duration=1.0)
    mux_stage(
        make_context(tmp_path / "out"),
        MuxInputs(source=clip, sound=tmp_path / "click.m4a"),
        MuxParams(language="", track=2),
    )
    kept = probe(tmp_path / "out/final.mp4").media.tracks
    assert len(kept) == 3
    assert heard_tone(tmp_path / "out/final.mp4", tmp_path, track=2) == pytest.approx(500, abs=2)


@pytest.mark.parametrize(
    ("track", "sentence"),
    [
        (3, r"The clip has no sound track 3\. There are 1 \(apac, cannot be read\), 2 \(aac, mono\)\."),
        (1, r"Sound track 1 cannot be read \(apac\)\. There are 1 \(apac, cannot be read\), 2 \(aac, mono\)\."),
    ],
)
def test_a_number_that_cannot_be_had_is_an_error_that_lists_them(tmp_path: Path, track: int, sentence: str) -> None:
    clip = make_unknown(make_tracks(tmp_path / "a.mp4", tone(500), tone(900)), 0)
    with pytest.raises(ValidationError, match=sentence):
        probe(clip, track=track)
    single = make_tracks(tmp_path / "b.mp4", tone(500))
    with pytest.raises(ValidationError, match=r"no sound track 2\. There is 1 \(aac, mono\)\."):
        probe(single, track=2)


def test_names_of_tracks_are_one_short_line() -> None:
    tracks = tuple(SoundTrack(number=number, codec="aac", title="x") for number in range(1, 40))
    assert len(describe_choice(1, tracks)) < 400
    assert describe_choice(1, tracks[:1]) == ""


def test_results_and_requests_from_before_there_were_tracks_are_read() -> None:
    stored = b'{"container":"mp4","duration":1.0,"audio":{"codec":"aac","sample_rate":48000,"channels":2,'
    stored += b'"layout":"stereo","start":0.0},"video":null}'
    media = msgspec.json.decode(stored, type=MediaInfo)
    assert (media.track, media.tracks) == (1, ())
    assert msgspec.json.decode(b'{"task":"remix"}', type=Request).wanted_track is None
    assert b"track" not in msgspec.json.encode(parse_request({"track": "auto"}))
    assert msgspec.json.decode(msgspec.json.encode(parse_request({"track": 2})), type=Request).wanted_track == 2
