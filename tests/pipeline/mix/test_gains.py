"""The mix is the sum asked for, sample by sample, as long as the clip."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.errors import MixError
from pipeline.mix.gains import DEFAULT_CEILING, Track, check_same_format, peak_gain, read_aligned, sum_block


def noise(frames: int, channels: int = 2, seed: int = 1) -> audio_io.Samples:
    return (0.3 * np.random.default_rng(seed).uniform(-1, 1, (frames, channels))).astype(np.float32)


def test_gains_are_exact_and_do_not_step_when_a_part_ends(tmp_path: Path) -> None:
    frames = audio_io.BLOCK_FRAMES + 5_000
    voice, background = noise(audio_io.BLOCK_FRAMES - 700, seed=1), noise(frames + 900, seed=2)
    audio_io.write(tmp_path / "v.flac", voice, 44_100)
    audio_io.write(tmp_path / "b.flac", background, 44_100)
    parts = [Track(path=tmp_path / "v.flac", gain=1.5), Track(path=tmp_path / "b.flac", gain=0.7)]
    clip_info = audio_io.SoundInfo(sample_rate=44_100, channels=2, frames=frames)
    blocks = [sum_block(found, parts) for found in read_aligned([part.path for part in parts], clip_info)]
    mix = np.concatenate(blocks)
    assert len(mix) == frames
    expected = 0.7 * background[:frames].astype(np.float64)
    expected[: len(voice)] += 1.5 * voice
    assert np.abs(mix - expected).max() < 2**-22


def test_a_part_far_too_short_is_silence_to_the_end(tmp_path: Path) -> None:
    audio_io.write(tmp_path / "a.flac", noise(10, 1), 8_000)
    clip_info = audio_io.SoundInfo(sample_rate=8_000, channels=1, frames=2 * audio_io.BLOCK_FRAMES + 1)
    blocks = [block for (block,) in read_aligned([tmp_path / "a.flac"], clip_info)]
    assert [len(block) for block in blocks] == [audio_io.BLOCK_FRAMES, audio_io.BLOCK_FRAMES, 1]
    assert not blocks[1].any()


def test_turned_down_only_when_needed() -> None:
    assert peak_gain(0.5, 0.4) == 1.0
    assert peak_gain(0.0, 0.0) == 1.0
    assert peak_gain(2.0, 0.4) == pytest.approx(DEFAULT_CEILING / 2)
    assert peak_gain(1.0, 0.99) == pytest.approx(0.99)  # a loud clip may stay as loud as it is
    assert peak_gain(1.4, 1.2) == pytest.approx(1 / 1.4)


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 2), (44_100, 1)])
def test_parts_that_do_not_fit_are_refused(tmp_path: Path, rate: int, channels: int) -> None:
    audio_io.write(tmp_path / "v.flac", noise(100, channels), rate)
    clip_info = audio_io.SoundInfo(sample_rate=44_100, channels=2, frames=100)
    with pytest.raises(MixError, match="do not fit"):
        check_same_format([Track(path=tmp_path / "v.flac", gain=1.0)], clip_info)
