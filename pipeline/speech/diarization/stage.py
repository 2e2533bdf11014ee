"""The stages that find out where somebody speaks, and who."""

import tempfile
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.audio import io as audio_io
from pipeline.errors import AudioProcessingError, DiarizationError
from pipeline.graph.stage import ProgressCallback, StageContext
from pipeline.models.loader import Models
from pipeline.speech.contracts import (
    DiarizeInputs,
    DiarizeOutput,
    DiarizeParams,
    FindSpeechInputs,
    FindSpeechOutput,
    FindSpeechParams,
)
from pipeline.speech.diarization.input_selection import read_input
from pipeline.speech.diarization.mapped_samples import map_samples
from pipeline.speech.diarization.pyannote_pipeline import (
    DiarizationOutput,
    PipelineSettings,
    PretrainedPipelineDiarizer,
    SpeakerCount,
)
from pipeline.speech.diarization.resegmentation import resegment
from pipeline.speech.diarization.segmentation import WINDOW_SECONDS, Segmenter
from pipeline.speech.diarization.voice_files import read_voices, write_diarization, write_speech
from pipeline.speech.speakers.embedding_model import SpeakerEncoder, load_speaker_encoder

WINDOW_STEP_SECONDS = 1.0
"""Between two windows of the segmentation."""
CPU_SETTINGS = PipelineSettings(
    segmentation_step=WINDOW_STEP_SECONDS / WINDOW_SECONDS, segmentation_batch_size=8, embedding_batch_size=4
)
"""Batches are small so that a cancel takes effect within a second."""
CUDA_SETTINGS = replace(CPU_SETTINGS, segmentation_batch_size=32, embedding_batch_size=32)
MIN_SOUND_SECONDS = 0.25
"""A shorter clip holds no word."""
TOO_SHORT_NOTE = f"No speech was looked for in a clip of less than {MIN_SOUND_SECONDS:g} s."
NOTHING_HEARD = DiarizationOutput(segments=(), exclusive=())
STEP_PROGRESS = {"segmentation": (0.05, 0.35), "embeddings": (0.35, 0.8)}
"""Progress at the beginning and the end of each long step of pyannote, on a warm engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentationDiarizer:
    """A segmentation model, and the embedding model by which its voices are told apart."""

    segmenter: Segmenter
    encoder: SpeakerEncoder


Diarizer: TypeAlias = SegmentationDiarizer | PretrainedPipelineDiarizer


def find_speech_stage(
    context: StageContext, inputs: FindSpeechInputs[Path], params: FindSpeechParams
) -> FindSpeechOutput[Path]:
    """Find out where somebody speaks, and write it to `speech.json` and `voices.json`.

    Raises:
        DiarizationError: The sound or the model does not fit, or the segmentation failed.
        ModelError: Weights are missing or changed.
        Cancelled: The job was stopped.
    """
    found, notes = NOTHING_HEARD, tuple[str, ...]()
    with translate_errors():
        if audio_io.info(inputs.speech).duration >= MIN_SOUND_SECONDS:
            context.report(0.0, "Loading the voice models")
            segmenter = load_segmenter(context.models, params.segmentation)
            with mapped_sound(inputs.speech, read_input(inputs.speech, None, 1.0)) as samples:
                found = segmenter.apply(samples, hook=_Progress(context.report, {"segmentation": (0.1, 1.0)}))
        else:
            notes = (TOO_SHORT_NOTE,)
    return write_speech(context, found, params, notes)


def diarize_stage(context: StageContext, inputs: DiarizeInputs[Path], params: DiarizeParams) -> DiarizeOutput[Path]:
    """Find out who speaks when, and write it to `diarization.json`.

    Raises:
        DiarizationError: The sound or the models do not fit, or the diarization failed.
        ModelError: Weights are missing or changed.
        Cancelled: The job was stopped.
    """
    found, notes = NOTHING_HEARD, tuple[str, ...]()
    with translate_errors():
        if audio_io.info(inputs.speech).duration >= MIN_SOUND_SECONDS:
            context.report(0.0, "Loading the voice models")
            diarizer = load_diarizer(context, params)
            count = SpeakerCount(exact=params.speakers, min=params.min_speakers, max=params.max_speakers)
            first = None if inputs.found is None else read_voices(inputs.found)
            with mapped_sound(
                inputs.speech, read_input(inputs.speech, inputs.vocals, params.background_gain)
            ) as samples:
                found = _run_diarizer(diarizer, samples, first, count, context.report)
        else:
            notes = (TOO_SHORT_NOTE,)
    return write_diarization(context, found, params, notes)


def load_diarizer(context: StageContext, params: DiarizeParams) -> Diarizer:
    """Load what the parameters name: a pretrained pipeline, or a segmentation and an embedding model.

    Raises:
        DiarizationError: The models are of another kind.
        ModelError: Weights are missing or changed, or cannot be had.
    """
    if params.pipeline is not None:
        return load_pretrained_pipeline(context, params.pipeline)
    return load_segmentation_diarizer(context.models, params.segmentation, params.embedding)


def load_pretrained_pipeline(context: StageContext, name: str) -> PretrainedPipelineDiarizer:
    """Load a pipeline that pyannote publishes; it is downloaded and built on first use and kept warm.

    Raises:
        DiarizationError: The model is no pipeline.
        ModelError: The download failed.
    """
    models = context.models
    files = models.fetched(name, context.report)
    config = next((path for key, path in files.items() if key.endswith("config.yaml")), None)
    if config is None:
        raise _not_for_speakers(name)
    return models.loaded(
        f"diarizer {name}",
        lambda: PretrainedPipelineDiarizer(config.parent, _settings_for(models.device), device=models.device),
    )


def load_segmentation_diarizer(models: Models, segmentation: str, embedding: str) -> SegmentationDiarizer:
    """Load a segmentation model and an embedding model on first use and keep them warm.

    Raises:
        DiarizationError: The models are of another kind.
        ModelError: Weights are missing or changed.
    """
    if models.entry(embedding).engine != "campplus":
        raise _not_for_speakers(f"{segmentation} and {embedding}")
    return SegmentationDiarizer(
        segmenter=load_segmenter(models, segmentation), encoder=load_speaker_encoder(models, embedding)
    )


def load_segmenter(models: Models, name: str) -> Segmenter:
    """Load a segmentation model on first use and keep it warm.

    Raises:
        DiarizationError: The model is of another kind.
        ModelError: Weights are missing or changed.
    """
    if models.entry(name).engine != "pyannote":
        raise _not_for_speakers(name)
    return models.loaded(f"segmenter {name}", lambda: _build_segmenter(models, name))


def _build_segmenter(models: Models, name: str) -> Segmenter:
    from pipeline.speech.diarization.segmentation_network import load_network

    settings = _settings_for(models.device)
    return Segmenter(
        load_network(models, name), step=settings.segmentation_step, batch_size=settings.segmentation_batch_size
    )


def _not_for_speakers(names: str) -> DiarizationError:
    return DiarizationError(
        f"Speakers cannot be told apart with {names}.",
        hint="Choose models that `stemcord models list` names for this.",
    )


def _settings_for(device: str) -> PipelineSettings:
    return CUDA_SETTINGS if device.startswith("cuda") else CPU_SETTINGS


def _run_diarizer(
    diarizer: Diarizer,
    samples: NDArray[np.float32],
    first: DiarizationOutput | None,
    count: SpeakerCount,
    report: ProgressCallback,
) -> DiarizationOutput:
    """Diarize the whole clip; `first` is what the segmentation found before, if it ran."""
    progress = _Progress(report, STEP_PROGRESS)
    progress.repeat()
    if isinstance(diarizer, PretrainedPipelineDiarizer):
        return diarizer.apply(samples, hook=progress, count=count)
    first = first or diarizer.segmenter.apply(samples, hook=progress)
    reached = progress.reached
    return resegment(
        first,
        samples,
        diarizer.encoder,
        lambda fraction: report(reached + (1.0 - reached) * fraction, "Listening again to each stretch"),
        count,
    )


class _Progress:
    """Tells how far the long steps of pyannote are; never goes back."""

    def __init__(self, report: ProgressCallback, steps: Mapping[str, tuple[float, float]]) -> None:
        self._report = report
        self._steps = steps
        self.reached = min(low for low, _ in steps.values())

    def repeat(self) -> None:
        self._report(self.reached, "Telling the voices apart")

    def __call__(self, step: str, completed: int | None, total: int | None) -> None:
        # Steps report the end of their last batch, which may lie beyond the end of the sound.
        low, high = self._steps.get(step, (self.reached, self.reached))
        fraction = min(1.0, completed / total) if completed is not None and total else 0.0
        self.reached = max(self.reached, low + (high - low) * fraction)
        self.repeat()


@contextmanager
def mapped_sound(path: Path, blocks: Iterable[NDArray[np.float32]]) -> Generator[NDArray[np.float32]]:
    """Lay sound, at most as much as the file at `path` has, into a scratch file, so that its length costs no memory."""
    with tempfile.TemporaryDirectory(prefix="stemcord-") as folder:
        yield map_samples(path, blocks, Path(folder) / "speech.f32")


@contextmanager
def translate_errors() -> Generator[None]:
    """Raise what pyannote and torch raise, of whatever type, as a `DiarizationError`."""
    try:
        yield
    except AudioProcessingError:
        raise
    except Exception as error:
        raise DiarizationError(
            "Telling the speakers apart failed.",
            hint="Try again; a shorter clip needs less memory.",
            detail=f"{type(error).__name__}: {error}",
        ) from error
