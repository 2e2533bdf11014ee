import numpy as np
import pytest

from pipeline.training.material.loudness import SILENCE_LUFS, integrated_loudness


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_a_sine_in_both_channels_has_its_level(rate: int) -> None:
    sine = 10 ** (-23 / 20) * np.sin(2 * np.pi * 997 * np.arange(5 * rate) / rate)
    assert integrated_loudness(np.stack([sine, sine], 1).astype(np.float32), rate) == pytest.approx(-23, abs=0.05)


def test_silence_beside_a_sound_is_gated() -> None:
    sine = (0.1 * np.sin(np.arange(44_100) * 0.1)).astype(np.float32)[:, None]
    padded = np.concatenate([sine, np.zeros((10 * 44_100, 1), np.float32)])
    assert integrated_loudness(padded, 44_100) == pytest.approx(integrated_loudness(sine, 44_100), abs=1)


def test_silence_has_a_loudness_too() -> None:
    assert integrated_loudness(np.zeros((0, 1), np.float32), 44_100) == SILENCE_LUFS
    assert integrated_loudness(np.zeros((44_100, 1), np.float32), 44_100) == SILENCE_LUFS
