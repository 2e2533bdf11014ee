"""The stages that take a long sound apart in parts: `survey`, `separate_part` for each, `join_parts`."""

from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np

from pipeline.audio import io as audio_io
from pipeline.audio.io import Samples
from pipeline.errors import SeparationError
from pipeline.graph.stage import NoParams, StageContext
from pipeline.separation.base import Mixture, open_engine
from pipeline.separation.contracts import (
    JoinInputs,
    JoinParams,
    SeparateInputs,
    SeparateOutput,
    SeparatePartOutput,
    SeparatePartParams,
    SoundSurvey,
    SurveyOutput,
)
from pipeline.separation.parts import FADE_SECONDS, join_parts, plan_parts
from pipeline.separation.stage import PROGRESS_MESSAGE, require_catalogue_stems, separated
from pipeline.separation.stem_files import atomic_folder, write_stems
from pipeline.separation.streaming import BlockReader, fit_length
from pipeline.separation.surround import SeparationResult
from pipeline.separation.survey import measure_level, measure_normalization

HEADROOM: Final = np.float32(0.5)
"""What a part's samples are multiplied by in its file: networks go over full scale."""
MADE: Final = "part.flac"


def survey_stage(context: StageContext, inputs: SeparateInputs[Path], params: NoParams) -> SurveyOutput:
    """Measure a whole sound and plan its parts; one of more than two channels has none, since its groups are parts.

    Raises:
        MediaError: The sound cannot be read.
    """
    if audio_io.info(inputs.sound).channels > 2:
        return SurveyOutput(survey=SoundSurvey(), parts=())
    mixture = Mixture.open(inputs.sound, audio_io.info(inputs.sound).sample_rate)
    level = measure_level(mixture.original_blocks())
    context.report(0.5)
    normal = measure_normalization(mixture.original_blocks(), lambda: context.report(0.5))
    return SurveyOutput(
        survey=SoundSurvey(level=level, normal=normal),
        parts=plan_parts(mixture.original.frames, mixture.original.sample_rate),
    )


def separate_part_stage(
    context: StageContext, inputs: SeparateInputs[Path], params: SeparatePartParams
) -> SeparatePartOutput[Path]:
    """Have an engine make the stems of a part of a sound.

    Raises:
        MediaError: The sound cannot be read.
        ModelError: The engine, the model or its weights are not here.
        SeparationError: The engine failed. What `context.report` raises comes through too.
    """
    context.models.fetched(params.model, context.report)
    context.report(0.0, "Loading the model")
    part = params.part
    with closing(open_engine(params.engine, context.models, params.model)) as engine:
        require_catalogue_stems(context.models.entry(params.model), engine)
        mixture = Mixture.open(inputs.sound, engine.sample_rate).part(part.first, part.frames, params.survey)
        columns, rate = len(engine.stems) * mixture.channels, mixture.original.sample_rate
        made = engine.separate(mixture, lambda fraction, message="": context.report(fraction, PROGRESS_MESSAGE))
        back = audio_io.resample_blocks(made, engine.sample_rate, rate, channels=columns, quality="VHQ")
        reader = BlockReader(fit_length(back, part.frames, columns), columns)
        reader.read(part.skipped)
        with atomic_folder(context.out) as folder:
            _write_halved(reader, part.kept, folder / MADE, sample_rate=rate, columns=columns)
            # To the end, so that the engine has said all that it has to say.
            reader.read(part.frames - part.skipped - part.kept)
        return SeparatePartOutput(
            made=context.out / MADE,
            stems=engine.stems,
            weights_digest=engine.weights_digest,
            notes=tuple(engine.notes),
        )


def join_stage(context: StageContext, inputs: JoinInputs[Path], params: JoinParams) -> SeparateOutput[Path]:
    """Join the parts of a sound into stems that add up to it exactly.

    Raises:
        MediaError: A file cannot be read.
        SeparationError: The parts are not those of this sound.
    """
    mixture = Mixture.open(inputs.sound, audio_io.info(inputs.sound).sample_rate)
    columns = len(params.stems) * mixture.channels
    fade = round(FADE_SECONDS * mixture.original.sample_rate)
    found = [audio_io.info(path) for path in inputs.parts]
    whole = sum(params.lengths) - fade * (len(found) - 1)
    fit = [each.frames for each in found] == list(params.lengths) and whole == mixture.frames
    if not fit or {each.channels for each in found} != {columns}:
        raise SeparationError("The parts of this sound do not fit each other.", hint="Try again.")
    made = 0

    def doubled(block: Samples) -> Samples:
        nonlocal made
        made += len(block)
        context.report(min(1.0, made / mixture.frames))
        return np.asarray(block / HEADROOM, np.float32)

    with atomic_folder(context.out) as folder:
        joined = join_parts([audio_io.read_blocks(path) for path in inputs.parts], params.lengths, fade, columns)
        written = write_stems(mixture, map(doubled, joined), params.stems, folder)
    return separated(
        context,
        params,
        SeparationResult(
            stems=written.stems,
            residual_dbfs=written.residual_dbfs,
            notes=params.notes,
            weights_digest=params.weights_digest,
        ),
    )


def _write_halved(reader: BlockReader, frames: int, path: Path, *, sample_rate: int, columns: int) -> None:
    with audio_io.SoundWriter(path, sample_rate=sample_rate, channels=columns) as writer:
        while writer.frames < frames:
            block = reader.read(min(audio_io.BLOCK_FRAMES, frames - writer.frames))
            writer.write(np.asarray(block * HEADROOM, np.float32))
