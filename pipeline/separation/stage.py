"""The stage `separate`: a sound in, its vocals and the parts of its background out."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from pipeline.audio import io as audio_io
from pipeline.errors import SeparationError
from pipeline.graph.stage import ProgressCallback, StageContext
from pipeline.models.entries import Model
from pipeline.models.loader import model_digest
from pipeline.separation.base import Mixture, SeparationEngine, open_engine
from pipeline.separation.contracts import SEPARATE, SeparateInputs, SeparateOutput, SeparateParams, StemFiles
from pipeline.separation.stem_files import atomic_folder, output_stems, write_stems
from pipeline.separation.surround import SeparationResult, separate_surround
from pipeline.types import ModelUse, StemName

PROGRESS_MESSAGE = "Taking the voices out"
MUSIC_ONLY_NOTE = "SFX and ambience stay with the music: {model} was trained on songs and does not know them."


def separate_stage(context: StageContext, inputs: SeparateInputs[Path], params: SeparateParams) -> SeparateOutput[Path]:
    """Separate a sound into stems that add up to it exactly.

    Raises:
        MediaError: The sound cannot be read.
        ModelError: The engine, the model or its weights are not here.
        SeparationError: The engine failed. What `context.report` raises comes through too.
    """
    entry = context.models.entry(params.model)
    context.models.fetched(params.model, context.report)
    context.report(0.0, "Loading the model")

    def report(fraction: float, message: str = "") -> None:
        context.report(fraction, message or PROGRESS_MESSAGE)

    def separate_file(path: Path, folder: Path, report: ProgressCallback) -> SeparationResult:
        with closing(open_engine(params.engine, context.models, params.model)) as engine:
            require_catalogue_stems(entry, engine)
            mixture = Mixture.open(path, engine.sample_rate)
            written = write_stems(mixture, engine.separate(mixture, report), engine.stems, folder)
            return SeparationResult(
                stems=written.stems,
                residual_dbfs=written.residual_dbfs,
                notes=tuple(engine.notes),
                weights_digest=engine.weights_digest,
            )

    with atomic_folder(context.out) as folder:
        if audio_io.info(inputs.sound).channels > 2:
            result = separate_surround(inputs.sound, separate_file, folder, report)
        else:
            result = separate_file(inputs.sound, folder, report)
    return separated(context, params, result)


def separated(context: StageContext, params: SeparateParams, result: SeparationResult) -> SeparateOutput[Path]:
    """Describe stems that lie in the stage's folder."""
    use = ModelUse(
        stage=SEPARATE.name,
        engine=params.engine,
        model=params.model,
        licence=context.models.entry(params.model).licence,
        digest=result.weights_digest or model_digest(params.model),
    )
    return SeparateOutput(
        stems=StemFiles(**{stem.value: context.out / f"{stem.value}.flac" for stem in result.stems}),
        residual=result.residual_dbfs,
        notes=(*result.notes, *missing_stem_notes(params.model, result.stems)),
        models=(use,),
    )


def missing_stem_notes(model: str, stems: Sequence[StemName]) -> list[str]:
    """Explain, in sentences for people, why stems that they may look for were not made."""
    if StemName.MUSIC not in stems or StemName.SFX in stems:
        return []
    return [MUSIC_ONLY_NOTE.format(model=model)]


def require_catalogue_stems(entry: Model, engine: SeparationEngine) -> None:
    """Raise `SeparationError` when the weights lack a stem that the catalogue names, as one's own checkpoint may."""
    missing = [stem.value for stem in entry.stems if stem not in output_stems(engine.stems)]
    if missing:
        raise SeparationError(
            f"The weights in use for {entry.name} do not make {' and '.join(missing)}.",
            hint="Take your own checkpoint of that name away, or choose a model by what it makes.",
        )
