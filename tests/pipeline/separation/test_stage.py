import numpy as np
import pytest
import soundfile

from pipeline.errors import Cancelled, ModelMissingError
from pipeline.models.loader import model_digest
from pipeline.types import ModelUse
from tests.pipeline.separation.measure import ProgressRecorder, save_sound, si_sdr, stem_names, steps


@pytest.mark.parametrize(
    ("engine", "model", "gain"), [("deepfilternet", "deepfilternet3", 6), ("spleeter", "spleeter-2stems", 6)]
)
def test_vocals_are_freed_and_both_parts_are_the_original(work, dialogue, tmp_path, engine, model, gain):
    speech, mixture = dialogue
    source = save_sound(tmp_path / "sound.flac", mixture * 0.5, 44_100)
    told = ProgressRecorder()
    job = work(source, engine, model, report=told)
    output = job.run()
    assert sorted(path.name for path in job.out.iterdir()) == ["background.flac", "vocals.flac"]
    vocals, background, whole = steps(job.out / "vocals.flac"), steps(job.out / "background.flac"), steps(source)
    np.testing.assert_array_equal(vocals + background, whole)
    true = np.repeat(speech[:, None], 2, axis=1)
    assert si_sdr(vocals, true) >= si_sdr(whole, true) + gain
    assert soundfile.info(job.out / "vocals.flac").samplerate == 44_100
    assert stem_names(output) == ["vocals", "background"]
    assert output.notes == ()
    assert output.residual is None
    assert list(output.models) == [
        ModelUse(
            stage="separate",
            engine=engine,
            model=model,
            licence=job.models.entry(model).licence,
            digest=model_digest(model),
        )
    ]
    assert told.fractions == sorted(told.fractions)
    assert told.fractions[-1] == 1.0


def test_cancelling_leaves_no_files(work, dialogue, tmp_path):
    source = save_sound(tmp_path / "sound.flac", dialogue[1] * 0.5, 44_100)
    job = work(source, "deepfilternet", "deepfilternet3", report=ProgressRecorder(0.5, Cancelled("stopped")))
    with pytest.raises(Cancelled):
        job.run()
    assert list(job.out.iterdir()) == []


def test_an_unknown_model_is_named(work, tmp_path):
    source = save_sound(tmp_path / "sound.flac", np.zeros((10, 1)), 44_100)
    with pytest.raises(ModelMissingError, match="nonesuch"):
        work(source, "deepfilternet", "nonesuch").run()
