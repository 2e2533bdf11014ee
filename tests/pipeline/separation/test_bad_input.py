"""Sounds and circumstances that go wrong: every engine gives a right answer or a named error, and leaves no part."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest
import soundfile

from pipeline.errors import AudioProcessingError, Cancelled, MediaError, ModelDigestError
from pipeline.models.loader import Models
from tests.pipeline.separation.measure import ProgressRecorder, save_network, save_sound, stem_names, steps

ENGINES = [("deepfilternet", "deepfilternet3"), ("spleeter", "spleeter-2stems"), ("demucs", "htdemucs_dnr")]
RATE = 44_100


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """The pocket's real weights, and in place of the film network a small one of the same sources."""
    home = tmp_path_factory.mktemp("home")
    save_network(home / "checkpoints", "htdemucs_dnr", sources=("music", "sfx", "speech"))
    return Models(home, "cpu")


def parts_of(folder):
    return {path.stem: steps(path) for path in folder.iterdir()}


SOUNDS = {
    "silence": np.zeros((RATE // 2, 1)),
    "an offset": np.full((RATE // 2, 1), 0.3),
    "full scale square": np.where(np.arange(RATE // 2) // 50 % 2, 1.0, -1.0)[:, None].repeat(2, axis=1),
    "one sample": np.full((1, 2), 0.7),
    "seven samples": np.linspace(-1, 1, 7)[:, None],
}


@pytest.mark.parametrize(("engine", "model"), ENGINES, ids=[engine for engine, _ in ENGINES])
@pytest.mark.parametrize("samples", SOUNDS.values(), ids=SOUNDS)
def test_odd_sounds_come_apart_and_add_up(work, weights, tmp_path, samples, engine, model):
    source = save_sound(tmp_path / "sound.flac", samples, RATE)
    job = work(source, engine, model, weights=weights)
    output = job.run()
    parts = parts_of(job.out)
    assert sorted(parts) == sorted(stem_names(output))
    whole = steps(source)
    np.testing.assert_array_equal(parts["vocals"] + parts["background"], whole)
    if "sfx" in parts:
        np.testing.assert_array_equal(parts["music"] + parts["sfx"] + parts["ambient"], parts["background"])
    if not samples.any():
        assert all(np.abs(part).max() <= 1 for part in parts.values())


@pytest.mark.parametrize(("engine", "model"), ENGINES, ids=[engine for engine, _ in ENGINES])
@pytest.mark.parametrize(("bad", "rate"), [(np.nan, RATE), (-np.inf, 22_050)])
def test_samples_that_are_no_numbers_are_named(work, weights, tmp_path, engine, model, bad, rate):
    samples = np.full((rate + 2_000, 2), 0.1)
    samples[rate + 1_000, 0] = bad
    soundfile.write(tmp_path / "sound.wav", samples, rate, subtype="FLOAT")
    job = work(tmp_path / "sound.wav", engine, model, weights=weights)
    with pytest.raises(MediaError, match="no numbers"):
        job.run()
    assert list(job.out.iterdir()) == []


def test_a_sound_cut_short_is_named(work, weights, tmp_path):
    source = save_sound(tmp_path / "sound.flac", np.random.default_rng(1).uniform(-1, 1, (RATE * 2, 2)), RATE)
    source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    job = work(source, "demucs", "htdemucs_dnr", weights=weights)
    with pytest.raises(MediaError):
        job.run()
    assert list(job.out.iterdir()) == []


def test_a_checkpoint_of_other_bytes_is_named(work, tmp_path):
    path = save_network(tmp_path / "home" / "checkpoints", "htdemucs_dnr", sources=("music", "sfx", "speech"))
    path.write_bytes(path.read_bytes() + b"x")
    source = save_sound(tmp_path / "sound.flac", np.zeros((100, 1)), RATE)
    job = work(source, "demucs", "htdemucs_dnr", weights=Models(tmp_path / "home", "cpu"))
    with pytest.raises(ModelDigestError):
        job.run()
    assert list(job.out.iterdir()) == []


@pytest.mark.parametrize(("engine", "model"), ENGINES, ids=[engine for engine, _ in ENGINES])
def test_a_cancel_is_heard_at_the_next_report(work, weights, tmp_path, engine, model):
    source = save_sound(tmp_path / "sound.flac", np.zeros((RATE * 4, 1)), RATE)
    told = ProgressRecorder(0.01, Cancelled("stopped"))
    job = work(source, engine, model, report=told, weights=weights)
    with pytest.raises(Cancelled):
        job.run()
    assert len([fraction for fraction in told.fractions if fraction >= 0.01]) == 1
    assert list(job.out.iterdir()) == []


FULL_DISK = """
    import resource, sys
    from pathlib import Path
    import numpy as np
    from pipeline.errors import AudioProcessingError
    from pipeline.separation.base import Mixture
    from pipeline.separation.stem_files import atomic_folder, write_stems
    from pipeline.types import StemName
    source, out, room = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    mixture = Mixture.open(source, 44_100)
    made = (np.hstack([block * 0.5, block * 0.3, block * 0.2]) for block in mixture.blocks())
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    try:
        with atomic_folder(out) as folder:
            write_stems(mixture, made, (StemName.VOCALS, StemName.MUSIC, StemName.SFX), folder)
    except AudioProcessingError as error:
        sys.exit(7 if "could not be written" in error.message and "space" in error.hint else 8)
"""


@pytest.mark.parametrize("short", [10**9, 60_000, 5], ids=["at once", "in the middle", "at the last bytes"])
def test_a_full_disk_is_named_and_leaves_no_part(tmp_path, short):
    """A limit on the size of files stands for the disk: writing beyond it fails for real, also at the very end."""
    noise = np.random.default_rng(2).uniform(-0.5, 0.5, (RATE, 2))
    source = save_sound(tmp_path / "sound.flac", noise, RATE)
    save_sound(tmp_path / "vocals.flac", noise * 0.5, RATE)
    room = max(1, (tmp_path / "vocals.flac").stat().st_size - short)
    out = tmp_path / "out"
    command = [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(source), str(out), str(room)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 7, done.stderr
    assert list(out.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_named(work, weights, tmp_path, monkeypatch):
    """The folder is gone by the time the stems are opened."""
    from pipeline.separation import stem_files as stems

    source = save_sound(tmp_path / "sound.flac", np.zeros((100, 1)), RATE)
    job = work(source, "demucs", "htdemucs_dnr", weights=weights)
    real = stems.write_stems

    def gone(mixture, made, names, folder):
        folder.rmdir()
        return real(mixture, made, names, folder)

    monkeypatch.setattr("pipeline.separation.stage.write_stems", gone)
    with pytest.raises(AudioProcessingError, match="could not be written"):
        job.run()
    assert list(job.out.iterdir()) == []
