import numpy as np
import pytest

from pipeline.training.material.sound_files import Codec, decode, resample, round_trip
from tests.pipeline.training import sounds


def test_what_is_no_sound_is_not_decoded() -> None:
    assert decode(b"no sound", 44_100, 10) is None


def test_a_sound_is_decoded_at_the_rate_asked_for() -> None:
    samples = decode(sounds.wav(sounds.melody(1)), 22_050, 0.5)
    assert samples is not None
    assert samples.shape == (11_025, 1)
    assert len(resample(samples, 22_050, 44_100)) == 22_050


@pytest.mark.parametrize("codec", list(Codec))
def test_a_lossy_format_keeps_time_and_most_of_the_sound(codec: Codec) -> None:
    melody = sounds.melody(2)[:, None]
    coded = round_trip(melody, 44_100, codec, 0.4)
    assert coded.shape == melody.shape
    error = float(np.square(coded - melody).mean() / np.square(melody).mean())
    assert 0 < error < 0.01
