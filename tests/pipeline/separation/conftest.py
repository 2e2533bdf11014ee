import numpy as np
import pytest
import soundfile
import soxr
import torch
from hypothesis import HealthCheck, settings

from pipeline.graph.stage import StageContext
from pipeline.models.loader import Models
from pipeline.separation.contracts import SeparateInputs, SeparateParams
from tests.pipeline.separation.measure import DATA, ProgressRecorder, SeparationJob

# Networks are slow on a machine that runs other tests meanwhile; pytest's own limit of time stays.
settings.register_profile("networks", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("networks")


@pytest.fixture(scope="module")
def one_thread():
    """Networks this small lose more time in handing work to threads than they gain."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """One set of weights for all tests, on the processor."""
    return Models(tmp_path_factory.mktemp("models"), "cpu")


@pytest.fixture(scope="session")
def dialogue():
    """Eight seconds of speech (mono) and the same with stereo music 3 dB below it, at 44.1 kHz."""
    speech, rate = soundfile.read(DATA / "sample.speech.flac", start=48_000 * 8, frames=48_000 * 8)
    speech = soxr.resample(speech, rate, 44_100)
    time = np.arange(len(speech)) / 44_100
    music = np.zeros((len(speech), 2))
    for index, note in enumerate((45, 57, 60, 64, 69, 72)):
        tone = sum(np.sin(2 * np.pi * 440 * 2 ** ((note - 69) / 12) * k * time) / k for k in (1, 2, 3))
        pan = index / 5
        music += (tone * (1 + 0.5 * np.sin(time * (2 + index))))[:, None] * (np.sqrt(1 - pan), np.sqrt(pan))
    music *= np.sqrt(np.mean(speech**2) / np.mean(music**2)) * 10 ** (-3 / 20)
    return speech, speech[:, None] + music


@pytest.fixture
def work(models, tmp_path):
    """Makes a job of the stage for a sound file."""

    def make(sound, engine, model, *, report=None, weights=models):
        out = tmp_path / "out"
        out.mkdir()
        return SeparationJob(
            context=StageContext(out=out, report=report or ProgressRecorder(), models=weights),
            inputs=SeparateInputs(sound=sound),
            params=SeparateParams(engine=engine, model=model, weights=""),
        )

    return make
