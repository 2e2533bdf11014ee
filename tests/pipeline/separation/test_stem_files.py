import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.separation.base import Mixture
from pipeline.separation.stem_files import LSB_24_BIT, atomic_folder, split_exactly, write_stems
from pipeline.types import StemName
from tests.pipeline.separation.measure import save_sound, steps

FULL = 2**23


@given(st.integers(-FULL, FULL - 1), st.floats(-3, 3, width=32))
def test_parts_add_up_and_neither_leaves_full_scale(whole, voice):
    mixture = np.array([[whole]], np.float32) * LSB_24_BIT
    vocals, background = split_exactly(mixture, np.array([[voice]], np.float32))
    parts = [int(np.rint(part[0, 0] / LSB_24_BIT)) for part in (vocals, background)]
    assert sum(parts) == whole
    assert all(-FULL <= part <= FULL - 1 for part in parts)
    assert all(part * LSB_24_BIT == value[0, 0] for part, value in zip(parts, (vocals, background), strict=True))


def test_vocals_within_reach_are_kept_to_half_a_step():
    vocals, _ = split_exactly(np.full((1, 1), 0.5, np.float32), np.full((1, 1), 0.123456789, np.float32))
    assert abs(vocals[0, 0] - 0.123456789) <= LSB_24_BIT / 2


RATES = [(44_100, 44_100), (44_100, 48_000), (8_000, 44_100), (96_000, 48_000)]
V, M, S, A, B = StemName.VOCALS, StemName.MUSIC, StemName.SFX, StemName.AMBIENT, StemName.BACKGROUND


@pytest.fixture
def cut(tmp_path):
    """Writes stems of a sound for an engine that gives each stem a share of it; returns all files as whole steps."""

    def write(samples, shares, *, rate=44_100, engine_rate=44_100):
        source = save_sound(tmp_path / "sound.flac", samples, rate)
        recording = Mixture.open(source, engine_rate)
        made = (np.hstack([block * share for share in shares.values()]) for block in recording.blocks())
        out = tmp_path / "out"
        out.mkdir()
        written = write_stems(recording, made, tuple(shares), out)
        assert sorted(path.name for path in out.iterdir()) == sorted(f"{name}.flac" for name in written.stems)
        return steps(source), {name: steps(out / f"{name}.flac") for name in written.stems}, written

    return write


@pytest.mark.parametrize(("rate", "engine_rate"), RATES)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("shares", "names"),
    [
        ({V: 0.7}, (V, B)),
        ({V: 0.7, M: 2.0}, (V, M, B)),
        ({V: 0.5, M: 0.2, S: 0.1}, (V, M, S, A, B)),
        ({V: 0.5, S: -0.4}, (V, S, A, B)),
        ({V: 3.0, M: -2.0, S: 0.4, A: 5.0}, (V, M, S, A, B)),
    ],
    ids=["voices", "songs", "film", "no music", "all four"],
)
def test_parts_add_up_at_the_sounds_own_rate_and_length(cut, rate, engine_rate, channels, shares, names):
    samples = np.random.default_rng(3).uniform(-1, 1, (rate // 4 + 17, channels))
    whole, parts, written = cut(samples, shares, rate=rate, engine_rate=engine_rate)
    assert written.stems == names
    np.testing.assert_array_equal(parts[V] + parts[B], whole)
    if len(shares) > 1:
        np.testing.assert_array_equal(sum(part for name, part in parts.items() if name is not B), whole)
    assert all(part.any() for part in parts.values())


def test_what_a_model_claims_for_no_part_goes_to_the_last_and_is_told(cut):
    samples = np.random.default_rng(4).uniform(-0.5, 0.5, (44_100, 2))
    whole, parts, written = cut(samples, {V: 0.5, M: 0.4})
    np.testing.assert_allclose(parts[M], whole * 0.5, atol=1)
    assert written.residual_dbfs == pytest.approx(20 * np.log10(0.1 * np.sqrt(np.mean(samples**2))), abs=0.1)


def test_without_parts_of_the_background_there_is_no_residual(cut):
    assert cut(np.full((100, 1), 0.25), {V: 0.5})[2].residual_dbfs is None


def test_long_effects_come_in_time_with_the_other_parts(cut):
    """Ambience is known seconds later than the rest: nothing shifts, nothing is lost."""
    samples = np.random.default_rng(5).uniform(-0.01, 0.01, (44_100 * 9 + 5, 1))
    samples[44_100 * 6] = 0.9
    whole, parts, _ = cut(samples, {V: 0.0, M: 0.0, S: 1.0})
    np.testing.assert_array_equal(parts[S] + parts[A], whole)
    assert not parts[V].any()
    assert not parts[M].any()
    assert int(np.abs(parts[S]).argmax()) == 44_100 * 6
    assert np.abs(parts[S]).max() > 0.6 * 2**23


def fail_in(out):
    with atomic_folder(out) as folder:
        (folder / "vocals.flac").touch()
        raise ZeroDivisionError


def test_an_unfinished_folder_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError):
        fail_in(tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_finished_folder_leaves_its_files(tmp_path):
    with atomic_folder(tmp_path) as folder:
        (folder / "vocals.flac").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["vocals.flac"]
