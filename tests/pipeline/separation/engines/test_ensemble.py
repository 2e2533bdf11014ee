"""Several engines' vocals are added by their weights, in time with the recording."""

import numpy as np
import pytest
import soxr

from pipeline.catalog import MODELS
from pipeline.errors import Cancelled
from pipeline.models.loader import model_digest
from pipeline.separation.base import Mixture, open_engine
from pipeline.separation.engines.ensemble.engine import Ensemble, EnsembleMember
from pipeline.types import StemName
from tests.pipeline.separation.measure import ProgressRecorder, save_sound, si_sdr, steps

ENSEMBLE = "deepfilternet3-spleeter"
MEMBERS = {name: float(weight) for name, weight in MODELS[ENSEMBLE].settings.items()}


class Whole:
    """Takes everything for vocals, in blocks of its own size and at its own rate."""

    def __init__(self, sample_rate, size, note=""):
        self.sample_rate, self.size = sample_rate, size
        self.stems = (StemName.VOCALS,)
        self.notes = [note] if note else []
        self.weights_digest = ""
        self.ahead = 0

    def separate(self, recording, report):
        whole = np.concatenate(list(recording.blocks()))
        for first in range(0, len(whole), self.size):
            block = whole[first : first + self.size]
            self.ahead = first + len(block)
            report(self.ahead / len(whole))
            yield block


def ensemble(*engines, weights=(0.7, 0.3)):
    return Ensemble(
        [EnsembleMember(engine=engine, weight=weight) for engine, weight in zip(engines, weights, strict=True)]
    )


def vocals_of(engine, path, report=None):
    recording = Mixture.open(path, engine.sample_rate)
    made = np.concatenate(list(engine.separate(recording, report or ProgressRecorder())))
    assert made.shape == (recording.frames, recording.channels)
    return made


def sweep(rate, seconds=4.0):
    time = np.arange(int(rate * seconds)) / rate
    return 0.3 * np.sin(2 * np.pi * (200 + 800 * time) * time)[:, None] * [1.0, 0.5]


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000, 96_000])
def test_members_of_other_rates_and_blocks_add_up_in_time(tmp_path, rate):
    path = save_sound(tmp_path / "sound.flac", sweep(rate), rate)
    made = vocals_of(ensemble(Whole(48_000, 7_001), Whole(44_100, 100_000)), path)
    true = np.concatenate(list(Mixture.open(path, 48_000).blocks()))
    edge = 2_000
    assert np.abs(made - true)[edge:-edge].max() < 1e-3


@pytest.mark.parametrize("frames", [1, 2, 47_999, 48_001])
def test_any_length_comes_back_whole(tmp_path, frames):
    path = save_sound(tmp_path / "sound.flac", np.full((frames, 1), 0.25), 44_100)
    assert np.isfinite(vocals_of(ensemble(Whole(48_000, 480), Whole(44_100, 999)), path)).all()


def test_weights_count(tmp_path):
    path = save_sound(tmp_path / "sound.flac", sweep(48_000), 48_000)
    made = vocals_of(ensemble(Whole(48_000, 480), Whole(48_000, 480), weights=(0.5, -0.25)), path)
    true = np.concatenate(list(Mixture.open(path, 48_000).blocks()))
    np.testing.assert_allclose(made, 0.25 * true, atol=1e-6)


def test_members_are_read_in_step(tmp_path):
    """No member runs ahead of the others, so that memory does not grow with the recording."""
    rate = 48_000
    engines = Whole(rate, rate // 2), Whole(rate, rate // 3)
    opened = ensemble(*engines)
    recording = Mixture.open(save_sound(tmp_path / "s.flac", np.zeros((10 * rate, 1)), rate), rate)
    given = 0
    for block in opened.separate(recording, ProgressRecorder()):
        given += len(block)
        assert all(engine.ahead <= given + rate for engine in engines)


def test_progress_is_of_all_members_and_notes_are_kept_once(tmp_path):
    path = save_sound(tmp_path / "s.flac", np.zeros((48_000 * 3, 1)), 48_000)
    opened, told = ensemble(Whole(48_000, 48_000, "Slow."), Whole(44_100, 44_100, "Slow.")), ProgressRecorder()
    vocals_of(opened, path, told)
    assert told.fractions == sorted(told.fractions)
    assert told.fractions[0] < 0.2
    assert told.fractions[-1] == 1.0
    assert opened.notes == ["Slow."]


def test_cancelling_stops_it(tmp_path):
    path = save_sound(tmp_path / "s.flac", np.zeros((48_000 * 3, 1)), 48_000)
    with pytest.raises(Cancelled):
        vocals_of(ensemble(Whole(48_000, 480), Whole(48_000, 480)), path, ProgressRecorder(0.4, Cancelled("stopped")))


def test_the_catalogue_names_the_members_and_all_their_files():
    entry = MODELS[ENSEMBLE]
    assert sum(MEMBERS.values()) == pytest.approx(1)
    for name in MEMBERS:
        assert set(MODELS[name].files) <= set(entry.files)
        assert MODELS[name].licence in entry.licence
        assert model_digest(name) != model_digest(ENSEMBLE)
    assert len({file.name for file in entry.files}) == len(entry.files)


def test_it_is_the_weighted_sum_of_the_real_engines(work, models, dialogue, tmp_path):
    speech, mixture = dialogue
    source = save_sound(tmp_path / "sound.flac", 0.5 * mixture[:88_200], 44_100)
    job = work(source, "ensemble", ENSEMBLE)
    output = job.run()
    made, background = steps(job.out / "vocals.flac"), steps(job.out / "background.flac")
    np.testing.assert_array_equal(made + background, steps(source))
    true = np.repeat(0.5 * speech[:88_200, None], 2, axis=1)
    assert si_sdr(made, true) >= si_sdr(steps(source), true) + 6
    (use,) = output.models
    assert use.digest == model_digest(ENSEMBLE)
    assert use.licence == MODELS[ENSEMBLE].licence
    parts = []
    for name, weight in MEMBERS.items():
        engine = open_engine(MODELS[name].engine, models, name)
        parts.append(weight * soxr.resample(vocals_of(engine, source), engine.sample_rate, 44_100)[: len(true)])
    assert si_sdr(made[2_000:-2_000], np.sum(parts, axis=0)[2_000:-2_000]) > 40
