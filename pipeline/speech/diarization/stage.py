"""Who speaks when: pyannote.audio's own pipeline on verified weights, and what it found made tidy."""

import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from pipeline.audio import io as audio_io
from pipeline.errors import AudioProcessingError, DiarizationError
from pipeline.graph.stage import ProgressCallback, StageContext, StageMetadata
from pipeline.models.loader import Models, model_digest
from pipeline.speech.diarization import input_selection
from pipeline.speech.diarization.pyannote_pipeline import (
    SAMPLE_RATE,
    DiarizationOutput,
    PipelineSettings,
    PretrainedPipelineDiarizer,
    SegmentationDiarizer,
    SpeakerCount,
)
from pipeline.speech.diarization.resegmentation import resegment
from pipeline.speech.diarization.segments import close_gaps, drop_short_segments
from pipeline.speech.speakers.embedding_model import load_speaker_encoder
from pipeline.types import Diarization, JsonValue, ModelUse, SpeakerSegment

CPU_SETTINGS = PipelineSettings(segmentation_step=0.1, segmentation_batch_size=8, embedding_batch_size=4)
"""Batches are small so that a cancel is heard within a second."""
CUDA_SETTINGS = replace(CPU_SETTINGS, segmentation_batch=32, embedding_batch=32)
MAX_GAP_SECONDS = 0.2
"""Seconds; a shorter pause is a breath inside a word group."""
MIN_SEGMENT_SECONDS = 0.2
"""Seconds; what is shorter is a noise."""
MIN_SOUND_SECONDS = 0.25
"""Seconds; nothing is told about less."""
STEP_PROGRESS = {"segmentation": (0.05, 0.35), "embeddings": (0.35, 0.8)}
"""Part of the work that each long step of pyannote takes on a warm engine."""


def diarize_stage(work: StageContext) -> StageMetadata:
    """Writes `diarization.json`; see the contract in `pipeline.graph.stage`.

    Inputs: `speech`, and where there are separated voices `vocals`, both 16 kHz and of one length.
    What is heard of them is chosen in `front_end`; the fact `notes` says why.

    Raises `DiarizationError`, `ModelError` for weights that are missing or wrong, and `Cancelled`.
    """
    whole = cast("str | None", work.params.get("pipeline"))
    names = (str(work.params["segmentation"]), str(work.params["embedding"])) if whole is None else (whole,)
    count = SpeakerCount(
        exact=cast("int | None", work.params.get("speakers")),
        min=cast("int | None", work.params.get("min_speakers")),
        max=cast("int | None", work.params.get("max_speakers")),
    )
    path, vocals = work.inputs["speech"], work.inputs.get("vocals")
    notes: list[JsonValue] = []
    with _translate_errors():
        if audio_io.info(path).duration < MIN_SOUND_SECONDS:
            voices = DiarizationOutput(segments=(), exclusive=())
        else:
            work.report(0.0, "Loading the voice models")
            diarizer = (
                load_segmentation_diarizer(work.models, *names)
                if whole is None
                else load_pretrained_pipeline(work, whole)
            )
            hearing = None if vocals is None else input_selection.select_input(path, vocals)
            notes = [] if hearing is None else [hearing.reason]
            blocks = (
                audio_io.read_blocks(path)
                if vocals is None or hearing is None or hearing.background_gain == 1.0
                else (
                    block[:, None] for block in input_selection.blend_background(path, vocals, hearing.background_gain)
                )
            )
            voices = _run_diarizer(diarizer, path, blocks, count, work.report)
    diarization = post_process(voices)
    (work.out / "diarization.json").write_bytes(msgspec.json.encode(diarization))
    found = len(diarization.speakers)
    work.report(1.0, f"{found} speaker{'' if found == 1 else 's'}")
    models: list[JsonValue] = [msgspec.to_builtins(_model_use(work.models, name)) for name in names]
    return {"speakers": found, "models": models, "notes": notes}


def load_pretrained_pipeline(work: StageContext, name: str) -> SegmentationDiarizer:
    """A pipeline that pyannote publishes whole, fetched and built on first use and kept warm."""
    models = work.models
    files = models.fetched(name, work.report)
    config = next((path for key, path in files.items() if key.endswith("config.yaml")), None)
    if config is None:
        raise DiarizationError(
            f"Speakers cannot be told apart with {name}.",
            hint="Choose models that `stemcord models list` names for this.",
        )
    settings = CUDA_SETTINGS if models.device.startswith("cuda") else CPU_SETTINGS
    return models.loaded(
        f"diarizer {name}", lambda: PretrainedPipelineDiarizer(config.parent, settings, device=models.device)
    )


