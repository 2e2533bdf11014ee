"""Pauses of a window."""

import numpy as np
import pytest

from pipeline.speech.recognition.pause_detection import find_pauses

FRAME = 320
FRAMES_PER_SECOND = 50


def talk(seconds: float, level: float = 0.1) -> np.ndarray:
    return (level * np.random.default_rng(2).standard_normal(int(16_000 * seconds))).astype(np.float32)


@pytest.mark.parametrize("room", [0.0, 1e-4, 2e-3])
def test_a_pause_is_found_in_any_room(room: float) -> None:
    samples = np.concatenate([talk(1.0), talk(0.4, room), talk(1.0)])
    marked = np.flatnonzero(find_pauses(samples, FRAME))
    assert (marked[0], marked[-1]) == (FRAMES_PER_SECOND, FRAMES_PER_SECOND + 19)
    assert len(marked) == 20


def test_a_closure_is_no_pause() -> None:
    assert not find_pauses(np.concatenate([talk(1.0), talk(0.08, 0.0), talk(1.0)]), FRAME).any()


def test_under_loud_music_nothing_is_a_pause() -> None:
    samples = np.concatenate([talk(1.0), talk(0.4, 0.05), talk(1.0)])
    assert not find_pauses(samples, FRAME).any()


def test_silence_is_all_pause_and_nothing_is_nothing() -> None:
    assert find_pauses(np.zeros(16_000, np.float32), FRAME).all()
    assert len(find_pauses(np.zeros(10, np.float32), FRAME)) == 0
