"""The meter against the standard's own signals, and against two other programs."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest

from pipeline import sound
from pipeline.media.ffmpeg import executable
from pipeline.mix.loudness import Meter, decibels
from pipeline.types import Loudness


def tone(seconds: float, level: float, rate: int, channels: int = 2, frequency: float = 997.0) -> sound.Samples:
    """A sine of a peak level in dBFS, in all channels."""
    wave = 10 ** (level / 20) * np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def read(samples: sound.Samples, rate: int, block: int = 10_007) -> Loudness:
    meter = Meter(rate, samples.shape[1])
    for start in range(0, len(samples), block):
        meter.add(samples[start : start + block])
    return meter.read()


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_reference_tone(rate: int) -> None:
    """EBU Tech 3341, case 1 and 2: a stereo 1 kHz sine at -23 and -33 dBFS reads as many LUFS."""
    for level in (-23.0, -33.0):
        assert read(tone(20, level, rate, frequency=1000), rate).integrated == pytest.approx(level, abs=0.1)


def test_gates() -> None:
    """EBU Tech 3341, case 3 to 5: quiet stretches do not count."""
    for levels, seconds in (((-36, -23, -36), (10, 60, 10)), ((-72, -36, -23, -36, -72), (10, 10, 60, 10, 10))):
        parts = [tone(s, level, 8_000) for level, s in zip(levels, seconds, strict=True)]
        assert read(np.concatenate(parts), 8_000).integrated == pytest.approx(-23.0, abs=0.1)
    parts = [tone(20, -26, 8_000), tone(20.1, -20, 8_000), tone(20, -26, 8_000)]
    assert read(np.concatenate(parts), 8_000).integrated == pytest.approx(-23.0, abs=0.1)


def test_agrees_with_ffmpeg_and_pyloudnorm(tmp_path: Path) -> None:
    generator = np.random.default_rng(6)
    envelope = np.repeat(generator.uniform(0, 0.3, 60), 8_820)[:, None]
    samples = (envelope * generator.standard_normal((60 * 8_820, 2)) * [0.5, 1.0]).clip(-1, 1).astype(np.float32)
    sound.write(tmp_path / "a.wav", samples, 44_100, subtype="FLOAT")
    command = [executable(), "-nostats", "-i", tmp_path / "a.wav", "-af", "ebur128", "-f", "null", "-"]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stderr
    by_ffmpeg = float(re.findall(r"I:\s+(-?[\d.]+) LUFS", said)[-1])
    ours = read(samples, 44_100)
    assert ours.integrated == pytest.approx(by_ffmpeg, abs=0.1)
    assert ours.integrated == pytest.approx(pyloudnorm.Meter(44_100).integrated_loudness(samples), abs=0.1)
    assert ours.peak == pytest.approx(20 * np.log10(np.abs(samples).max()), abs=0.01)


def test_the_blocks_do_not_matter() -> None:
    samples = tone(3, -12, 44_100)
    assert read(samples, 44_100, block=997) == read(samples, 44_100, block=200_000)


def test_silence_and_less_than_a_block_have_no_loudness() -> None:
    assert read(np.zeros((44_100, 2), np.float32), 44_100) == Loudness(integrated=None, peak=None)
    short = read(tone(0.2, -6, 44_100), 44_100)
    assert short.integrated is None
    assert short.peak == pytest.approx(-6.0, abs=0.01)
    assert Meter(44_100, 1).read() == Loudness(integrated=None, peak=None)
    assert decibels(0.0) is None
    assert decibels(0.5) == -6.02
