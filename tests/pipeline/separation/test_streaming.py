import numpy as np
import pytest

from pipeline.separation.streaming import BlockReader, fit_length, overlap_add


def pieces(samples, size):
    return (samples[start : start + size] for start in range(0, len(samples), size))


@pytest.mark.parametrize("frames", [1, 99, 100, 101, 180, 181, 260, 1000])
@pytest.mark.parametrize("size", [7, 100, 333])
def test_windows_that_change_nothing_give_the_stream_back(frames, size):
    sound = np.random.default_rng(1).standard_normal((frames, 2)).astype(np.float32)
    made = np.concatenate(list(overlap_add(pieces(sound, size), lambda block: block, window=100, overlap=20)))
    np.testing.assert_allclose(made, sound, atol=1e-6)


def test_windows_are_cross_faded():
    windows = iter((0.0, 1.0, 2.0))
    ones = np.ones((260, 1), np.float32)
    made = np.concatenate(
        list(overlap_add([ones], lambda block: block * np.float32(next(windows)), window=100, overlap=20))
    )
    assert made.shape == ones.shape
    assert not made[:80].any()
    assert np.all(made[100:160] == 1)
    assert np.all(made[180:] == 2)
    assert np.all(np.diff(made[79:101, 0]) >= 0)


def test_a_window_is_never_longer_than_asked():
    lengths = []
    list(
        overlap_add(
            pieces(np.zeros((955, 1), np.float32), 13), lambda b: lengths.append(len(b)) or b, window=100, overlap=20
        )
    )
    assert max(lengths) == 100
    assert sum(lengths) == 955 + 20 * (len(lengths) - 1)


@pytest.mark.parametrize("frames", [5, 10, 12])
def test_fit_cuts_and_fills(frames):
    made = np.concatenate(list(fit_length(pieces(np.ones((10, 2), np.float32), 4), frames, 2)))
    assert made.shape == (frames, 2)
    assert made.sum() == 2 * min(frames, 10)


def test_a_reel_gives_any_length_and_then_silence():
    reel = BlockReader(pieces(np.arange(10, dtype=np.float32)[:, None], 3), 1)
    assert reel.read(4)[:, 0].tolist() == [0, 1, 2, 3]
    assert reel.read(1)[:, 0].tolist() == [4]
    assert reel.read(7)[:, 0].tolist() == [5, 6, 7, 8, 9, 0, 0]
