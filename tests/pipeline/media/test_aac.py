"""AAC in pieces: joined so that nobody hears where, as long as the sound, and as loud."""

from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.audio.channels import LAYOUTS, default
from pipeline.errors import FFmpegError
from pipeline.media.aac import adts as aac_writer
from pipeline.media.aac import parallel_encoder as aac
from pipeline.media.aac.adts import LEAD, AacWriter
from pipeline.media.aac.parallel_encoder import FRAME, Form, encode, fits, window
from tests.pipeline.clips import decode

RATE = 44_100
STEREO = Form(sample_rate=RATE, layout=default(2))


def decibels(samples: audio_io.Samples) -> float:
    return 10 * float(np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-20))


def make_sound(frames: int, channels: int = 2) -> audio_io.Samples:
    """Noise without much treble that swells, with a click each 0.7 s, so that windows change."""
    generator = np.random.default_rng(5)
    noise = np.cumsum(generator.standard_normal((frames + 8, channels)), axis=0)
    samples = 0.05 * (noise[8:] - noise[:-8]) * (0.3 + np.sin(np.arange(frames) / 9_000)[:, None] ** 2)
    samples[:: int(0.7 * RATE)] += 0.5
    return samples.clip(-0.9, 0.9).astype(np.float32)


def write(path: Path, samples: audio_io.Samples, form: Form) -> audio_io.Samples:
    """The file, and what the writer says that players hear."""
    heard = list[audio_io.Samples]()
    with AacWriter(path, form, on_heard=heard.append) as writer:
        for start in range(0, len(samples), 10_000):
            writer.write(samples[start : start + 10_000])
        writer.finish()
    return np.concatenate(heard)


@pytest.fixture
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Pieces of 40 frames; the list gets how many frames after its first place each joint is."""
    joints = list[int]()
    find = aac_writer.find_joint

    def spy(before: aac_writer.Piece, after: aac_writer.Piece) -> int:
        joints.append(find(before, after) - after.own)
        return joints[-1] + after.own

    monkeypatch.setattr(aac_writer, "PIECE", 40)
    monkeypatch.setattr(aac_writer, "find_joint", spy)
    return joints


@pytest.mark.parametrize("channels", [1, 2])
def test_pieces_are_joined_without_a_trace(
    tmp_path: Path, short_pieces: list[int], channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is coded as noise alone sounds different each time that it is decoded.
    for coder in ("QUICK", "THOROUGH"):
        monkeypatch.setattr(aac, coder, {**getattr(aac, coder), "aac_pns": "0"})
    form = Form(sample_rate=RATE, layout=default(channels))
    samples = make_sound(250 * FRAME + 77, channels)
    heard = write(tmp_path / "a.m4a", samples, form)
    assert len(short_pieces) >= 5
    assert max(short_pieces) < aac_writer.SEARCH - 1
    played = decode(tmp_path / "a.m4a")
    assert played.shape == samples.shape == heard.shape
    assert decibels(played - heard) < -100
    whole = encode(samples, form).heard
    for number, offset in enumerate(short_pieces, start=1):
        near = slice((40 * number + offset - 3) * FRAME, (40 * number + offset + 2) * FRAME)
        assert decibels((played - samples)[near]) < decibels((whole - samples)[near]) + 3


@pytest.mark.parametrize("frames", [20, FRAME, 40 * FRAME, (40 + LEAD) * FRAME + 1, (40 + aac_writer.TAIL) * FRAME])
def test_as_long_as_the_sound_and_from_its_first_sample(tmp_path: Path, short_pieces: list[int], frames: int) -> None:
    samples = make_sound(frames)
    heard = write(tmp_path / "a.m4a", samples, STEREO)
    assert len(heard) == frames
    with av.open(str(tmp_path / "a.m4a")) as container:
        stream = container.streams.audio[0]
        assert stream.start_time == 0
        assert stream.duration == frames
    assert decode(tmp_path / "a.m4a").shape == samples.shape


def test_a_strong_tone_stays_as_strong() -> None:
    """The quick coder makes it 0.9 dB quieter."""
    time = np.arange(60 * FRAME) / RATE
    tone = np.repeat((10 ** (-4.5 / 20) * np.sin(2 * np.pi * 440 * time))[:, None], 2, axis=1).astype(np.float32)
    middle = slice(4 * FRAME, -4 * FRAME)
    quick = aac.code(tone, STEREO, aac.QUICK).heard
    assert decibels(quick[middle]) < decibels(tone[middle]) - 0.5
    assert decibels(encode(tone, STEREO).heard[middle]) == pytest.approx(decibels(tone[middle]), abs=0.02)


def test_where_it_is_loud_alone_it_is_decoded_and_gives_the_same_level() -> None:
    samples = make_sound(80 * FRAME)
    tone = 0.6 * np.sin(2 * np.pi * 440 * np.arange(9 * FRAME) / RATE).astype(np.float32)[:, None]
    samples[17 * FRAME : 26 * FRAME] += tone
    samples[70 * FRAME : 79 * FRAME] += tone
    whole, packets_alone = (aac.code(samples, STEREO, aac.QUICK, listen=listen) for listen in (True, False))
    assert not len(packets_alone.heard)
    level = aac.lowest_level(samples, whole, STEREO)
    assert level < 1.0
    assert aac.lowest_level(samples, packets_alone, STEREO) == pytest.approx(level, abs=1e-5)


def test_the_window_of_a_click_is_told_from_that_of_a_tone() -> None:
    samples = np.zeros((40 * FRAME, 2), np.float32)
    samples[20 * FRAME + 300] = 0.9
    found = [window(packet) for packet in encode(samples, STEREO).packets]
    assert {(2, 0), (2, 1)} & {*found[18:23]}, found
    assert found[30] in ((0, 0), (0, 1))


def test_a_failure_leaves_no_file(tmp_path: Path) -> None:
    def fail() -> None:
        with AacWriter(tmp_path / "a.m4a", STEREO) as writer:
            writer.write(make_sound(FRAME))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert not (tmp_path / "a.m4a").exists()
    with AacWriter(tmp_path / "a.m4a", STEREO) as writer:
        writer.write(make_sound(FRAME))
    assert not (tmp_path / "a.m4a").exists(), "it was not finished"
    with pytest.raises(FFmpegError, match="could not be written"), AacWriter(tmp_path / "no" / "a.m4a", STEREO):
        pass


def test_what_it_takes() -> None:
    assert fits(STEREO)
    assert not fits(Form(sample_rate=192_000, layout=default(2)))
    assert not fits(Form(sample_rate=RATE, layout=LAYOUTS["5.1"]))
