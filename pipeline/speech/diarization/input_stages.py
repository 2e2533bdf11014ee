"""The stages that find out in which sound the speakers are told apart: the whole, or one with less background."""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from pipeline.audio import io as audio_io
from pipeline.audio.intervals import Interval
from pipeline.graph.stage import NoParams, StageContext
from pipeline.models.loader import model_digest
from pipeline.separation.base import Mixture, open_engine
from pipeline.separation.streaming import BlockReader
from pipeline.speech.contracts import (
    SAMPLE_VOICES,
    CompareVoicesInputs,
    CompareVoicesOutput,
    SampleVoicesInputs,
    SampleVoicesOutput,
    SampleVoicesParams,
)
from pipeline.speech.diarization.input_selection import FRAME_SAMPLES, MIN_CLEAR_RATIO_DB, measure_ratio, select_input
from pipeline.speech.recognition.chunking import find_speech_spans
from pipeline.types import Diarization, ModelUse

EXCERPTS = 4
EXCERPT_SECONDS = 5.0
MIN_HEARD_SECONDS = 2.0
"""Of excerpts; less says too little about a clip."""
MAX_SILENT_RMS = 10 ** (-60 / 20)
"""Linear RMS of a sound in which nobody can be heard."""
MIN_SAVED_SHARE = 0.5
"""Of the clip, that must not be taken apart for the excerpts, or there is little to save."""
SAMPLING_MARGIN_DB = 4.0
"""By which excerpts must be clearer than a whole clip has to be, since the rest may be worse."""


def sample_voices_stage(
    context: StageContext, inputs: SampleVoicesInputs[Path], params: SampleVoicesParams
) -> SampleVoicesOutput:
    """Take the voices out of a few excerpts, and tell whether the background is far below them.

    Raises:
        ModelError: The engine, the model or its weights are not here.
        SeparationError: The engine failed.
        Cancelled: The job was stopped.
    """
    found = msgspec.json.decode(inputs.found.read_bytes(), type=Diarization)
    info = audio_io.info(inputs.speech)
    excerpts = choose_excerpts(find_speech_spans(found.segments, info.duration))
    seconds = sum(end - start for start, end in excerpts)
    if seconds < MIN_HEARD_SECONDS:
        # A voice that drowns is found only once it is taken out; in silence there is none.
        return SampleVoicesOutput(clear=_is_silent(inputs.speech))
    if seconds > (1.0 - MIN_SAVED_SHARE) * info.duration:
        return SampleVoicesOutput(clear=False)
    context.models.fetched(params.model, context.report)
    with tempfile.TemporaryDirectory(prefix="stemcord-") as folder:
        path = Path(folder) / "excerpts.wav"
        parts = [
            audio_io.read(
                inputs.speech, start=round(start * info.sample_rate), frames=round((end - start) * info.sample_rate)
            )
            for start, end in excerpts
        ]
        audio_io.write(path, np.concatenate(parts), info.sample_rate)
        with closing(open_engine(params.engine, context.models, params.model)) as engine:
            mixture = Mixture.open(path, engine.sample_rate)
            vocals = (block[:, : mixture.channels] for block in engine.separate(mixture, context.report))
            ratio = measure_ratio(_pairs(mixture, BlockReader(vocals, mixture.channels)))
            digest = engine.weights_digest or model_digest(params.model)
    clear = ratio is None or ratio >= MIN_CLEAR_RATIO_DB + SAMPLING_MARGIN_DB
    note = _describe(len(excerpts), ratio) if clear and ratio is not None else ""
    entry = context.models.entry(params.model)
    use = ModelUse(
        stage=SAMPLE_VOICES.name, engine=params.engine, model=params.model, licence=entry.licence, digest=digest
    )
    return SampleVoicesOutput(clear=clear, notes=(note,) if note else (), models=(use,))


def compare_voices_stage(
    context: StageContext, inputs: CompareVoicesInputs[Path], params: NoParams
) -> CompareVoicesOutput:
    """Choose the sound in which speakers are told apart, by how much the voices are louder than the background.

    Raises:
        DiarizationError: The files differ in rate or length.
    """
    selected = select_input(inputs.speech, inputs.vocals)
    return CompareVoicesOutput(background_gain=selected.background_gain, notes=(selected.reason,))


def choose_excerpts(speech: list[Interval]) -> list[Interval]:
    """Choose excerpts that are spread evenly over the time in which somebody speaks.

    Args:
        speech: Seconds, in order and without overlap.

    Returns:
        At most `EXCERPTS` of at most `EXCERPT_SECONDS`, in order and without overlap.
    """
    total = sum(end - start for start, end in speech)
    chosen: list[Interval] = []
    for number in range(EXCERPTS):
        wanted = total * number / EXCERPTS
        for start, end in speech:
            if wanted < end - start:
                first = max(start + wanted, chosen[-1][1] if chosen else 0.0)
                if first < end:
                    chosen.append((first, min(end, first + EXCERPT_SECONDS)))
                break
            wanted -= end - start
    return chosen


def _describe(excerpts: int, ratio_db: float) -> str:
    where = "an excerpt" if excerpts == 1 else f"{excerpts} excerpts"
    return f"Voices were not separated: in {where} they are {ratio_db:.0f} dB louder than the rest."


def _is_silent(path: Path) -> bool:
    powers = [float(np.mean(np.square(block, dtype=np.float64))) for block in audio_io.read_blocks(path) if block.size]
    return max(powers, default=0.0) <= MAX_SILENT_RMS**2


def _pairs(mixture: Mixture, vocals: BlockReader) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Pair blocks of the mixture and of its voices, mono and of whole frames."""
    whole = BlockReader(mixture.blocks(), mixture.channels)
    size = 60 * FRAME_SAMPLES
    for first in range(0, mixture.frames, size):
        count = min(size, mixture.frames - first)
        yield audio_io.to_mono(whole.read(count))[:, 0], audio_io.to_mono(vocals.read(count))[:, 0]
