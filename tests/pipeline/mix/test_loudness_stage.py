"""The measurement against the standard's own signals and a second meter, and what a target asks for."""

from pathlib import Path

import numpy as np
import pyloudnorm
import pytest

from pipeline.audio import io as audio_io
from pipeline.audio.channels import LAYOUTS
from pipeline.errors import FFmpegError
from pipeline.graph.stage import NoParams
from pipeline.media.sound.loudness_meter import measure, metering_layout, parse_summary
from pipeline.mix.contracts import MeasureInputs
from pipeline.mix.loudness_stage import MAX_LIMITING_DB, LoudnessGoal, loudness_goal, measure_stage, unlimited_gain
from pipeline.mix.presets import LoudnessTarget
from pipeline.separation.contracts import StemFiles
from pipeline.types import Loudness
from tests.pipeline.clips import make_context


def tone(seconds: float, level: float, rate: int, channels: int = 2, frequency: float = 997.0) -> audio_io.Samples:
    """A sine of a peak level in dBFS, in all channels."""
    wave = 10 ** (level / 20) * np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def read(tmp_path: Path, samples: audio_io.Samples, rate: int, **layout: object) -> Loudness:
    audio_io.write(tmp_path / "a.flac", samples, rate)
    return measure(tmp_path / "a.flac")


@pytest.mark.parametrize("rate", [44_100, 96_000])
def test_reference_tone(tmp_path: Path, rate: int) -> None:
    """EBU Tech 3341, case 1 and 2: a stereo 1 kHz sine at -23 and -33 dBFS reads as many LUFS."""
    for level in (-23.0, -33.0):
        found = read(tmp_path, tone(5, level, rate, frequency=1000), rate)
        assert found.integrated == pytest.approx(level, abs=0.1)
        assert found.true_peak == pytest.approx(level, abs=0.1)
        assert found.range == pytest.approx(0.0, abs=0.1)


def test_the_range_of_two_levels(tmp_path: Path) -> None:
    """EBU Tech 3342, case 1: 20 s at -20 LUFS and 20 s at -30 LUFS have a range of 10 LU."""
    found = read(tmp_path, np.concatenate([tone(20, -20, 8_000), tone(20, -30, 8_000)]), 8_000)
    assert found.range == pytest.approx(10.0, abs=1.0)


def test_a_peak_between_two_samples_is_found(tmp_path: Path) -> None:
    """EBU Tech 3341, case 16: a quarter of the sample rate, 45 degrees off, is 3 dB higher than its samples."""
    wave = 0.5 * np.sin(np.pi / 2 * np.arange(48_000) + np.pi / 4)
    wave *= np.minimum(1.0, np.arange(48_000) / 9_600)[::-1] * np.minimum(1.0, np.arange(48_000) / 9_600)
    found = read(tmp_path, wave[:, None].astype(np.float32), 48_000)
    assert found.peak == pytest.approx(-9.0, abs=0.1)
    assert found.true_peak == pytest.approx(-6.0, abs=0.3)


def test_agrees_with_a_second_meter(tmp_path: Path) -> None:
    generator = np.random.default_rng(6)
    envelope = np.repeat(generator.uniform(0, 0.3, 30), 8_820)[:, None]
    samples = (envelope * generator.standard_normal((30 * 8_820, 2)) * [0.5, 1.0]).clip(-1, 1).astype(np.float32)
    found = read(tmp_path, samples, 44_100)
    assert found.integrated == pytest.approx(pyloudnorm.Meter(44_100).integrated_loudness(samples), abs=0.1)


@pytest.mark.parametrize("name", ["5.1", "5.1(side)", "7.1", "octagonal", "4.0"])
def test_each_channel_has_its_weight(tmp_path: Path, name: str) -> None:
    """ITU-R BS.1770-5: 1.5 dB more beside the listener, nothing from the LFE."""
    layout = LAYOUTS[name]
    for index, weight in enumerate(layout.loudness_weights):
        samples = np.zeros((9_600, len(layout.channels)), np.float32)
        samples[:, index : index + 1] = tone(0.6, -20, 16_000, 1)
        target = tmp_path / f"{index}.flac"
        with audio_io.SoundWriter(target, sample_rate=16_000, channels=len(layout.channels), layout=layout) as writer:
            writer.write(samples)
        expected = None if not weight else -23.0 + 10 * np.log10(weight)
        assert measure(target).integrated == (expected if expected is None else pytest.approx(expected, abs=0.1))


def test_every_layout_can_be_metered() -> None:
    for layout in LAYOUTS.values():
        assert len(metering_layout(layout).split("+")) in (1, len(layout.channels))


def test_silence_and_less_than_a_block_have_no_loudness(tmp_path: Path) -> None:
    assert read(tmp_path, np.zeros((44_100, 2), np.float32), 44_100) == Loudness(integrated=None, peak=None)
    short = read(tmp_path, tone(0.2, -6, 44_100), 44_100)
    assert short.integrated is None
    assert short.range is None
    assert short.peak == pytest.approx(-6.0, abs=0.1)


def test_a_log_without_a_summary_is_an_error() -> None:
    with pytest.raises(FFmpegError, match="could not be measured"):
        parse_summary("nothing")


def test_the_stage_measures_all_it_is_given(tmp_path: Path) -> None:
    for name, level in (("original", -10.0), ("vocals", -20.0)):
        audio_io.write(tmp_path / f"{name}.flac", tone(1, level, 16_000), 16_000)
    inputs = MeasureInputs(original=tmp_path / "original.flac", stems=StemFiles(vocals=tmp_path / "vocals.flac"))
    found = measure_stage(make_context(tmp_path / "out"), inputs, NoParams()).loudness
    assert [round(item.integrated or 0) for item in found.values()] == [-10, -20]
    assert list(found) == ["original", "vocals"]


def test_goals() -> None:
    original = Loudness(integrated=-18.0, peak=0.0, true_peak=0.4)
    assert loudness_goal(None, original) is None
    assert loudness_goal(LoudnessTarget.STREAMING, original) == LoudnessGoal(loudness=-14.0, true_peak=-1.0)
    assert loudness_goal(LoudnessTarget.BROADCAST_US, original) == LoudnessGoal(loudness=-24.0, true_peak=-1.0)
    assert loudness_goal(LoudnessTarget.ORIGINAL, original) == LoudnessGoal(loudness=-18.0, true_peak=0.4)
    assert "silent" in str(loudness_goal(LoudnessTarget.ORIGINAL, Loudness(integrated=None, peak=None)))


def test_noise_is_not_brought_up_and_nothing_is_flattened() -> None:
    goal = LoudnessGoal(loudness=-14.0, true_peak=-1.0)
    assert unlimited_gain(Loudness(integrated=-20.0, peak=-9.0, true_peak=-9.0), goal) == 6.0
    assert unlimited_gain(Loudness(integrated=-65.0, peak=-50.0, true_peak=-50.0), goal) == 30.0
    assert unlimited_gain(Loudness(integrated=-40.0, peak=-3.0, true_peak=-3.0), goal) == MAX_LIMITING_DB + 2
