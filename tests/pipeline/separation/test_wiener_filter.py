import numpy as np
import pytest

from pipeline.separation.wiener_filter import wiener_filter
from tests.pipeline.separation.measure import si_sdr


def test_a_voice_in_the_middle_is_freed_from_noise_at_the_side():
    generator = np.random.default_rng(5)
    middle = np.asarray(generator.standard_normal((48_000, 1)) * [1, 1], np.float32)
    side = np.asarray(generator.standard_normal((48_000, 1)) * [1, 0.1], np.float32)
    rough = np.asarray(0.8 * middle + 0.2 * side, np.float32)
    made = wiener_filter(middle + side, rough)
    assert si_sdr(made, middle) > si_sdr(rough, middle) + 6


@pytest.mark.parametrize("frames", [1, 1023, 4096, 10_001])
def test_length_stays_and_silence_stays_silent(frames):
    silence = np.zeros((frames, 2), np.float32)
    made = wiener_filter(silence, silence)
    assert made.shape == (frames, 2)
    assert made.dtype == np.float32
    assert not made.any()


def test_vocals_that_are_all_of_the_mixture_stay():
    sound = np.random.default_rng(6).standard_normal((20_000, 2)).astype(np.float32)
    np.testing.assert_allclose(wiener_filter(sound, sound), sound, atol=2e-3)


def test_equal_channels_do_no_harm():
    sound = np.repeat(np.random.default_rng(7).standard_normal((20_000, 1)), 2, axis=1).astype(np.float32)
    half = np.asarray(sound / 2, np.float32)
    made = wiener_filter(sound, half)
    assert np.isfinite(made).all()
    np.testing.assert_allclose(made, half, atol=0.05)
