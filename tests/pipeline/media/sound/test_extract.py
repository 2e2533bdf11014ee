"""What goes through ffmpeg keeps its samples, its pictures and its timing."""

import threading
import time
from pathlib import Path

import av
import numpy as np
import psutil
import pytest

from pipeline.audio import io as audio_io
from pipeline.audio.polarity import INVERTED_NOTE
from pipeline.errors import Cancelled, FFmpegError, MediaError
from pipeline.media.compress import encode_within
from pipeline.media.ffmpeg import executable, input_arguments, run_ffmpeg
from pipeline.media.mux import mux
from pipeline.media.probe import probe
from pipeline.media.sound.encoding import encode_aac
from pipeline.media.sound.extract import convert
from tests.pipeline.clips import (
    decode,
    extract,
    ffmpeg,
    heard_at,
    make_click,
    make_clip,
    mix_down,
    packets,
    prepare_speech,
)

SAMPLE = Path(__file__).parents[3] / "data" / "sample.mp4"


@pytest.mark.parametrize(("rate", "channels"), [(44_100, 2), (48_000, 1), (96_000, 2)])
def test_the_master_has_every_sample_of_a_lossless_clip(tmp_path: Path, rate: int, channels: int) -> None:
    steps = np.random.default_rng(2).integers(-(2**22), 2**22, (rate // 2 + 17, channels))
    samples = (steps / 2**23).astype(np.float32)
    audio_io.write(tmp_path / "a.wav", samples, rate)
    ffmpeg("-i", tmp_path / "a.wav", "-c:a", "flac", tmp_path / "a.mkv")
    for name in ("a.wav", "a.mkv"):
        facts = extract(tmp_path / name, tmp_path / f"{name}.out")
        assert (facts.sample_rate, facts.channels) == (rate, channels)
        assert facts.duration == pytest.approx(len(samples) / rate)
        assert np.array_equal(audio_io.read(facts.sound), samples)


@pytest.mark.parametrize("damage", [np.inf, -1e30])
def test_a_damaged_sample_does_not_silence_the_others(tmp_path: Path, damage: float) -> None:
    samples = np.random.default_rng(2).uniform(-0.5, 0.5, (24_000, 2)).astype(np.float32)
    samples[9_000] = damage
    audio_io.write(tmp_path / "a.wav", samples, 48_000, subtype="FLOAT")
    facts = extract(tmp_path / "a.wav", tmp_path / "out")
    heard = audio_io.read(facts.sound)
    assert np.delete(heard, 9_000, axis=0) == pytest.approx(np.delete(samples, 9_000, axis=0), abs=1e-6)
    assert facts.notes == ("Some samples are no sound but damage, far beyond full scale; they are clipped.",)


def test_a_clip_that_was_cut_without_encoding_has_a_sound(tmp_path: Path) -> None:
    # Eight samples are left of its first frame.
    ffmpeg("-ss", "30", "-i", SAMPLE, "-t", "2", "-c", "copy", tmp_path / "cut.mp4")
    facts = extract(tmp_path / "cut.mp4", tmp_path / "out")
    assert facts.duration == pytest.approx(2.0, abs=0.05)
    convert(tmp_path / "cut.mp4", probe(tmp_path / "cut.mp4"), tmp_path / "b.flac", sample_rate=22_050, channels=1)
    assert audio_io.info(tmp_path / "b.flac").duration == pytest.approx(2.0, abs=0.05)


def test_the_basic_route_gets_the_plain_extraction(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", "-c:v", "libx264", "-ac", "2")
    facts = mix_down(extract(clip, tmp_path / "out").sound, tmp_path / "mono")
    assert [file.name for file in facts.sound.parent.iterdir()] == ["audio.wav"]
    made = audio_io.info(facts.sound)
    assert (made.sample_rate, made.channels) == (44_100, 1)
    with av.open(str(facts.sound)) as container:
        assert container.streams.audio[0].codec_context.name == "pcm_s16le"


def test_missing_packets_become_silence(tmp_path: Path) -> None:
    make_clip(tmp_path / "gap.mkv", "-c:a", "flac", "-af", "asetpts=PTS+gte(T\\,0.3)*0.5/TB", picture=False)
    facts = extract(tmp_path / "gap.mkv", tmp_path / "out")
    assert facts.duration == pytest.approx(1.1, abs=0.03)


def test_speech_models_hear_16_khz_mono(tmp_path: Path) -> None:
    time_axis = np.arange(44_100) / 44_100
    tone = 0.5 * np.sin(2 * np.pi * 500 * time_axis)
    audio_io.write(tmp_path / "a.flac", np.stack((tone, np.zeros_like(tone)), axis=1).astype(np.float32), 44_100)
    facts = prepare_speech(tmp_path / "a.flac", tmp_path / "out")
    assert (facts.duration, facts.notes) == (1.0, ())
    heard = audio_io.read(facts.speech)
    assert audio_io.info(facts.speech) == audio_io.SoundInfo(sample_rate=16_000, channels=1, frames=16_000)
    truth = 0.25 * np.sin(2 * np.pi * 500 * np.arange(16_000) / 16_000)
    assert np.abs(heard[200:-200, 0] - truth[200:-200]).max() < 1e-3


def test_a_dub_is_brought_to_the_form_of_the_clip(tmp_path: Path) -> None:
    dub = make_clip(tmp_path / "dub.mp3", picture=False, rate=44_100)
    convert(dub, probe(dub), tmp_path / "dub.flac", sample_rate=48_000, channels=2)
    of = audio_io.info(tmp_path / "dub.flac")
    assert (of.sample_rate, of.channels) == (48_000, 2)
    assert of.duration == pytest.approx(0.6, abs=0.005)
    samples = audio_io.read(tmp_path / "dub.flac")
    assert np.array_equal(samples[:, 0], samples[:, 1])
    assert np.abs(samples).max() == pytest.approx(0.125, abs=0.01)  # ffmpeg's sine has an amplitude of 1/8


CODECS = {
    "a.mp4": ("-c:v", "libx264", "-c:a", "aac"),
    "a.mov": ("-c:v", "libx264", "-c:a", "pcm_s16le"),
    "a.mkv": ("-c:v", "libx264", "-c:a", "flac"),
    "a.webm": ("-c:v", "libvpx-vp9", "-c:a", "libopus"),
}


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("start", [0.0, 0.3])
def test_muxing_keeps_every_picture_and_the_timing(tmp_path: Path, name: str, start: float) -> None:
    click = make_click(tmp_path / "click.wav", at=0.4)
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=1.5", "-i", click),
        *("-af", f"asetpts=PTS+{start}/TB", *CODECS[name], tmp_path / name),
    )
    clip = probe(tmp_path / name)
    encode_aac(click, tmp_path / "final.m4a", duration=1.0)
    mux(tmp_path / name, clip, tmp_path / "final.m4a", tmp_path / "final.mp4")
    before, after = packets(tmp_path / name), packets(tmp_path / "final.mp4")
    assert [data for data, _ in after] == [data for data, _ in before]
    assert [time for _, time in after] == pytest.approx([time for _, time in before], abs=0.002)
    assert clip.media.audio.lead_in == pytest.approx(start, abs=0.025)
    assert heard_at(tmp_path / "final.mp4") == pytest.approx(0.4, abs=0.003)
    assert heard_at(tmp_path / "final.m4a") == pytest.approx(0.4, abs=0.003)
    result = probe(tmp_path / "final.mp4")
    assert (result.media.audio.codec, result.notes) == ("aac", ())
    data = (tmp_path / "final.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # plays while it loads


def test_timing_is_kept_when_the_clock_does_not_begin_at_zero(tmp_path: Path) -> None:
    click = make_click(tmp_path / "click.wav", at=0.4)
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=1", "-i", click),
        *("-c:v", "libx264", "-bf", "0", "-c:a", "mp2", tmp_path / "a.ts"),
    )
    clip = probe(tmp_path / "a.ts")
    assert clip.zero > 1
    assert clip.media.duration == pytest.approx(1.0, abs=0.1)
    encode_aac(click, tmp_path / "final.m4a", duration=1.0)
    mux(tmp_path / "a.ts", clip, tmp_path / "final.m4a", tmp_path / "final.mp4")
    before = heard_at(tmp_path / "a.ts") - packets(tmp_path / "a.ts")[0][1]
    after = heard_at(tmp_path / "final.mp4") - packets(tmp_path / "final.mp4")[0][1]
    assert after == pytest.approx(before, abs=0.003)


def test_hostile_names_stay_names(tmp_path: Path) -> None:
    folder = tmp_path / "-i concat:%03d;$(touch x)"
    folder.mkdir()
    clip = make_clip(tmp_path / "a.wav", picture=False).rename(folder / "-y|http:`ls`.wav")
    facts = extract(clip, tmp_path / "out")
    assert facts.duration == pytest.approx(0.6)


@pytest.mark.parametrize(
    "text", ["#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.wav\n", "ffconcat version 1.0\nfile a.wav\n"]
)
def test_ffmpeg_itself_refuses_playlists(tmp_path: Path, text: str) -> None:
    make_clip(tmp_path / "a.wav", picture=False)
    path = tmp_path / "list.m3u8"
    path.write_text(text)
    with pytest.raises((FFmpegError, MediaError)) as caught:
        run_ffmpeg([*input_arguments(path), "-f", "null", "-"], timeout=20)
    assert "whitelist" in caught.value.detail


ENDLESS = ["-re", "-f", "lavfi", "-i", "sine=frequency=440", "-f", "null", "-"]


def test_ffmpeg_sees_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "secret")
    seen: list[dict[str, str]] = []

    def look(fraction: float, message: str = "") -> None:
        seen.extend(child.environ() for child in psutil.Process().children() if "ffmpeg" in child.name())

    with pytest.raises(FFmpegError, match="longer than allowed"):
        run_ffmpeg(ENDLESS, timeout=0.5, report=look)
    assert any("PATH" in environment for environment in seen)
    assert not any("DISCORD_TOKEN" in environment for environment in seen)


def test_a_run_has_a_time_limit() -> None:
    begun = time.monotonic()
    with pytest.raises(FFmpegError, match="longer than allowed"):
        run_ffmpeg(ENDLESS, timeout=0.5)
    assert time.monotonic() - begun < 5


def test_cancel_ends_ffmpeg_at_once() -> None:
    begun = time.monotonic()

    def report(fraction: float, message: str = "") -> None:
        if time.monotonic() - begun > 0.5:
            raise Cancelled("The job was stopped.")

    with pytest.raises(Cancelled):
        run_ffmpeg(ENDLESS, timeout=60, report=report, total=100)
    assert time.monotonic() - begun < 5
    assert threading.active_count() == 1 or all(
        not thread.name.endswith("(_drain)") for thread in threading.enumerate()
    )


def test_progress_comes_from_ffmpeg(tmp_path: Path) -> None:
    told: list[float] = []
    arguments = ["-re", "-f", "lavfi", "-i", "sine=duration=3", "-f", "wav", str(tmp_path / "a.wav")]
    run_ffmpeg(arguments, timeout=20, report=lambda fraction, message="": told.append(fraction), total=3)
    assert told == sorted(told)
    assert len({value for value in told if 0.1 < value < 0.95}) >= 2


def test_a_failure_carries_ffmpeg_s_own_words(tmp_path: Path) -> None:
    with pytest.raises(FFmpegError, match="could not work on this clip") as caught:
        run_ffmpeg(["-f", "lavfi", "-i", "nonsense", "-f", "null", "-"], timeout=20)
    assert "nonsense" in caught.value.detail
    assert executable().is_file()


def test_what_is_inverted_in_one_channel_is_heard_as_one_channel(tmp_path: Path) -> None:
    time = np.arange(2 * 48_000) / 48_000
    voice = (0.3 * np.sin(2 * np.pi * 300 * time)).astype(np.float32)
    for name, right in (("inverted", -voice), ("half", np.where(time > 1, -voice, voice))):
        source = tmp_path / f"{name}.wav"
        audio_io.write(source, np.stack([voice, right], axis=1).astype(np.float32), 48_000)
        basic = mix_down(extract(source, tmp_path / f"own {name}").sound, tmp_path / f"basic {name}")
        assert INVERTED_NOTE in basic.notes
        assert np.sqrt(np.mean(np.square(audio_io.read(basic.sound)))) == pytest.approx(0.3 / 2**0.5, rel=0.05)
        speech = prepare_speech(extract(source, tmp_path / name).sound, tmp_path / f"speech {name}")
        assert speech.notes == (INVERTED_NOTE,)
        assert np.sqrt(np.mean(np.square(audio_io.read(speech.speech)))) == pytest.approx(0.3 / 2**0.5, rel=0.05)
        encode_within(source, tmp_path / f"{name}.opus", size=9000)
        assert probe(tmp_path / f"{name}.opus").media.audio.channels == 1
        assert np.sqrt(np.mean(np.square(decode(tmp_path / f"{name}.opus")))) == pytest.approx(0.3 / 2**0.5, rel=0.1)


@pytest.mark.parametrize("frames", [1, 15, 17, 480])
def test_a_clip_of_a_few_samples_has_a_sound(tmp_path: Path, frames: int) -> None:
    samples = np.full((frames, 2), 0.25, np.float32)
    audio_io.write(tmp_path / "a.wav", samples, 48_000)
    master = audio_io.read(extract(tmp_path / "a.wav", tmp_path / "master").sound)
    np.testing.assert_array_equal(master[:frames], samples)
    assert len(master) == max(16, frames)
    basic = mix_down(tmp_path / "master" / "master.flac", tmp_path / "basic")
    assert audio_io.info(basic.sound).duration == pytest.approx(max(16, frames) / 48_000, abs=0.0001)
