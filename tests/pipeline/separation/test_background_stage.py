"""A background is parted by the committed weights, whatever its rate and channels; nothing gets lost."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.audio.io import Samples
from pipeline.errors import Cancelled
from pipeline.graph.stage import ProgressCallback, StageContext
from pipeline.models.loader import Models, model_digest
from pipeline.separation import background_stage
from pipeline.separation.background_stage import PartLevels, split_background_stage
from pipeline.separation.base import Mixture, SeparationEngine
from pipeline.separation.contracts import SplitBackgroundInputs, SplitBackgroundOutput, SplitBackgroundParams
from pipeline.separation.engines.background import BACKGROUND_PARTS, STEMCORD_BACKGROUND
from pipeline.types import StemName
from tests.pipeline.separation.measure import ProgressRecorder, save_sound, steps

RATE = 44_100


def background(rate: int, channels: int, seconds: float = 8.0) -> np.ndarray:
    """Chords all through, knocks, and a steady noise below them."""
    rng = np.random.default_rng(1)
    time = np.arange(round(seconds * rate)) / rate
    chord = sum(np.sin(2 * np.pi * hertz * time) / (1 + index) for index, hertz in enumerate((220, 277, 330, 440)))
    sound = np.repeat(0.1 * np.asarray(chord)[:, None], channels, axis=1)
    sound += 0.01 * rng.standard_normal(sound.shape)
    for second in np.arange(0.5, seconds, 1.7):
        knock = 0.5 * rng.standard_normal(rate // 10) * np.exp(-np.arange(rate // 10) / (rate / 80))
        start = round(second * rate)
        sound[start : start + len(knock)] += knock[: len(sound) - start, None]
    return sound


def split(
    tmp_path: Path,
    models: Models,
    path: Path,
    parts: Sequence[StemName] = BACKGROUND_PARTS,
    report: ProgressCallback | None = None,
) -> SplitBackgroundOutput[Path]:
    out = tmp_path / "out"
    out.mkdir()
    name = STEMCORD_BACKGROUND.name
    return split_background_stage(
        StageContext(out=out, report=report or ProgressRecorder(), models=models),
        SplitBackgroundInputs(background=path),
        SplitBackgroundParams(model=name, weights=model_digest(name), parts=tuple(parts)),
    )


@pytest.mark.parametrize(
    ("rate", "channels", "seconds"), [(44_100, 2, 7.0), (48_000, 1, 2.0), (48_000, 6, 2.0), (16_000, 2, 2.0)]
)
def test_the_parts_add_up_to_the_background(tmp_path, models, rate, channels, seconds):
    path = save_sound(tmp_path / "background.flac", background(rate, channels, seconds), rate)
    output = split(tmp_path, models, path)
    found = dict(output.stems)
    assert found
    np.testing.assert_array_equal(sum(steps(file) for file in found.values()), steps(path))
    for file in found.values():
        assert soundfile.info(file).samplerate == rate
        assert soundfile.info(file).channels == channels
    assert [use.model for use in output.models] == [STEMCORD_BACKGROUND.name]


def test_the_top_octave_is_kept_at_48_khz(tmp_path, models):
    time = np.arange(4 * 48_000) / 48_000
    sound = background(48_000, 1, 4.0) + 0.05 * np.sin(2 * np.pi * 23_000 * time)[:, None]
    path = save_sound(tmp_path / "background.flac", sound, 48_000)
    found = dict(split(tmp_path, models, path).stems)
    powers = [np.abs(np.fft.rfft(steps(file)[:, 0]))[23_000 * 4] for file in found.values()]
    whole = np.abs(np.fft.rfft(steps(path)[:, 0]))[23_000 * 4]
    assert max(powers) > 0.3 * whole


@pytest.mark.parametrize("frames", [1, 100, 3000, 30_000])
def test_a_very_short_background_is_parted_too(tmp_path, models, frames):
    path = save_sound(tmp_path / "background.flac", background(RATE, 2, 1.0)[20_000:][:frames], RATE)
    found = dict(split(tmp_path, models, path).stems)
    np.testing.assert_array_equal(sum(steps(file) for file in found.values()), steps(path))


def test_only_the_parts_that_are_wanted_are_given(tmp_path, models):
    path = save_sound(tmp_path / "background.flac", background(RATE, 2, 3.0), RATE)
    output = split(tmp_path, models, path, (StemName.AMBIENT,))
    assert {stem for stem, _ in output.stems} <= {StemName.AMBIENT}
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) in ([], ["ambient.flac"])


def test_silence_has_no_parts_and_says_so(tmp_path, models):
    output = split(tmp_path, models, save_sound(tmp_path / "background.flac", np.zeros((RATE, 2)), RATE))
    assert not list(output.stems)
    assert [note.partition(":")[0] for note in output.notes] == [
        "There is no stem of music",
        "There is no stem of SFX",
        "There is no stem of ambience",
    ]


def test_cancelling_leaves_no_files(tmp_path, models):
    path = save_sound(tmp_path / "background.flac", background(RATE, 2, 12.0), RATE)
    with pytest.raises(Cancelled):
        split(tmp_path, models, path, report=ProgressRecorder(0.4, Cancelled("stopped")))
    assert list((tmp_path / "out").iterdir()) == []


class Knocks(SeparationEngine):
    """An engine for which all is SFX but a ten-thousandth, which it takes for music."""

    def __init__(self) -> None:
        super().__init__(RATE, BACKGROUND_PARTS)

    @classmethod
    def open(cls, models: Models, name: str) -> "Knocks":
        return cls()

    def separate(self, mixture: Mixture, report: ProgressCallback) -> Iterator[Samples]:
        for block in mixture.blocks():
            yield np.concatenate([block * 1e-4, block * 0.9999, block * 0], axis=1).astype(np.float32)
        report(1.0)


def test_a_silent_part_is_named_and_what_it_holds_goes_to_another(tmp_path, models, monkeypatch):
    monkeypatch.setattr(background_stage, "open_engine", lambda *_: Knocks())
    path = save_sound(tmp_path / "background.flac", background(RATE, 2, 3.0), RATE)
    output = split(tmp_path, models, path)
    assert [stem for stem, _ in output.stems] == [StemName.SFX]
    np.testing.assert_array_equal(steps(tmp_path / "out/sfx.flac"), steps(path))
    assert [note.partition(":")[0] for note in output.notes] == [
        "There is no stem of music",
        "There is no stem of ambience",
    ]


def test_a_single_knock_in_a_loud_clip_is_heard():
    levels = PartLevels(BACKGROUND_PARTS)
    loud, nothing = np.full((10, 1), 0.5, np.float32), np.zeros((10, 1), np.float32)
    for second in range(600):
        knock = np.full((10, 1), 0.05 if second == 300 else 1e-3, np.float32)
        levels.add(loud, {StemName.MUSIC: loud, StemName.SFX: knock, StemName.AMBIENT: nothing})
    assert [part for part in BACKGROUND_PARTS if levels.is_heard(part)] == [StemName.MUSIC, StemName.SFX]
