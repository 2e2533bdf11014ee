"""All that people take or give is on one clock, and no clip is made shorter without a word."""

import re
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.errors import MediaError
from pipeline.media import clip_tools
from pipeline.media.containers.joined_files import may_restart
from pipeline.media.probe import Probe, probe
from tests.pipeline.clips import describe, extract, ffmpeg, make_click, make_clip

VIDEO = ("-c:v", "libx264", "-c:a", "aac")
TONES = (440, 880)


def tone_clip(path: Path, tone: int, *coding: str, seconds: float = 2.0, picture: bool = True) -> Path:
    """A clip of one tone."""
    video = ("-f", "lavfi", "-i", f"testsrc=size=64x48:rate=25:duration={seconds}") if picture else ()
    ffmpeg(*video, "-f", "lavfi", "-i", f"sine=frequency={tone}:sample_rate=48000:duration={seconds}", *coding, path)
    return path


def join(target: Path, *parts: Path) -> Path:
    """Put files together byte by byte, as people do with recordings."""
    target.write_bytes(b"".join(part.read_bytes() for part in parts))
    return target


def level(sound: Path, tone: int, start: float, end: float) -> float:
    """Level of a tone between two times, dB under full scale."""
    rate = audio_io.info(sound).sample_rate
    samples = audio_io.read(sound, start=int(start * rate), frames=int((end - start) * rate)).mean(axis=1)
    wave = np.exp(-2j * np.pi * tone * np.arange(len(samples)) / rate)
    return 20 * float(np.log10(2 * abs(np.mean(samples * wave)) + 1e-9))


def click_at(sound: Path) -> float:
    """When the first loud sample is heard, seconds."""
    samples = np.abs(audio_io.read(sound)).max(axis=1)
    return float(np.argmax(samples > 0.2)) / audio_io.info(sound).sample_rate


def whole(path: Path, clip: Probe, seconds: float) -> None:
    """The clip has all of its sound."""
    assert clip.media.duration == pytest.approx(seconds, abs=0.1)
    facts = extract(path, path.parent / f"{path.name}.out")
    assert facts.duration == pytest.approx(seconds, abs=0.1)


@pytest.mark.parametrize("start", [3.0, 68.7])
def test_a_length_that_counts_from_the_first_packet_loses_nothing(tmp_path: Path, start: float) -> None:
    path = make_clip(tmp_path / "a.mkv", *VIDEO, "-output_ts_offset", f"{start}", seconds=10.0)
    declare_length(path, 10.0)
    clip = probe(path)
    assert clip.notes == ()
    whole(path, clip, 10.0)


def declare_length(path: Path, seconds: float) -> None:
    """Write another length into the header of a Matroska file."""
    data = bytearray(path.read_bytes())
    found = re.search(rb"\x44\x89\x88", data)  # Duration, eight bytes, in milliseconds
    assert found is not None
    data[found.end() : found.end() + 8] = np.array([seconds * 1000], ">f8").tobytes()
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["a.webm", "a.mkv"])
def test_a_length_that_is_too_short_is_not_believed(tmp_path: Path, name: str) -> None:
    path = make_clip(tmp_path / name, "-c:a", "libopus", seconds=15.2, picture=False)
    declare_length(path, 3.0)
    clip = probe(path)
    assert clip.notes == ()
    whole(path, clip, 15.2)


@pytest.mark.parametrize("name", ["a.ts", "a.mkv", "a.ogg", "a.mp3"])
def test_recordings_that_were_put_together_are_heard_to_the_end(tmp_path: Path, name: str) -> None:
    coding = {"a.ogg": ("-c:a", "libopus"), "a.mp3": ("-c:a", "libmp3lame")}.get(name, VIDEO)
    video = name in ("a.ts", "a.mkv")
    first = tone_clip(tmp_path / f"1{name}", TONES[0], *coding, seconds=4.0, picture=video)
    second = tone_clip(tmp_path / f"2{name}", TONES[1], *coding, seconds=3.0, picture=video)
    path = join(tmp_path / name, first, second)
    clip = probe(path)
    assert clip.media.duration == pytest.approx(7.0, abs=0.1)
    facts = extract(path, tmp_path / "out")
    assert facts.duration == pytest.approx(7.0, abs=0.1)
    assert level(facts.sound, TONES[0], 0.5, 3.5) > -20 > -60 > level(facts.sound, TONES[0], 4.5, 6.5)
    assert level(facts.sound, TONES[1], 4.5, 6.5) > -20 > -60 > level(facts.sound, TONES[1], 0.5, 3.5)
    if name != "a.mp3":
        assert clip.notes == ("The clip is several recordings put together; they are taken one after the other.",)
        clip_tools.cut(path, clip, tmp_path / "part.wav", start=3.0, end=5.0)
        assert level(tmp_path / "part.wav", TONES[0], 0.1, 0.9) > -20
        assert level(tmp_path / "part.wav", TONES[1], 1.1, 1.9) > -20
    if name == "a.ts":
        with pytest.raises(MediaError, match="put together"):
            clip_tools.cut(path, clip, tmp_path / "part.mp4", start=3.0, end=5.0)


