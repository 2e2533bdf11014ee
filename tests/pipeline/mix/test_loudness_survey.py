"""What a survey of a mix foretells against what a meter finds."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.audio.channels import LAYOUTS, default_layout
from pipeline.media.sound.loudness_meter import measure
from pipeline.mix.limiter import Limiter, limit
from pipeline.mix.loudness_survey import LoudnessSurvey
from pipeline.mix.premix_cache import CachedPremix

BLOCK = 30_001


def speech_like(seconds: int, rate: int, channels: int = 2) -> audio_io.Samples:
    """Bursts of noise with peaks far above its mean."""
    generator = np.random.default_rng(8)
    burst = np.repeat(generator.uniform(0, 1, 8 * seconds) ** 3, rate // 8)[:, None]
    return (0.15 * burst * generator.standard_normal((len(burst), channels))).clip(-1, 1).astype(np.float32)


def survey(samples: audio_io.Samples, rate: int, name: str | None = None) -> LoudnessSurvey:
    found = LoudnessSurvey(rate, default_layout(samples.shape[1]) if name is None else LAYOUTS[name])
    for start in range(0, len(samples), BLOCK):
        found.write(samples[start : start + BLOCK])
    found.finish()
    return found


@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000])
def test_agrees_with_the_meter(tmp_path: Path, rate: int) -> None:
    samples = speech_like(6, rate)
    audio_io.write(tmp_path / "a.flac", samples, rate)
    found, measured = survey(samples, rate).loudness(), measure(tmp_path / "a.flac")
    assert found.integrated == pytest.approx(measured.integrated, abs=0.1)
    assert found.true_peak == pytest.approx(measured.true_peak, abs=0.3)


def test_each_channel_has_its_weight() -> None:
    layout = LAYOUTS["5.1"]
    for index, weight in enumerate(layout.loudness_weights):
        samples = np.zeros((2 * 16_000, 6), np.float32)
        samples[:, index] = 0.1 * np.sin(2 * np.pi * 997 * np.arange(len(samples)) / 16_000)
        found = survey(samples, 16_000, "5.1").loudness().integrated
        assert found == (pytest.approx(-23.0 + 10 * np.log10(weight), abs=0.1) if weight else None)


@pytest.mark.parametrize("gain", [6.0, 10.0, 15.0])
def test_foretells_what_the_limiter_leaves(gain: float) -> None:
    rate, ceiling = 44_100, -1.3
    samples = speech_like(10, rate)
    blocks = [samples[start : start + BLOCK] * np.float32(10 ** (gain / 20)) for start in range(0, len(samples), BLOCK)]
    known = survey(samples, rate)
    limited = np.concatenate(list(limit(iter(blocks), Limiter(rate, 2, ceiling, peaks=known.peaks(gain)))))
    assert limited.shape == samples.shape
    foretold, found = known.loudness(gain, ceiling), survey(limited, rate).loudness()
    assert found.true_peak is not None
    assert found.true_peak <= ceiling + 0.05
    assert foretold.integrated == pytest.approx(found.integrated, abs=0.1)
    assert found.integrated is not None
    assert found.integrated < (known.loudness().integrated or 0.0) + gain - 0.3
    # It takes hardly more than when it hears each peak itself.
    itself = np.concatenate(list(limit(iter(blocks), Limiter(rate, 2, ceiling))))
    assert found.integrated > (survey(itself, rate).loudness().integrated or 0.0) - 0.3


def test_silence_and_less_than_a_block_have_no_loudness() -> None:
    assert survey(np.zeros((48_000, 2), np.float32), 48_000).loudness().integrated is None
    assert survey(speech_like(1, 48_000)[:10_000], 48_000).loudness().integrated is None
    assert LoudnessSurvey(48_000, default_layout(2)).loudness().true_peak is None


def test_a_mix_is_made_once_and_read_again(tmp_path: Path) -> None:
    samples = speech_like(2, 48_000)
    clip_info = audio_io.SoundInfo(sample_rate=48_000, channels=2, frames=len(samples))
    made = list[int]()

    def make() -> audio_io.Blocks:
        made.append(1)
        yield from (samples[start : start + BLOCK] for start in range(0, len(samples), BLOCK))

    with CachedPremix(make, clip_info, tmp_path) as kept:
        for _ in range(3):
            assert np.array_equal(np.concatenate(list(kept())), samples)
        next(kept())
        assert np.array_equal(np.concatenate(list(kept())), samples)
        assert not list(tmp_path.iterdir())
    assert len(made) == 1


def test_a_long_mix_is_made_anew(tmp_path: Path) -> None:
    made = list[int]()

    def make() -> audio_io.Blocks:
        made.append(1)
        yield np.zeros((4, 2), np.float32)

    clip_info = audio_io.SoundInfo(sample_rate=48_000, channels=2, frames=3 * 3600 * 48_000)
    with CachedPremix(make, clip_info, tmp_path) as kept:
        assert [len(list(kept())) for _ in range(2)] == [1, 1]
    assert len(made) == 2


def test_what_the_limiter_takes_goes_on_over_the_borders_of_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    known = survey(speech_like(10, 8_000), 8_000)
    whole = known.loudness(15.0, -1.3).integrated
    monkeypatch.setattr("pipeline.mix.loudness_survey._MAX_HOPS_AT_ONCE", 7)
    assert known.loudness(15.0, -1.3).integrated == pytest.approx(whole, abs=1e-6)
