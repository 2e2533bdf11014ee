from pathlib import Path

import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.audio.true_peak import SteepTruePeakMeter, TruePeakMeter
from pipeline.media.sound.loudness_meter import measure


def peak_of(samples: np.ndarray, block: int) -> float:
    meter = TruePeakMeter(samples.shape[1])
    for start in range(0, len(samples), block):
        meter.write(samples[start : start + block])
    meter.finish()
    return meter.true_peak


def test_the_peak_between_samples_is_found() -> None:
    # A quarter of the rate, 45 degrees off: all samples lie 3 dB below the tone's peak.
    tone = 0.5 * np.sin(np.pi / 2 * np.arange(48_000) + np.pi / 4).astype(np.float32)[:, None]
    fade = np.minimum(1, np.minimum(np.arange(48_000), np.arange(48_000)[::-1]) / 4_800).astype(np.float32)[:, None]
    assert 20 * np.log10(peak_of(tone * fade, 48_000) / 0.5) == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize("block", [1, 100, 4_096, 50_000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_what_is_left_out_changes_nothing(block: int, channels: int) -> None:
    generator = np.random.default_rng(channels)
    sound = generator.standard_normal((300 if block == 1 else 20_000, channels)).astype(np.float32)
    sound *= np.linspace(0.02, 0.3, len(sound), dtype=np.float32)[:, None]
    filters = np.array(TruePeakMeter(1)._filters).T[:, ::-1]
    padded = np.pad(sound, ((11, 11), (0, 0))).T
    every = [np.abs(np.convolve(channel, phase, "valid")).max() for channel in padded for phase in filters]
    assert peak_of(sound, block) == pytest.approx(max(np.abs(sound).max(), *every), rel=1e-5)


def test_nothing_and_silence_have_none() -> None:
    assert peak_of(np.zeros((0, 2), np.float32), 300) == 0.0
    assert peak_of(np.zeros((1_000, 2), np.float32), 300) == 0.0


def test_the_steep_filter_reads_noise_no_lower_than_the_meter(tmp_path: Path) -> None:
    samples = np.random.default_rng(3).uniform(-0.5, 0.5, (44_100, 2)).astype(np.float32)
    audio_io.write(tmp_path / "noise.flac", samples, 44_100)
    measured = measure(tmp_path / "noise.flac")
    steep = SteepTruePeakMeter(44_100, 2)
    for start in range(0, len(samples), 10_000):
        steep.write(samples[start : start + 10_000])
    steep.finish()
    assert measured.true_peak is not None
    assert -0.06 < 20 * np.log10(steep.true_peak) - measured.true_peak < 0.5
    assert 20 * np.log10(steep.sample_peak) == pytest.approx(measured.peak, abs=0.06)
    assert steep.true_peak > peak_of(samples, 10_000)