def test_a_rest_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    first = tone_clip(tmp_path / "1.ogg", TONES[0], "-c:a", "libvorbis", "-ac", "1", seconds=4.0, picture=False)
    second = tone_clip(tmp_path / "2.ogg", TONES[1], "-c:a", "libvorbis", "-ac", "2", seconds=60.0, picture=False)
    clip = probe(join(tmp_path / "a.ogg", first, second))
    assert clip.media.duration == pytest.approx(4.0, abs=0.1)
    assert re.fullmatch(r"The last \d\.\d MiB of the file hold no sound .* are left out\.", clip.notes[0])


def test_a_large_file_is_looked_at_in_places(tmp_path: Path) -> None:
    noise = ("-f", "lavfi", "-i", "anoisesrc=d=100:r=48000:a=0.5", "-ac", "2", "-c:a", "libvorbis", "-q:a", "10")
    ffmpeg(*noise, tmp_path / "large.ogg")
    large = tmp_path / "large.ogg"
    assert large.stat().st_size > 4 * 2**20
    assert not may_restart(large, "ogg")
    short = tone_clip(tmp_path / "short.ogg", TONES[0], "-c:a", "libvorbis", picture=False)
    assert may_restart(join(tmp_path / "with short.ogg", large, short), "ogg")
    assert may_restart(join(tmp_path / "twice.ogg", large, large), "ogg")


@pytest.mark.parametrize(("name", "coding"), [("a.mp4", "aac"), ("a.wav", "pcm_s16le"), ("a.flac", "flac")])
def test_a_second_recording_is_taken_or_told(tmp_path: Path, name: str, coding: str) -> None:
    part = tone_clip(tmp_path / f"1{name}", TONES[0], "-c:a", coding, seconds=4.0, picture=False)
    assert extract(part, tmp_path / "part").notes == ()
    facts = extract(join(tmp_path / name, part, part), tmp_path / "out")
    taken = facts.duration == pytest.approx(8.0, abs=0.1)
    assert any(("put together" if taken else "left out") in note for note in facts.notes)


@pytest.mark.parametrize("sample", range(1, 4801, 1600))
def test_a_short_vorbis_has_its_length(tmp_path: Path, sample: int) -> None:
    path = tmp_path / "a.ogg"
    filters = f"atrim=end_sample={sample}"
    ffmpeg("-f", "lavfi", "-i", "sine=sample_rate=48000:duration=1", "-af", filters, "-c:a", "libvorbis", path)
    assert probe(path).media.duration == pytest.approx(sample / 48_000, abs=0.01)


def move_stamps(source: Path, target: Path, moved: Callable[[int, float], float | None]) -> Path:
    """Write a sound again with other time stamps, by the number and the time of each packet; None leaves it out."""
    with av.open(str(source)) as read, av.open(str(target), "w") as made:
        copy = made.add_stream_from_template(read.streams.audio[0])
        for index, packet in enumerate(read.demux(audio=0)):
            if packet.pts is None or packet.time_base is None:
                continue
            time = moved(index, float(packet.pts * packet.time_base))
            if time is not None:
                packet.pts = packet.dts = round(time / packet.time_base)
                packet.stream = copy
                made.mux(packet)
    return target


