"""Copies that fit: the rate that a limit leaves, and files that keep to it."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.media.compress import MIN_BIT_RATE, encode_within, opus_rate
from pipeline.media.probe import probe

RATE = 48_000
MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("minutes", "channels", "expected"),
    [
        (1, 2, (160_000, 2)),
        (1, 1, (96_000, 1)),
        (15, 2, (int(10 * MIB * 8 * 0.96 / 900), 2)),
        (40, 2, (int(10 * MIB * 8 * 0.96 / 2400), 1)),
        (120, 2, (0, 0)),
    ],
)
def test_the_rate_that_ten_mebibytes_leave(minutes: int, channels: int, expected: tuple[int, int]) -> None:
    assert opus_rate(10 * MIB, minutes * 60.0, channels) == expected


def noise(path: Path, seconds: float, channels: int = 2) -> Path:
    samples = np.random.default_rng(5).uniform(-0.5, 0.5, (int(RATE * seconds), channels)).astype(np.float32)
    soundfile.write(path, samples, RATE, subtype="PCM_24")
    return path


@pytest.mark.parametrize("size", [30_000, 90_000, 1_000_000])
def test_noise_keeps_to_the_size(tmp_path: Path, size: int) -> None:
    sound = noise(tmp_path / "noise.flac", 10.0)
    target = tmp_path / "compact.opus"
    rate = encode_within(sound, target, size=size)
    assert rate >= MIN_BIT_RATE
    assert target.stat().st_size <= size
    media = probe(target).media
    assert (media.audio.codec, media.audio.channels) == ("opus", 2 if size > 60_000 else 1)
    assert abs(media.duration - 10.0) < 0.05


def test_many_channels_are_folded(tmp_path: Path) -> None:
    target = tmp_path / "compact.opus"
    assert encode_within(noise(tmp_path / "surround.wav", 2.0, channels=6), target, size=200_000) > 0
    assert probe(target).media.audio.channels == 2


def test_too_long_for_the_size_gives_no_file(tmp_path: Path) -> None:
    target = tmp_path / "compact.opus"
    assert encode_within(noise(tmp_path / "noise.flac", 10.0), target, size=10_000) == 0
    assert not target.exists()
