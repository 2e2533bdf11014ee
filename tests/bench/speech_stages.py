"""The stages of speech called directly, in this process, with the pocket preset's models."""

from pathlib import Path

from pipeline.audio import io as audio_io
from pipeline.catalog import PRESETS
from pipeline.graph.stage import NoParams, StageContext
from pipeline.media.contracts import ExtractInputs, ExtractParams, PrepareSpeechInputs
from pipeline.media.stages import extract_stage, prepare_speech_stage
from pipeline.models.loader import Models, model_digest
from pipeline.separation.contracts import SeparateInputs, SeparateParams
from pipeline.separation.stage import separate_stage
from pipeline.speech.alignment.stage import align_stage
from pipeline.speech.contracts import (
    AlignInputs,
    AlignOutput,
    AlignParams,
    DiarizeInputs,
    DiarizeOutput,
    DiarizeParams,
)
from pipeline.speech.diarization.input_selection import select_input
from pipeline.speech.diarization.stage import diarize_stage
from pipeline.types import Preset, RouteName


def make_context(out: Path, models: Models) -> StageContext:
    """A context that reports to nobody; its folder is made."""
    out.mkdir(parents=True, exist_ok=True)
    return StageContext(out=out, report=lambda fraction, message="": None, models=models)


def extract(clip: Path, out: Path, models: Models) -> Path:
    """The sound of a clip."""
    return extract_stage(make_context(out, models), ExtractInputs(source=clip), ExtractParams()).sound


def prepare_speech(sound: Path, out: Path, models: Models) -> Path:
    """What the speech models hear of a sound."""
    return prepare_speech_stage(make_context(out, models), PrepareSpeechInputs(sound=sound), NoParams()).speech


def separate_vocals(sound: Path, out: Path, models: Models) -> Path:
    """The voices of a dialogue."""
    model = PRESETS[Preset.POCKET].separation[RouteName.DIALOGUE]
    params = SeparateParams(model=model, weights=model_digest(model), engine=models.entry(model).engine)
    vocals = separate_stage(make_context(out, models), SeparateInputs(sound=sound), params).stems.vocals
    assert vocals is not None
    return vocals


def diarize(speech: Path, out: Path, models: Models, vocals: Path | None = None) -> DiarizeOutput[Path]:
    """Who speaks when."""
    preset = PRESETS[Preset.POCKET]
    weights = (model_digest(preset.segmentation), model_digest(preset.embedding))
    gain = 1.0 if vocals is None else select_input(speech, vocals).background_gain
    params = DiarizeParams(
        segmentation=preset.segmentation, embedding=preset.embedding, weights=weights, background_gain=gain
    )
    return diarize_stage(make_context(out, models), DiarizeInputs(speech=speech, vocals=vocals), params)


def align(speech: Path, diarization: Path, recognition: Path, out: Path, models: Models) -> AlignOutput[Path]:
    """Who says what."""
    embedding = PRESETS[Preset.POCKET].embedding
    params = AlignParams(duration=audio_io.info(speech).duration, embedding=embedding, weights=model_digest(embedding))
    inputs = AlignInputs(diarization=diarization, recognition=recognition, speech=speech)
    return align_stage(make_context(out, models), inputs, params)