@pytest.mark.parametrize("kind", ["jitter", "bursts", "pairs"])
def test_stamps_that_go_back_and_forth_cost_no_sound(tmp_path: Path, kind: str) -> None:
    noise = tmp_path / "noise.wav"
    audio_io.write(noise, np.random.default_rng(5).uniform(-0.5, 0.5, (8 * 48_000, 1)).astype(np.float32), 48_000)
    ffmpeg("-i", noise, "-c:a", "flac", "-frame_size", "1024", tmp_path / "steady.mkv")
    frame, shifts = 1024 / 48_000, np.random.default_rng(6).uniform(0.0, 0.03, 400)
    ways = {
        "jitter": lambda index, time: max(shifts[: index + 1] + np.arange(index + 1) * frame),
        "bursts": lambda index, time: index // 8 * 8 * frame + index % 8 * 0.001,
        "pairs": lambda index, time: index // 2 * 2 * frame,
    }
    path = move_stamps(tmp_path / "steady.mkv", tmp_path / "moved.mkv", ways[kind])
    facts = extract(path, tmp_path / "out")
    assert facts.notes == ()
    samples = audio_io.read(noise)
    offset = round(facts.duration * 48_000) - len(samples)
    assert 0 <= offset <= 0.035 * 48_000
    assert np.array_equal(audio_io.read(facts.sound)[offset:], samples)


def test_a_gap_between_stamps_that_go_back_and_forth_is_kept(tmp_path: Path) -> None:
    steady = tone_clip(tmp_path / "a.mkv", TONES[0], "-c:a", "flac", "-frame_size", "1024", seconds=6.0, picture=False)
    frame = 1024 / 48_000
    path = move_stamps(
        steady,
        tmp_path / "moved.mkv",
        lambda index, time: None if 2.0 <= time < 3.0 else index // 4 * 4 * frame + index % 4 * 0.001,
    )
    facts = extract(path, tmp_path / "out")
    assert facts.duration == pytest.approx(6.0, abs=0.1)
    assert [re.sub(r"[\d.]+ s", "1 s", note) for note in facts.notes] == [
        "1 s of the sound at 0:02 is not in the file; silence stands there."
    ]
    assert level(facts.sound, TONES[0], 0.1, 1.9) > -25 > -60 > level(facts.sound, TONES[0], 2.1, 2.9)
    assert level(facts.sound, TONES[0], 3.1, 5.9) > -25


def test_an_avi_that_is_cut_off_says_so(tmp_path: Path) -> None:
    whole = tone_clip(tmp_path / "whole.avi", TONES[0], "-c:v", "mpeg4", "-c:a", "mp3", seconds=6.0)
    assert probe(whole).notes == ()
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert re.fullmatch(r"The file is cut off: [234] s of 6 s could be read\.", probe(cut).notes[0])


def test_a_track_whose_form_changes_stays_in_its_place(tmp_path: Path) -> None:
    first = tone_clip(tmp_path / "1.ts", TONES[0], *VIDEO, "-ac", "2", seconds=4.0)
    second = tone_clip(tmp_path / "2.ts", TONES[1], *VIDEO, "-ac", "1", "-output_ts_offset", "4", seconds=3.0)
    facts = extract(join(tmp_path / "a.ts", first, second), tmp_path / "out")
    assert facts.duration == pytest.approx(7.0, abs=0.1)
    assert level(facts.sound, TONES[0], 0.5, 3.5) > -25 > -60 > level(facts.sound, TONES[0], 4.5, 6.5)
    assert level(facts.sound, TONES[1], 4.5, 6.5) > -25 > -60 > level(facts.sound, TONES[1], 0.5, 3.5)


def test_a_sound_that_begins_late_has_silence_in_front_everywhere(tmp_path: Path) -> None:
    click = make_click(tmp_path / "click.wav", at=0.5, seconds=3.0)
    path = tmp_path / "late.mkv"
    video = ("-f", "lavfi", "-i", "testsrc=size=64x48:rate=25:duration=7")
    ffmpeg(*video, "-itsoffset", "4", "-i", click, "-c:v", "libx264", "-c:a", "flac", path)
    media = describe(path, tmp_path / "facts").media
    assert (media.audio.start, media.audio.lead_in) == (0.0, pytest.approx(4.0, abs=0.002))
    facts = extract(path, tmp_path / "out")
    assert "The sound begins 4.0 s after the picture; silence stands in front of it." in facts.notes
    assert click_at(facts.sound) == pytest.approx(4.5, abs=0.005)
    clip = probe(path)
    clip_tools.extract_sound(path, clip, tmp_path / "all.wav")
    assert click_at(tmp_path / "all.wav") == pytest.approx(4.5, abs=0.005)
    clip_tools.cut(path, clip, tmp_path / "part.wav", start=3.0, end=6.0)
    assert click_at(tmp_path / "part.wav") == pytest.approx(1.5, abs=0.005)


