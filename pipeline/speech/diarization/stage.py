"""The stage that finds out who speaks when."""

import tempfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from pipeline.audio import io as audio_io
from pipeline.errors import AudioProcessingError, DiarizationError
from pipeline.graph.stage import ProgressCallback, StageContext
from pipeline.models.loader import Models
from pipeline.speech.contracts import DIARIZE, DiarizeInputs, DiarizeOutput, DiarizeParams
from pipeline.speech.diarization.input_selection import read_input, select_input
from pipeline.speech.diarization.mapped_samples import map_samples
from pipeline.speech.diarization.pyannote_pipeline import (
    DiarizationOutput,
    Diarizer,
    PipelineSettings,
    PretrainedPipelineDiarizer,
    SegmentationDiarizer,
    SpeakerCount,
)
from pipeline.speech.diarization.resegmentation import resegment
from pipeline.speech.diarization.segments import close_gaps, drop_short_segments
from pipeline.speech.speakers.embedding_model import load_speaker_encoder
from pipeline.types import Diarization, SpeakerSegment

CPU_SETTINGS = PipelineSettings(segmentation_step=0.1, segmentation_batch_size=8, embedding_batch_size=4)
"""Batches are small so that a cancel takes effect within a second."""
CUDA_SETTINGS = replace(CPU_SETTINGS, segmentation_batch_size=32, embedding_batch_size=32)
MAX_GAP_SECONDS = 0.2
"""A shorter pause is a breath inside a group of words."""
MIN_SEGMENT_SECONDS = 0.2
"""A shorter segment is a noise."""
MIN_SOUND_SECONDS = 0.25
"""A shorter clip holds no word."""
TOO_SHORT_NOTE = f"No speech was looked for in a clip of less than {MIN_SOUND_SECONDS:g} s."
STEP_PROGRESS = {"segmentation": (0.05, 0.35), "embeddings": (0.35, 0.8)}
"""Progress at the beginning and the end of each long step of pyannote, on a warm engine."""


def diarize_stage(context: StageContext, inputs: DiarizeInputs[Path], params: DiarizeParams) -> DiarizeOutput[Path]:
    """Find out who speaks when, and write it to `diarization.json`.

    Raises:
        DiarizationError: The sound or the models do not fit, or the diarization failed.
        ModelError: Weights are missing or changed.
        Cancelled: The job was stopped.
    """
    found, notes = DiarizationOutput(segments=(), exclusive=()), tuple[str, ...]()
    with _translate_errors():
        if audio_io.info(inputs.speech).duration >= MIN_SOUND_SECONDS:
            context.report(0.0, "Loading the voice models")
            diarizer = load_diarizer(context, params)
            selected = None if inputs.vocals is None else select_input(inputs.speech, inputs.vocals)
            notes = () if selected is None else (selected.reason,)
            blocks = read_input(inputs.speech, inputs.vocals, selected)
            count = SpeakerCount(exact=params.speakers, min=params.min_speakers, max=params.max_speakers)
            found = _run_diarizer(diarizer, inputs.speech, blocks, count, context.report)
        else:
            notes = (TOO_SHORT_NOTE,)
    diarization = post_process(found)
    path = context.out / "diarization.json"
    path.write_bytes(msgspec.json.encode(diarization))
    speakers = len(diarization.speakers)
    context.report(1.0, f"{speakers} speaker{'' if speakers == 1 else 's'}")
    names = (params.segmentation, params.embedding) if params.pipeline is None else (params.pipeline,)
    models = tuple(context.models.use(DIARIZE.name, name) for name in names)
    return DiarizeOutput(diarization=path, speakers=speakers, notes=notes, models=models)


def load_diarizer(context: StageContext, params: DiarizeParams) -> Diarizer:
    """Load what the parameters name: a pretrained pipeline, or a segmentation and an embedding model."""
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
        raise DiarizationError(
            f"Speakers cannot be told apart with {name}.",
            hint="Choose models that `stemcord models list` names for this.",
        )
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
    if models.entry(segmentation).engine != "pyannote" or models.entry(embedding).engine != "campplus":
        raise DiarizationError(
            f"Speakers cannot be told apart with {segmentation} and {embedding}.",
            hint="Choose models that `stemcord models list` names for this.",
        )
    checkpoint, encoder = models.files(segmentation)["checkpoint"], load_speaker_encoder(models, embedding)
    return models.loaded(
        f"diarizer {segmentation} {embedding}",
        lambda: SegmentationDiarizer(checkpoint, encoder, _settings_for(models.device), device=models.device),
    )


def _settings_for(device: str) -> PipelineSettings:
    return CUDA_SETTINGS if device.startswith("cuda") else CPU_SETTINGS


def post_process(found: DiarizationOutput) -> Diarization:
    """Close short gaps, drop short segments, and call the speakers S1, S2, … in order of first appearance."""
    segments = _clean(found.segments, exclusive=False)
    exclusive = _clean(found.exclusive, exclusive=True)
    order = dict.fromkeys(segment.speaker for segment in sorted(segments, key=lambda segment: segment.start))
    names = {label: f"S{number}" for number, label in enumerate(order, start=1)}
    return Diarization(
        speakers=tuple(names.values()),
        segments=tuple(_relabel(segments, names)),
        exclusive=tuple(_relabel(exclusive, names)),
    )


def _clean(segments: Sequence[SpeakerSegment], *, exclusive: bool) -> list[SpeakerSegment]:
    return drop_short_segments(close_gaps(segments, MAX_GAP_SECONDS, exclusive=exclusive), MIN_SEGMENT_SECONDS)


def _relabel(segments: Sequence[SpeakerSegment], names: dict[str, str]) -> Iterator[SpeakerSegment]:
    for segment in sorted(segments, key=lambda segment: segment.start):
        if segment.speaker in names:
            yield SpeakerSegment(
                start=round(segment.start, 3), end=round(segment.end, 3), speaker=names[segment.speaker]
            )


def _run_diarizer(
    diarizer: Diarizer,
    path: Path,
    blocks: Iterable[NDArray[np.float32]],
    count: SpeakerCount,
    report: ProgressCallback,
) -> DiarizationOutput:
    """Diarize the whole clip, which lies in a scratch file so that its length costs no memory."""
    reached = min(low for low, _ in STEP_PROGRESS.values())

    def hook(step: str, completed: int | None, total: int | None) -> None:
        # Steps report the end of their last batch, which may lie beyond the end of the sound.
        nonlocal reached
        low, high = STEP_PROGRESS.get(step, (reached, reached))
        fraction = min(1.0, completed / total) if completed is not None and total else 0.0
        reached = max(reached, low + (high - low) * fraction)
        report(reached, "Telling the voices apart")

    with tempfile.TemporaryDirectory(prefix="stemcord-") as folder:
        samples = map_samples(path, blocks, Path(folder) / "speech.f32")
        report(reached, "Telling the voices apart")
        if isinstance(diarizer, PretrainedPipelineDiarizer):
            return diarizer.apply(samples, hook=hook, count=count)
        return resegment(
            diarizer.apply(samples, hook=hook),
            samples,
            diarizer.encoder,
            lambda fraction: report(reached + (1.0 - reached) * fraction, "Listening again to each stretch"),
            count,
        )


@contextmanager
def _translate_errors() -> Generator[None]:
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
