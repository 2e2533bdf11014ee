"""DeepFilterNet and Spleeter on their real weights."""

import numpy as np
import pytest

from pipeline.errors import Cancelled, MediaError, ModelMissingError, SeparationError
from pipeline.separation.base import Mixture, open_engine
from tests.pipeline.separation.measure import ProgressRecorder, save_sound, si_sdr

POCKET = [("deepfilternet", "deepfilternet3"), ("spleeter", "spleeter-2stems")]


def vocals_of(models, path, engine, model, report=None):
    opened = open_engine(engine, models, model)
    recording = Mixture.open(path, opened.sample_rate)
    made = np.concatenate(list(opened.separate(recording, report or ProgressRecorder())))
    assert made.shape == (recording.frames, recording.channels)
    assert made.dtype == np.float32
    return made


@pytest.mark.parametrize(("engine", "model"), POCKET)
@pytest.mark.parametrize(
    ("samples", "rate"),
    [
        (np.zeros((1, 1)), 44_100),
        (np.full((1, 2), 0.5), 48_000),
        (np.zeros((30_000, 2)), 44_100),
        (0.1 * np.sin(np.arange(8_000) / 3)[:, None], 8_000),
        (np.random.default_rng(2).uniform(-1, 1, (9_600, 2)), 96_000),
    ],
    ids=["one sample", "one stereo sample", "silence", "8 kHz mono", "96 kHz full scale"],
)
def test_unusual_sounds_come_back_whole(models, tmp_path, samples, rate, engine, model):
    made = vocals_of(models, save_sound(tmp_path / "sound.flac", samples, rate), engine, model)
    assert np.isfinite(made).all()
    if not samples.any():
        assert np.abs(made).max() < 1e-6


@pytest.mark.parametrize("rate", [48_000, 44_100])
def test_clean_speech_comes_back_in_time(models, dialogue, tmp_path, rate):
    """The network's delay is taken out: the best match of vocals and speech is at lag 0."""
    speech = dialogue[0][: 3 * 44_100]
    path = save_sound(tmp_path / "sound.flac", speech, rate)
    made = vocals_of(models, path, "deepfilternet", "deepfilternet3")[:, 0]
    true = np.concatenate(list(Mixture.open(path, 48_000).blocks()))[:, 0]
    size = 1 << 19
    match = np.fft.irfft(np.fft.rfft(made, size) * np.fft.rfft(true, size).conj(), size)
    assert int(np.argmax(match)) == 0
    assert si_sdr(made, true) > 15


def test_channels_that_are_the_same_are_worked_on_once(models, dialogue, tmp_path):
    speech = dialogue[1][:88_200, :1]
    one = vocals_of(models, save_sound(tmp_path / "1.flac", speech, 44_100), "deepfilternet", "deepfilternet3")
    two = vocals_of(
        models, save_sound(tmp_path / "2.flac", np.repeat(speech, 2, axis=1), 44_100), "deepfilternet", "deepfilternet3"
    )
    np.testing.assert_array_equal(two, np.repeat(one, 2, axis=1))


def test_a_voice_at_the_side_stays_at_the_side(models, dialogue, tmp_path):
    speech = dialogue[0][: 3 * 44_100, None] * [0.9, 0.2]
    made = vocals_of(models, save_sound(tmp_path / "s.flac", speech, 44_100), "deepfilternet", "deepfilternet3")
    left, right = np.sqrt(np.mean(made**2, axis=0))
    assert left / right == pytest.approx(4.5, rel=0.1)


@pytest.mark.parametrize(("engine", "model"), POCKET)
def test_progress_rises_to_one(models, tmp_path, engine, model):
    told = ProgressRecorder()
    path = save_sound(tmp_path / "sound.flac", np.zeros((44_100 * 3, 1)), 44_100)
    vocals_of(models, path, engine, model, told)
    assert told.fractions == sorted(told.fractions)
    assert told.fractions[-1] == 1.0


def test_cancelling_stops_the_engine(models, tmp_path):
    path = save_sound(tmp_path / "sound.flac", np.zeros((44_100 * 5, 2)), 44_100)
    with pytest.raises(Cancelled):
        vocals_of(models, path, "deepfilternet", "deepfilternet3", ProgressRecorder(0.1, Cancelled("stopped")))


def test_an_empty_sound_and_many_channels_are_refused(tmp_path):
    with pytest.raises(MediaError):
        Mixture.open(save_sound(tmp_path / "empty.wav", np.zeros((0, 1)), 44_100), 44_100)
    with pytest.raises(SeparationError, match="6 channels"):
        Mixture.open(save_sound(tmp_path / "six.wav", np.zeros((10, 6)), 44_100), 44_100)


def test_an_unknown_engine_is_refused(models):
    with pytest.raises(ModelMissingError):
        open_engine("nothing", models, "deepfilternet3")
