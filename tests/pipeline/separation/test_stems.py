import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.separation.engine import Recording
from pipeline.separation.stems import STEP, divide, finished_folder, write_stems
from pipeline.types import StemName
from tests.pipeline.separation.measure import save_sound, steps

FULL = 2**23


@given(st.integers(-FULL, FULL - 1), st.floats(-3, 3, width=32))
def test_parts_add_up_and_neither_leaves_full_scale(whole, voice):
    mixture = np.array([[whole]], np.float32) * STEP
    vocals, background = divide(mixture, np.array([[voice]], np.float32))
    parts = [int(np.rint(part[0, 0] / STEP)) for part in (vocals, background)]
    assert sum(parts) == whole
    assert all(-FULL <= part <= FULL - 1 for part in parts)
    assert all(part * STEP == value[0, 0] for part, value in zip(parts, (vocals, background), strict=True))


def test_vocals_within_reach_are_kept_to_half_a_step():
    vocals, _ = divide(np.full((1, 1), 0.5, np.float32), np.full((1, 1), 0.123456789, np.float32))
    assert abs(vocals[0, 0] - 0.123456789) <= STEP / 2


@pytest.mark.parametrize(
    ("rate", "engine_rate"), [(44_100, 44_100), (44_100, 48_000), (8_000, 44_100), (96_000, 48_000)]
)
def test_files_have_the_length_of_the_sound_and_add_up_to_it(tmp_path, rate, engine_rate):
    generator = np.random.default_rng(3)
    source = save_sound(tmp_path / "sound.flac", generator.uniform(-1, 1, (rate + 17, 2)), rate)
    recording = Recording.open(source, engine_rate)
    made = (np.hstack([block * 0.7, block * 2]) for block in recording.blocks())
    out = tmp_path / "out"
    out.mkdir()
    assert write_stems(recording, made, (StemName.VOCALS, StemName.MUSIC), out) == (
        StemName.VOCALS,
        StemName.MUSIC,
        StemName.BACKGROUND,
    )
    vocals, music, background = (steps(out / f"{name}.flac") for name in ("vocals", "music", "background"))
    np.testing.assert_array_equal(vocals + background, steps(source))
    assert music.shape == vocals.shape
    assert vocals.any()


def fail_in(out):
    with finished_folder(out) as folder:
        (folder / "vocals.flac").touch()
        raise ZeroDivisionError


def test_an_unfinished_folder_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError):
        fail_in(tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_finished_folder_leaves_its_files(tmp_path):
    with finished_folder(tmp_path) as folder:
        (folder / "vocals.flac").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["vocals.flac"]