@pytest.mark.parametrize("name", ["a.mkv", "a.ts", "a.mp4"])
def test_missing_packets_move_nothing_that_comes_later(tmp_path: Path, name: str) -> None:
    click = make_click(tmp_path / "click.wav", at=5.0, seconds=6.0)
    gap = "aselect=not(between(t\\,2\\,3.5))+between(t\\,4\\,4.06)*0"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc=size=64x48:rate=25:duration=6", "-i", click),
        *("-af", gap, "-c:v", "libx264", "-c:a", "ac3", tmp_path / name),
    )
    facts = extract(tmp_path / name, tmp_path / "out")
    assert click_at(facts.sound) == pytest.approx(5.0, abs=0.02)
    assert any(re.match(r"1\.5 s of the sound at 0:02 is not in the file", note) for note in facts.notes)
    clip = probe(tmp_path / name)
    clip_tools.cut(tmp_path / name, clip, tmp_path / "part.wav", start=1.0, end=6.0)
    assert click_at(tmp_path / "part.wav") == pytest.approx(4.0, abs=0.02)
    clip_tools.extract_sound(tmp_path / name, clip, tmp_path / "all.wav")
    assert click_at(tmp_path / "all.wav") == pytest.approx(5.0, abs=0.02)


def test_damage_is_told_and_moves_nothing(tmp_path: Path) -> None:
    click = make_click(tmp_path / "click.wav", at=7.0, seconds=8.0)
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x48:rate=25:duration=8", "-i", click, *VIDEO, tmp_path / "a.mp4")
    path = tmp_path / "a.mp4"
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        for packet in container.demux(audio=0):
            if packet.pts is not None and packet.pos and 5.0 <= float(packet.pts * packet.time_base) < 6.3:
                data[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    path.write_bytes(data)
    facts = extract(path, tmp_path / "out")
    assert click_at(facts.sound) == pytest.approx(7.0, abs=0.02)
    assert any(re.match(r"1\.\d s of the sound at 0:0[45] could not be decoded", note) for note in facts.notes)
    clip_tools.cut(path, probe(path), tmp_path / "part.wav", start=4.0, end=8.0)
    assert click_at(tmp_path / "part.wav") == pytest.approx(3.0, abs=0.02)


@pytest.mark.parametrize("coding", [("wav", "pcm_f32le"), ("mkv", "pcm_f64le"), ("mp3", "libmp3lame")])
def test_a_sound_over_full_scale_keeps_its_shape(tmp_path: Path, coding: tuple[str, str]) -> None:
    path = tmp_path / f"a.{coding[0]}"
    ffmpeg("-f", "lavfi", "-i", "aevalsrc=1.9*sin(2*PI*440*t):s=48000:d=2", "-c:a", coding[1], path)
    facts = extract(path, tmp_path / "out")
    assert facts.gain_db == pytest.approx(-5.575, abs=0.3)
    assert any("over full scale; all of it was made" in note for note in facts.notes)
    samples = audio_io.read(facts.sound)[9_600:-9_600, 0]
    assert np.abs(samples).max() == pytest.approx(1.0, abs=0.03)
    spectrum = np.square(np.abs(np.fft.rfft(samples * np.hanning(len(samples)))))
    third = round(3 * 440 * len(samples) / 48_000)
    assert spectrum[third - 3 : third + 4].sum() < 1e-6 * spectrum.sum()  # clipping makes a third harmonic


def test_a_sound_within_full_scale_is_untouched(tmp_path: Path) -> None:
    samples = np.random.default_rng(1).uniform(-1, 1, (48_000, 2)).astype(np.float32)
    audio_io.write(tmp_path / "a.wav", samples, 48_000, subtype="FLOAT")
    facts = extract(tmp_path / "a.wav", tmp_path / "out")
    assert facts.gain_db == 0.0
    assert np.abs(audio_io.read(facts.sound) - samples).max() <= 2**-23
