from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.audio.channels import LAYOUTS
from pipeline.errors import AudioProcessingError, MediaError


def noise(frames: int, channels: int = 2, seed: int = 1) -> audio_io.Samples:
    steps = np.random.default_rng(seed).integers(-(2**23), 2**23, (frames, channels))
    return (steps / 2**23).astype(np.float32)


def test_24_bit_flac_keeps_every_bit(tmp_path: Path) -> None:
    samples = noise(50_001)
    samples[0] = -1.0
    audio_io.write(tmp_path / "a.flac", samples, 48_000)
    assert audio_io.info(tmp_path / "a.flac") == audio_io.SoundInfo(sample_rate=48_000, channels=2, frames=50_001)
    assert np.array_equal(audio_io.read(tmp_path / "a.flac"), samples)


def test_blocks_join_to_the_whole(tmp_path: Path) -> None:
    samples = noise(10_000, 1)
    audio_io.write(tmp_path / "a.flac", samples, 44_100)
    blocks = list(audio_io.read_blocks(tmp_path / "a.flac", block=3_000))
    assert [len(block) for block in blocks] == [3_000, 3_000, 3_000, 1_000]
    assert np.array_equal(np.concatenate(blocks), samples)
    part = np.concatenate(list(audio_io.read_blocks(tmp_path / "a.flac", block=900, start=2_000, frames=2_500)))
    assert np.array_equal(part, samples[2_000:4_500])
    assert list(audio_io.read_blocks(tmp_path / "a.flac", start=20_000)) == []


def test_beyond_full_scale_is_clipped_not_wrapped(tmp_path: Path) -> None:
    audio_io.write(tmp_path / "a.flac", np.array([[1.5], [-1.5]], np.float32), 44_100)
    assert audio_io.read(tmp_path / "a.flac").ravel() == pytest.approx([1.0, -1.0], abs=1e-6)


def test_resampling_in_blocks_has_no_seams() -> None:
    time = np.arange(44_100) / 44_100
    tone = np.sin(2 * np.pi * 440 * time).astype(np.float32)[:, None]
    cuts = [0, 5_000, 5_001, 30_000, 44_100]
    pieces = [tone[a:b] for a, b in pairwise(cuts)]
    joined = np.concatenate(list(audio_io.resample_blocks(pieces, 44_100, 16_000, channels=1)))
    assert len(joined) == 16_000
    whole = audio_io.resample(tone, 44_100, 16_000)
    assert np.abs(joined - whole).max() < 1e-4
    truth = np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    assert np.abs(joined[200:-200, 0] - truth[200:-200]).max() < 1e-3


def test_resampling_to_the_same_rate_changes_nothing() -> None:
    samples = noise(1_000)
    assert audio_io.resample(samples, 8_000, 8_000) is samples
    assert np.array_equal(np.concatenate(list(audio_io.resample_blocks([samples], 8, 8, channels=2))), samples)


def test_mono_is_the_mean() -> None:
    assert audio_io.to_mono(np.array([[1.0, 0.0], [0.5, -0.5]], np.float32)).tolist() == [[0.5], [0.0]]


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_flac_keeps_its_layout(tmp_path: Path, name: str) -> None:
    layout = LAYOUTS[name]
    samples = noise(3_000, len(layout.channels))
    with audio_io.SoundWriter(
        tmp_path / "a.flac", sample_rate=48_000, channels=len(layout.channels), layout=layout
    ) as writer:
        writer.write(samples)
    assert audio_io.read_layout(tmp_path / "a.flac") == layout
    assert np.array_equal(audio_io.read(tmp_path / "a.flac"), samples)
    with av.open(str(tmp_path / "a.flac")) as container:
        found = container.streams.audio[0].layout.name
    assert found in {name, f"{name}(side)"}


def test_without_a_tag_channels_are_what_flac_means(tmp_path: Path) -> None:
    audio_io.write(tmp_path / "a.flac", noise(100, 6), 48_000)
    assert audio_io.read_layout(tmp_path / "a.flac").name == "5.1"


def test_a_weighted_mix_is_one_channel() -> None:
    samples = np.array([[1.0, 0.5, 0.25], [0.0, -0.5, 0.25]], np.float32)
    assert audio_io.mix_to_mono(samples, (0.5, 1.0, 0.0)).tolist() == [[1.0], [-0.5]]
    stereo = noise(1_000)
    assert np.array_equal(audio_io.mix_to_mono(stereo, (0.5, 0.5)), audio_io.to_mono(stereo))


def test_no_sound_is_a_media_error(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_text("no sound at all")
    with pytest.raises(MediaError):
        audio_io.info(tmp_path / "a.flac")
    with pytest.raises(MediaError):
        list(audio_io.read_blocks(tmp_path / "missing.flac"))


def test_a_failed_writer_leaves_no_file(tmp_path: Path) -> None:
    def fail() -> None:
        with audio_io.SoundWriter(tmp_path / "a.flac", sample_rate=44_100, channels=1) as writer:
            writer.write(noise(10, 1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(AudioProcessingError, match="could not be written"):
        audio_io.SoundWriter(tmp_path / "missing" / "a.flac", sample_rate=44_100, channels=1)
