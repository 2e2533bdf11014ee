"""A long sound taken apart in parts, against the same sound taken apart as a whole."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.audio import io as audio_io
from pipeline.errors import SeparationError
from pipeline.graph.stage import NoParams, StageContext
from pipeline.models.loader import Models
from pipeline.separation.contracts import JoinInputs, JoinParams, SeparateInputs, SeparateOutput, SeparatePartParams
from pipeline.separation.part_stages import join_stage, separate_part_stage, survey_stage
from pipeline.separation.parts import join_parts, plan_parts
from pipeline.types import StemName
from tests.pipeline.separation.measure import ProgressRecorder, SeparationJob, save_sound, si_sdr, steps

RATE = 44_100
Work = Callable[..., SeparationJob]


@given(seconds=st.floats(1, 7200), rate=st.sampled_from([8000, 44_100, 48_000]))
def test_parts_cover_a_sound_without_a_gap(seconds: float, rate: int) -> None:
    frames = round(seconds * rate)
    parts = plan_parts(frames, rate)
    begins = [part.first + part.skipped for part in parts]
    ends = [begin + part.kept for begin, part in zip(begins, parts, strict=True)]
    assert begins[0] == 0
    assert ends[-1] == frames
    assert all(end - begin == rate for end, begin in zip(ends, begins[1:], strict=False))
    assert all(part.first + part.frames <= frames and part.skipped + part.kept <= part.frames for part in parts)
    assert max(ends[0] - begins[0], *(end - begin for begin, end in zip(begins, ends, strict=True))) <= 151 * rate + 1


@given(frames=st.integers(30, 300), count=st.integers(1, 4), fade=st.integers(1, 7))
def test_parts_that_say_the_same_are_joined_without_a_trace(frames: int, count: int, fade: int) -> None:
    whole = np.random.default_rng(frames).standard_normal((frames, 2)).astype(np.float32)
    borders = [frames * number // count for number in range(count + 1)]
    kept = [whole[begin : min(frames, end + fade)] for begin, end in pairwise(borders)]
    blocks = [iter(np.array_split(part, 3)) for part in kept]
    joined = np.concatenate(list(join_parts(blocks, [len(part) for part in kept], fade, 2)))
    np.testing.assert_allclose(joined, whole, atol=1e-6)


def long_sound(dialogue: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Ten seconds whose levels differ."""
    part = dialogue[1][: 5 * RATE]
    return np.concatenate([part * 0.5, part * 0.1])


def by_parts(source: Path, out: Path, models: Models, engine: str, model: str) -> SeparateOutput[Path]:
    """What the stages make of a sound in parts of at most three and a half seconds."""

    def context(name: str) -> StageContext:
        (out / name).mkdir(parents=True)
        return StageContext(out=out / name, report=ProgressRecorder(), models=models)

    inputs = SeparateInputs(sound=source)
    survey = survey_stage(context("survey"), inputs, NoParams())
    info = audio_io.info(source)
    parts = plan_parts(info.frames, info.sample_rate, part_seconds=3.5)
    assert len(parts) == 3
    made = [
        separate_part_stage(
            context(f"part-{number}"),
            inputs,
            SeparatePartParams(engine=engine, model=model, weights="", part=part, survey=survey.survey, share=1 / 3),
        )
        for number, part in enumerate(parts)
    ]
    params = JoinParams(
        engine=engine,
        model=model,
        weights="",
        lengths=tuple(part.kept for part in parts),
        stems=made[0].stems,
        weights_digest=made[0].weights_digest,
        notes=("A note.",),
    )
    return join_stage(context("joined"), JoinInputs(sound=source, parts=tuple(part.made for part in made)), params)


@pytest.mark.parametrize(
    ("engine", "model", "closeness_db"),
    [("deepfilternet", "deepfilternet3", 25.0), ("ensemble", "deepfilternet3-spleeter", 20.0)],
)
def test_the_stems_are_those_of_the_whole_and_add_up(
    work: Work,
    models: Models,
    dialogue: tuple[np.ndarray, np.ndarray],
    tmp_path: Path,
    engine: str,
    model: str,
    closeness_db: float,
) -> None:
    source = save_sound(tmp_path / "sound.flac", long_sound(dialogue), RATE)
    whole = work(source, engine, model)
    whole.run()
    output = by_parts(source, tmp_path / "parts", models, engine, model)
    assert output.stems.vocals is not None
    assert output.stems.background is not None
    vocals = steps(output.stems.vocals)
    np.testing.assert_array_equal(vocals + steps(output.stems.background), steps(source))
    assert si_sdr(vocals, steps(whole.out / "vocals.flac")) >= closeness_db
    assert output.notes == ("A note.",)
    assert [use.stage for use in output.models] == ["separate"]


def test_the_survey_of_a_long_sound_plans_parts_and_one_of_many_channels_none(models: Models, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    context = StageContext(out=out, report=ProgressRecorder(), models=models)
    noise = np.random.default_rng(1).standard_normal((320 * 8000, 1)) * 0.1
    long = survey_stage(context, SeparateInputs(sound=save_sound(tmp_path / "long.flac", noise, 8000)), NoParams())
    assert len(long.parts) == 3
    assert long.survey.normal.deviation == pytest.approx(0.1, rel=0.01)
    assert long.survey.level.loud_rms == pytest.approx(0.1, rel=0.01)
    assert long.survey.level.channels_equal
    wide = save_sound(tmp_path / "wide.flac", np.repeat(noise[:8000], 6, axis=1), 8000)
    assert survey_stage(context, SeparateInputs(sound=wide), NoParams()).parts == ()


def test_parts_of_another_sound_are_refused(models: Models, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    source = save_sound(tmp_path / "sound.flac", np.zeros((8000, 1)), 8000)
    part = save_sound(tmp_path / "part.flac", np.zeros((4000, 1)), 8000)
    params = JoinParams(
        engine="deepfilternet",
        model="deepfilternet3",
        weights="",
        lengths=(8000,),
        stems=(StemName.VOCALS,),
        weights_digest="",
        notes=(),
    )
    context = StageContext(out=out, report=ProgressRecorder(), models=models)
    with pytest.raises(SeparationError, match="do not fit"):
        join_stage(context, JoinInputs(sound=source, parts=(part,)), params)
    fitting = replace(params, lengths=(4000,))
    with pytest.raises(SeparationError, match="do not fit"):
        join_stage(context, JoinInputs(sound=source, parts=(part,)), fitting)
