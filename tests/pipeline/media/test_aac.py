"""AAC in pieces: joined so that nobody hears where, as long as the sound, and as loud."""

from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.audio.channels import LAYOUTS, default_layout
from pipeline.errors import FFmpegError
from pipeline.media.aac import parallel_writer
from pipeline.media.aac import segment_encoder as aac
from pipeline.media.aac.parallel_writer import LEAD_IN_FRAMES, AacWriter
from pipeline.media.aac.segment_encoder import FRAME_SAMPLES, AudioFormat, encode_segment, is_supported, window_shape
from tests.pipeline.clips import decode

RATE = 44_100
STEREO = AudioFormat(sample_rate=RATE, layout=default_layout(2))


def decibels(samples: audio_io.Samples) -> float:
    return 10 * float(np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-20))


def make_sound(frames: int, channels: int = 2) -> audio_io.Samples:
    """Noise without much treble that swells, with a click each 0.7 s, so that windows change."""
    generator = np.random.default_rng(5)
    noise = np.cumsum(generator.standard_normal((frames + 8, channels)), axis=0)
    samples = 0.05 * (noise[8:] - noise[:-8]) * (0.3 + np.sin(np.arange(frames) / 9_000)[:, None] ** 2)
    samples[:: int(0.7 * RATE)] += 0.5
    return samples.clip(-0.9, 0.9).astype(np.float32)


def write(path: Path, samples: audio_io.Samples, form: AudioFormat) -> audio_io.Samples:
    """The file, and what the writer says that players hear."""
    heard = list[audio_io.Samples]()
    with AacWriter(path, form, on_decoded=heard.append) as writer:
        for start in range(0, len(samples), 10_000):
            writer.write(samples[start : start + 10_000])
        writer.finish()
    return np.concatenate(heard)


@pytest.fixture
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Pieces of 40 frames; the list gets how many frames after its first place each joint is."""
    joints = list[int]()
    find = parallel_writer.find_joint

    def spy(before: parallel_writer.Segment, after: parallel_writer.Segment) -> int:
        joints.append(find(before, after) - after.start)
        return joints[-1] + after.start

    monkeypatch.setattr(parallel_writer, "SEGMENT_FRAMES", 40)
    monkeypatch.setattr(parallel_writer, "find_joint", spy)
    return joints


@pytest.mark.parametrize("channels", [1, 2])
def test_pieces_are_joined_without_a_trace(
    tmp_path: Path, short_pieces: list[int], channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is coded as noise alone sounds different each time that it is decoded.
    for coder in ("FAST_CODER", "TWOLOOP_CODER"):
        monkeypatch.setattr(aac, coder, {**getattr(aac, coder), "aac_pns": "0"})
    form = AudioFormat(sample_rate=RATE, layout=default_layout(channels))
    samples = make_sound(250 * FRAME_SAMPLES + 77, channels)
    heard = write(tmp_path / "a.m4a", samples, form)
    assert len(short_pieces) >= 5
    assert max(short_pieces) < parallel_writer.JOINT_SEARCH_FRAMES - 1
    played = decode(tmp_path / "a.m4a")
    assert played.shape == samples.shape == heard.shape
    assert decibels(played - heard) < -100
    whole = encode_segment(samples, form).decoded
    for number, offset in enumerate(short_pieces, start=1):
        near = slice((40 * number + offset - 3) * FRAME_SAMPLES, (40 * number + offset + 2) * FRAME_SAMPLES)
        assert decibels((played - samples)[near]) < decibels((whole - samples)[near]) + 3


@pytest.mark.parametrize(
    "frames",
    [
        20,
        FRAME_SAMPLES,
        40 * FRAME_SAMPLES,
        (40 + LEAD_IN_FRAMES) * FRAME_SAMPLES + 1,
        (40 + parallel_writer.TAIL_FRAMES) * FRAME_SAMPLES,
    ],
)
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
    time = np.arange(60 * FRAME_SAMPLES) / RATE
    tone = np.repeat((10 ** (-4.5 / 20) * np.sin(2 * np.pi * 440 * time))[:, None], 2, axis=1).astype(np.float32)
    middle = slice(4 * FRAME_SAMPLES, -4 * FRAME_SAMPLES)
    quick = aac.encode_with(tone, STEREO, aac.FAST_CODER).decoded
    assert decibels(quick[middle]) < decibels(tone[middle]) - 0.5
    assert decibels(encode_segment(tone, STEREO).decoded[middle]) == pytest.approx(decibels(tone[middle]), abs=0.02)


def test_where_it_is_loud_alone_it_is_decoded_and_gives_the_same_level() -> None:
    samples = make_sound(80 * FRAME_SAMPLES)
    tone = 0.6 * np.sin(2 * np.pi * 440 * np.arange(9 * FRAME_SAMPLES) / RATE).astype(np.float32)[:, None]
    samples[17 * FRAME_SAMPLES : 26 * FRAME_SAMPLES] += tone
    samples[70 * FRAME_SAMPLES : 79 * FRAME_SAMPLES] += tone
    whole, packets_alone = (
        aac.encode_with(samples, STEREO, aac.FAST_CODER, decoded=decoded) for decoded in (True, False)
    )
    assert not len(packets_alone.decoded)
    level = aac.min_level_ratio(samples, whole, STEREO)
    assert level < 1.0
    assert aac.min_level_ratio(samples, packets_alone, STEREO) == pytest.approx(level, abs=1e-5)


def test_the_window_of_a_click_is_told_from_that_of_a_tone() -> None:
    samples = np.zeros((40 * FRAME_SAMPLES, 2), np.float32)
    samples[20 * FRAME_SAMPLES + 300] = 0.9
    found = [window_shape(packet) for packet in encode_segment(samples, STEREO).packets]
    assert {(2, 0), (2, 1)} & {*found[18:23]}, found
    assert found[30] in ((0, 0), (0, 1))


def test_a_failure_leaves_no_file(tmp_path: Path) -> None:
    def fail() -> None:
        with AacWriter(tmp_path / "a.m4a", STEREO) as writer:
            writer.write(make_sound(FRAME_SAMPLES))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert not (tmp_path / "a.m4a").exists()
    with AacWriter(tmp_path / "a.m4a", STEREO) as writer:
        writer.write(make_sound(FRAME_SAMPLES))
    assert not (tmp_path / "a.m4a").exists(), "it was not finished"
    with pytest.raises(FFmpegError, match="could not be written"), AacWriter(tmp_path / "no" / "a.m4a", STEREO):
        pass


def test_what_it_takes() -> None:
    assert is_supported(STEREO)
    assert not is_supported(AudioFormat(sample_rate=192_000, layout=default_layout(2)))
    assert not is_supported(AudioFormat(sample_rate=RATE, layout=LAYOUTS["5.1"]))