def load_segmentation_diarizer(models: Models, segmentation: str, embedding: str) -> SegmentationDiarizer:
    """The pipeline on these models, built on first use and kept warm."""
    if models.entry(segmentation).engine != "pyannote" or models.entry(embedding).engine != "campplus":
        raise DiarizationError(
            f"Speakers cannot be told apart with {segmentation} and {embedding}.",
            hint="Choose models that `stemcord models list` names for this.",
        )
    checkpoint, encode = models.files(segmentation)["checkpoint"], load_speaker_encoder(models, embedding)
    settings = CUDA_SETTINGS if models.device.startswith("cuda") else CPU_SETTINGS
    return models.loaded(
        f"diarizer {segmentation} {embedding}",
        lambda: SegmentationDiarizer(checkpoint, encode, settings, device=models.device),
    )


def post_process(voices: DiarizationOutput) -> Diarization:
    """Breaths closed, blips dropped, speakers called S1, S2, … in order of first appearance."""
    segments = drop_short_segments(close_gaps(voices.segments, MAX_GAP_SECONDS, exclusive=False), MIN_SEGMENT_SECONDS)
    exclusive = drop_short_segments(close_gaps(voices.exclusive, MAX_GAP_SECONDS, exclusive=True), MIN_SEGMENT_SECONDS)
    order = dict.fromkeys(segment.speaker for segment in sorted(segments, key=lambda segment: segment.start))
    names = {label: f"S{number}" for number, label in enumerate(order, start=1)}
    return Diarization(
        speakers=tuple(names.values()),
        segments=tuple(_relabel(segments, names)),
        exclusive=tuple(_relabel(exclusive, names)),
    )


def _relabel(segments: Sequence[SpeakerSegment], names: dict[str, str]) -> Iterator[SpeakerSegment]:
    for segment in sorted(segments, key=lambda segment: segment.start):
        if segment.speaker in names:
            yield SpeakerSegment(
                start=round(segment.start, 3), end=round(segment.end, 3), speaker=names[segment.speaker]
            )


def _run_diarizer(
    diarizer: SegmentationDiarizer, path: Path, blocks: audio_io.Blocks, count: SpeakerCount, report: ProgressCallback
) -> DiarizationOutput:
    """Run pyannote over the whole clip, which lies in a file so that its length costs no memory."""
    reached = min(low for low, _ in STEP_PROGRESS.values())

    def hook(step: str, done: int | None, total: int | None) -> None:
        # Steps report the end of their last batch, which may lie beyond the end of the sound.
        nonlocal reached
        low, high = STEP_PROGRESS.get(step, (reached, reached))
        part = min(1.0, done / total) if done is not None and total else 0.0
        reached = max(reached, low + (high - low) * part)
        report(reached, "Telling the voices apart")

    with tempfile.TemporaryDirectory(prefix="stemcord-") as folder:
        samples = _map_samples(path, blocks, Path(folder) / "speech.f32")
        report(reached, "Telling the voices apart")
        voices = diarizer.apply(samples, hook=hook, count=count if diarizer.whole else None)
        if diarizer.whole:
            return voices
        return resegment(
            voices,
            samples,
            diarizer.embed,
            lambda part: report(reached + (1.0 - reached) * part, "Listening again to each stretch"),
            count,
        )


def _map_samples(path: Path, blocks: audio_io.Blocks, scratch: Path) -> NDArray[np.float32]:
    """The samples of blocks as long as the file as a map of a scratch file, shape (frames,)."""
    about = audio_io.info(path)
    if about.sample_rate != SAMPLE_RATE:
        raise DiarizationError("Sound for the voice models must have 16 kHz.", detail=str(path))
    samples = np.memmap(scratch, dtype=np.float32, mode="w+", shape=(about.frames,))
    place = 0
    for block in blocks:
        samples[place : place + len(block)] = audio_io.to_mono(block)[:, 0]
        place += len(block)
    return samples[:place]


def _model_use(models: Models, name: str) -> ModelUse:
    entry = models.entry(name)
    return ModelUse(stage="diarize", engine=entry.engine, model=name, licence=entry.licence, digest=model_digest(name))


@contextmanager
def _translate_errors() -> Generator[None]:
    """What pyannote and torch raise, of whatever type, as a named error; a cancel passes through."""
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
