"""Voices are followed from window to window, whatever number each window gives them."""

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.diarization.window_stitching import INACTIVE, MIN_SHARED_FRAMES, stitch_windows

FRAMES, STEP, VOICES = 100, 20, 3


def windows(
    clip: list[NDArray[np.float32]], orders: list[tuple[int, ...]]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """What windows hear of a clip's voices, each of shape (frames,), in an order of their own."""
    starts = np.arange(len(orders)) * STEP
    active = np.zeros((len(orders), FRAMES, VOICES), np.float32)
    for window, order in enumerate(orders):
        for place, voice in enumerate(order):
            active[window, :, place] = clip[voice][starts[window] : starts[window] + FRAMES]
    return active, starts


def heard(length: int, *spans: tuple[int, int]) -> NDArray[np.float32]:
    frames = np.zeros(length, np.float32)
    for start, end in spans:
        frames[start:end] = 1.0
    return frames


def test_a_voice_keeps_its_name_though_windows_number_it_anew() -> None:
    clip = [heard(200, (10, 90), (120, 190)), heard(200, (60, 130))]
    active, starts = windows(clip, [(0, 1), (1, 0), (0, 1), (1, 0), (1, 0)])
    names = stitch_windows(active, starts)
    assert [names[window, place] for window, place in enumerate((0, 1, 0, 1, 1))] == [names[0, 0]] * 5
    assert [names[window, place] for window, place in enumerate((1, 0, 1, 0, 0))] == [names[0, 1]] * 5
    assert names[0, 0] != names[0, 1]
    assert (names[:, 2] == INACTIVE).all()


def test_a_name_is_used_again_when_its_voice_was_silent_for_a_window() -> None:
    clip = [heard(400, (0, 40)), heard(400, (200, 300))]
    active, starts = windows(clip, [(0, 1)] * 16)
    names = stitch_windows(active, starts)
    assert set(names.ravel().tolist()) == {INACTIVE, 0}


def test_what_is_shared_too_shortly_is_another_voice() -> None:
    clip = [
        heard(200, (STEP, STEP + MIN_SHARED_FRAMES - 1)),
        heard(200, (STEP, STEP + MIN_SHARED_FRAMES - 1), (FRAMES, 180)),
    ]
    active, starts = windows(clip, [(0,), (1,)])
    names = stitch_windows(active, starts)
    assert names[0, 0] != names[1, 0]


def test_windows_that_agree_on_nobody_name_as_many_voices_as_they_hear() -> None:
    active = np.zeros((3, FRAMES, VOICES), np.float32)
    for window in range(3):
        for voice in range(VOICES):
            # Each window hears three voices, all where no other window hears any.
            first = FRAMES - STEP * (window + 1) + 6 * voice
            active[window, first : first + 5, voice] = 1.0
    names = stitch_windows(active, np.arange(3) * STEP)
    assert len(set(names.ravel().tolist())) == 9
