"""The limiter keeps true peaks below its ceiling, changes nothing else, and does not care about blocks."""

import numpy as np
import pytest
import soxr

from pipeline.audio import io as audio_io
from pipeline.mix.limiter import Limiter, limit

RATE = 44_100


def run(samples: audio_io.Samples, *, ceiling: float = -1.0, block: int = 50_000, rate: int = RATE) -> audio_io.Samples:
    limiter = Limiter(rate, samples.shape[1], ceiling)
    blocks = (samples[start : start + block] for start in range(0, len(samples), block))
    return np.concatenate(list(limit(blocks, limiter)))


def true_peak(samples: audio_io.Samples) -> float:
    """By a filter other than the limiter's, at eight times the rate; dB."""
    return 20 * float(np.log10(np.abs(soxr.resample(samples, 1, 8, quality="VHQ")).max()))


def noise(frames: int = RATE, level: float = 0.5, channels: int = 2) -> audio_io.Samples:
    return (level * np.random.default_rng(4).standard_normal((frames, channels))).astype(np.float32)


@pytest.mark.parametrize("level", [0.3, 1.0, 3.0])
def test_no_true_peak_passes(level: float) -> None:
    found = run(noise(level=level))
    assert len(found) == RATE
    assert true_peak(found) <= -0.7  # white up to half the rate, where four times the rate is coarsest


def test_a_peak_between_samples_counts() -> None:
    wave = np.sin(np.pi / 2 * np.arange(RATE) + np.pi / 4)[:, None].astype(np.float32)
    assert np.abs(wave).max() < 0.71
    assert true_peak(run(wave, ceiling=-3.0)[2_000:-2_000]) == pytest.approx(-3.0, abs=0.1)


def test_quiet_sound_passes_untouched() -> None:
    samples = noise(level=0.1)
    assert np.array_equal(run(samples), samples)


@pytest.mark.parametrize("block", [1, 100, 7_919])
def test_blocks_do_not_matter(block: int) -> None:
    samples = noise(3_000, 1.0)
    assert run(samples, block=block) == pytest.approx(run(samples, block=3_000), abs=1e-6)


def test_it_turns_down_smoothly_before_the_peak_and_lets_go_after_it() -> None:
    samples = np.full((RATE, 1), 0.1, np.float32)
    samples[20_000:20_010] = 1.5
    gain = (run(samples) / samples)[:, 0]
    assert gain[20_005] <= 10 ** (-1 / 20) / 1.5
    assert gain[19_700] == 1.0
    assert gain[-1] == 1.0
    assert np.abs(np.diff(20 * np.log10(gain))).max() < 0.1


def test_channels_are_turned_down_together() -> None:
    samples = noise(level=0.2)
    samples[10_000:10_100, 0] = 2.0
    quiet = samples[:, 1] != 0
    gain = run(samples)[quiet] / samples[quiet]
    assert gain[:, 0] == pytest.approx(gain[:, 1], rel=1e-5)
    assert gain.min() < 0.5


def test_nothing_and_less_than_the_look_ahead() -> None:
    assert np.array_equal(run(np.full((10, 2), 0.5, np.float32)), np.full((10, 2), 0.5, np.float32))
    assert np.abs(run(np.full((10, 2), 5.0, np.float32))).max() < 0.95


def test_high_rates_and_surround() -> None:
    assert true_peak(run(noise(20_000, 1.0, channels=6), rate=96_000)) < -0.3
