import numpy as np
import pytest

from pipeline.audio.voice_activity import drop_short_runs, find_runs, frame_powers, speech_threshold


def test_powers_are_summed_over_channels():
    samples = np.stack([np.full(10, 0.5), np.full(10, 0.1)], axis=1).astype(np.float32)

    assert frame_powers(samples, 5) == pytest.approx([0.26, 0.26])
    assert frame_powers(samples[:, 0], 4) == pytest.approx([0.25, 0.25])


def test_the_last_frame_may_be_short():
    assert frame_powers(np.array([1.0, 1.0, 2.0]), 2, partial=True) == pytest.approx([1.0, 4.0])
    assert len(frame_powers(np.zeros(0), 4)) == 0


@pytest.mark.parametrize(
    ("floor", "threshold"),
    [(-80.0, -40.0), (-35.0, -29.0), (-20.0, -20.0)],
    ids=["quiet room", "noise", "noise as loud as speech"],
)
def test_the_threshold_lies_over_the_noise_but_near_speech(floor: float, threshold: float):
    levels = np.array([floor] * 50 + [0.0] * 50)

    found = speech_threshold(levels, floor_percentile=5, above_floor=6.0, below_loud=40.0, min_below_loud=20.0)

    assert found == pytest.approx(threshold)


def test_runs_have_their_ends():
    assert find_runs(np.array([True, True, False, True])).tolist() == [[0, 2], [3, 4]]
    assert find_runs(np.zeros(3, np.bool_)).tolist() == []


def test_short_runs_are_dropped():
    marks = np.array([True, False, True, True, True, False, True, True], np.bool_)

    assert drop_short_runs(marks, 3).tolist() == [False, False, True, True, True, False, False, False]
