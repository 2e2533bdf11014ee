"""The stages that find out who speaks when in parts; see `pipeline.speech.diarization.parts.parting`."""

import math
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.audio import io as audio_io
from pipeline.errors import DiarizationError
from pipeline.graph.stage import NoParams, PartsOutput, StageContext, plan_parts
from pipeline.speech.contracts import DiarizeOutput, DiarizeParams, FindSpeechInputs, FindSpeechOutput, FindSpeechParams
from pipeline.speech.diarization.input_selection import read_input
from pipeline.speech.diarization.parts.contracts import (
    EmbedPartInputs,
    EmbedPartOutput,
    EmbedPartParams,
    JoinSpeechInputs,
    JoinVoicesInputs,
    SegmentPartInputs,
    SegmentPartOutput,
    SegmentPartParams,
    SurveyVoicesInputs,
)
from pipeline.speech.diarization.pyannote_pipeline import SAMPLE_RATE, SpeakerCount
from pipeline.speech.diarization.resegmentation import relabel
from pipeline.speech.diarization.segmentation import (
    VOICES,
    WINDOW_FRAMES,
    WINDOW_SAMPLES,
    count_windows,
    join_windows,
)
from pipeline.speech.diarization.single_speaker_segments import ChunkPlan, plan_chunks, split_at_changes
from pipeline.speech.diarization.stage import WINDOW_STEP_SECONDS, load_segmenter, mapped_sound, translate_errors
from pipeline.speech.diarization.voice_files import read_voices, write_diarization, write_speech
from pipeline.speech.speakers.embedding_model import embed_spans, load_speaker_encoder

PART_WINDOWS: Final = 192
"""Windows of a part, a little over three minutes: a multiple of what the network hears at once."""
PART_CHUNKS: Final = 384
"""Chunks of a part, likewise, where one person speaks on."""
ACTIVE_FILE, EMBEDDINGS_FILE = "active.npy", "embeddings.npy"


def survey_speech_stage(context: StageContext, inputs: FindSpeechInputs[Path], params: NoParams) -> PartsOutput:
    """Share out the windows of a sound.

    Raises:
        DiarizationError: The sound has another sample rate than the voice models.
    """
    return PartsOutput(
        parts=plan_parts(count_windows(_count_samples(inputs.speech), WINDOW_STEP_SECONDS), PART_WINDOWS)
    )


def segment_part_stage(
    context: StageContext, inputs: SegmentPartInputs[Path], params: SegmentPartParams
) -> SegmentPartOutput[Path]:
    """Hear which voices speak in some windows of a sound, and write it as bits.

    Raises:
        DiarizationError: The segmentation failed.
        ModelError: Weights are missing or changed.
    """
    with translate_errors():
        context.report(0.0, "Loading the voice models")
        segmenter = load_segmenter(context.models, params.segmentation)
        step = round(WINDOW_STEP_SECONDS * SAMPLE_RATE)
        blocks = read_input(
            inputs.speech,
            inputs.vocals,
            params.background_gain,
            first=params.part.first * step,
            frames=(params.part.count - 1) * step + WINDOW_SAMPLES,
        )

        def on_step(step: str, completed: int | None, total: int | None) -> None:
            context.report(min(1.0, (completed or 0) / (total or 1)), "Finding out where somebody speaks")

        active = segmenter.hear_windows(np.concatenate(list(blocks)), on_step)
    path = context.out / ACTIVE_FILE
    np.save(path, np.packbits(active.astype(np.bool_).ravel()), allow_pickle=False)
    return SegmentPartOutput(active=path)


def join_speech_stage(
    context: StageContext, inputs: JoinSpeechInputs[Path], params: FindSpeechParams
) -> FindSpeechOutput[Path]:
    """Join what all windows hear, as `find_speech_stage` does.

    Raises:
        DiarizationError: A part cannot be read, or joining failed.
    """
    with translate_errors():
        active = np.concatenate([_read_active(path) for path in inputs.parts])
        return write_speech(context, join_windows(active, WINDOW_STEP_SECONDS), params)


def survey_voices_stage(context: StageContext, inputs: SurveyVoicesInputs[Path], params: NoParams) -> PartsOutput:
    """Share out what is embedded of a clip.

    Raises:
        DiarizationError: The sound has another sample rate than the voice models.
    """
    return PartsOutput(parts=plan_parts(len(_plan(inputs.speech, inputs.found).chunks), PART_CHUNKS))


def embed_part_stage(
    context: StageContext, inputs: EmbedPartInputs[Path], params: EmbedPartParams
) -> EmbedPartOutput[Path]:
    """Embed some chunks of single voices.

    Raises:
        DiarizationError: The sound or the model does not fit, or the model failed.
        ModelError: Weights are missing or changed.
    """
    with translate_errors():
        context.report(0.0, "Loading the voice models")
        encoder = load_speaker_encoder(context.models, params.embedding)
        chunks = _plan(inputs.speech, inputs.found).chunks[params.part.first :][: params.part.count]
        # Samples are counted from the clip's beginning, so that each chunk has those it has in the whole clip.
        first = min(math.floor(start) for start, _ in chunks)
        last = max(math.ceil(end) for _, end in chunks)
        # Where people say little, a part is long.
        blocks = read_input(
            inputs.speech,
            inputs.vocals,
            params.background_gain,
            first=first * SAMPLE_RATE,
            frames=(last - first) * SAMPLE_RATE,
        )
        spans = [(start - first, end - first) for start, end in chunks]
        total = sum(end - start for start, end in spans)

        def on_seconds(done: float) -> None:
            context.report(min(1.0, done / total), "Listening again to each stretch")

        with mapped_sound(inputs.speech, blocks) as samples:
            vectors = embed_spans(spans, samples, encoder, on_seconds)
    path = context.out / EMBEDDINGS_FILE
    np.save(path, np.stack(vectors), allow_pickle=False)
    return EmbedPartOutput(embeddings=path)


def join_voices_stage(
    context: StageContext, inputs: JoinVoicesInputs[Path], params: DiarizeParams
) -> DiarizeOutput[Path]:
    """Tell the voices of all parts apart, as `diarize_stage` does.

    Raises:
        DiarizationError: A part cannot be read, or the clustering failed.
    """
    with translate_errors():
        plan = _plan(inputs.speech, inputs.found)
        vectors = [vector for path in inputs.parts for vector in _read(path)]
        if len(vectors) != len(plan.chunks):
            raise DiarizationError("The parts of this sound do not fit each other.", hint="Try again.")
        count = SpeakerCount(exact=params.speakers, min=params.min_speakers, max=params.max_speakers)
        found = relabel(read_voices(inputs.found), split_at_changes(plan, vectors), count)
        return write_diarization(context, found, params)


def _plan(speech: Path, found: Path) -> ChunkPlan:
    return plan_chunks(read_voices(found).segments, _count_samples(speech) / SAMPLE_RATE)


def _count_samples(path: Path) -> int:
    info = audio_io.info(path)
    if info.sample_rate != SAMPLE_RATE:
        raise DiarizationError("Sound for the voice models must have 16 kHz.", detail=str(path))
    return info.frames


def _read(path: Path) -> NDArray[np.float32]:
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DiarizationError("A part of the voices cannot be read.", hint="Try again.", detail=str(error)) from error


def _read_active(path: Path) -> NDArray[np.float32]:
    bits = np.unpackbits(np.asarray(_read(path), np.uint8))
    size = WINDOW_FRAMES * VOICES
    return bits[: len(bits) // size * size].reshape(-1, WINDOW_FRAMES, VOICES).astype(np.float32)
