"""Where speech is, by how loud the vocals are."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.mix.speech_activity import find_speech

RATE = 48_000


def bursts(path: Path, level: float) -> Path:
    """Noise from 1 to 2 s and from 3 to 4 s of five, at a level in dBFS."""
    samples = np.random.default_rng(1).standard_normal((5 * RATE, 1)) * 10 ** (level / 20)
    samples[: 1 * RATE] = samples[2 * RATE : 3 * RATE] = samples[4 * RATE :] = 0
    audio_io.write(path, samples.astype(np.float32), RATE)
    return path


@pytest.mark.parametrize("level", [-20.0, -64.0])
def test_speech_is_found_by_the_loudness_of_the_clip(tmp_path: Path, level: float) -> None:
    found = find_speech(bursts(tmp_path / "a.flac", level), level, whole=level)
    assert np.array(found) / RATE == pytest.approx(np.array([(1, 2), (3, 4)]), abs=0.05)


def test_what_is_left_in_soft_vocals_of_a_loud_clip_is_no_speech(tmp_path: Path) -> None:
    assert find_speech(bursts(tmp_path / "a.flac", -64.0), -64.0, whole=-16.0) == []
    assert find_speech(bursts(tmp_path / "a.flac", -64.0), -64.0) == []


def test_a_sound_too_short_for_a_loudness_is_found_by_its_power(tmp_path: Path) -> None:
    samples = 0.1 * np.random.default_rng(1).standard_normal((RATE * 3 // 10, 1))
    audio_io.write(tmp_path / "yes.flac", samples.astype(np.float32), RATE)
    assert np.array(find_speech(tmp_path / "yes.flac", None)) / RATE == pytest.approx(np.array([(0, 0.3)]), abs=0.03)
    audio_io.write(tmp_path / "silence.flac", np.zeros((RATE // 5, 1), np.float32), RATE)
    assert find_speech(tmp_path / "silence.flac", None) == []
