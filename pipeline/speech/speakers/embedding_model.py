"""Speaker embeddings: the model, and the embedding of each speaker of a clip."""

import os
import warnings
from collections.abc import Callable, Sequence
from math import ceil
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.audio import io as audio_io
from pipeline.audio.intervals import Interval
from pipeline.errors import DiarizationError
from pipeline.models.loader import Models
from pipeline.speech.compat.torchaudio import install
from pipeline.speech.diarization.segments import spans_alone
from pipeline.speech.speakers.matching import Voice, mean_voice
from pipeline.types import SpeakerSegment

SAMPLE_RATE: Final = 16_000
MIN_SPAN_SECONDS: Final = 1.0
"""A shorter span says too little about whose it is."""
MAX_SPAN_SECONDS: Final = 8.0
"""Longest span that is embedded at once."""
MAX_SPEAKER_SECONDS: Final = 48.0
"""Speech that is embedded of each speaker, the longest spans first; more changes the vector no more."""
EDGE_SECONDS: Final = 0.1
"""Left out at both ends of a span, which may hold somebody else's breath."""
FRAME_SAMPLES: Final = 400
"""Of a frame of the filter banks, 25 ms, ..."""
FRAME_STEP_SAMPLES: Final = 160
"""... and from one frame to the next."""
MAX_BATCH: Final = 8
"""Spans that are embedded at once: more gains nothing on a processor, and a cancel waits for the batch."""


class SpeakerEncoder(Protocol):
    """Embeds stretches of mono sound at 16 kHz, all of one length of at least 0.2 s, shape (stretches, samples)."""

    def __call__(self, samples: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Return the embeddings, of any length, shape (stretches, dimensions)."""
        ...


def embed_spans(
    spans: Sequence[Interval],
    samples: NDArray[np.float32],
    encoder: SpeakerEncoder,
    on_seconds: Callable[[float], None] = lambda _: None,
) -> list[NDArray[np.float32]]:
    """Embed spans of a clip; those of one length go through the network together.

    Args:
        spans: Seconds, each at least 0.2 s long.
        samples: The clip at 16 kHz, shape (samples,).
        encoder: The embedding model.
        on_seconds: Called before each batch with the seconds of the spans that are done; may raise to stop.

    Returns:
        The embeddings in the order of the spans, each of shape (dimensions,).
    """
    by_length: dict[int, list[int]] = {}
    firsts = [round(start * SAMPLE_RATE) for start, _ in spans]
    for index, (start, end) in enumerate(spans):
        length = min(round((end - start) * SAMPLE_RATE), len(samples) - firsts[index])
        by_length.setdefault(_whole_frames(length), []).append(index)
    found: dict[int, NDArray[np.float32]] = {}
    done = 0.0
    for length, indices in by_length.items():
        for begin in range(0, len(indices), MAX_BATCH):
            on_seconds(done)
            batch = indices[begin : begin + MAX_BATCH]
            stacked = np.stack([samples[firsts[index] : firsts[index] + length] for index in batch])
            found |= zip(batch, encoder(stacked), strict=True)
            done += length * len(batch) / SAMPLE_RATE
    return [found[index] for index in range(len(spans))]


def _whole_frames(samples: int) -> int:
    """Cut off what the filter banks leave out at the end, so that more spans have one length."""
    frames = max(0, (samples - FRAME_SAMPLES) // FRAME_STEP_SAMPLES)
    return min(samples, FRAME_SAMPLES + frames * FRAME_STEP_SAMPLES)


def embed_speaker(
    path: Path, segments: Sequence[SpeakerSegment], speaker: str, encoder: SpeakerEncoder
) -> Voice | None:
    """Embed a speaker by the spans in which nobody else is heard.

    Args:
        path: Sound at 16 kHz.
        segments: All segments of the clip.
        speaker: The speaker's label in `segments`.
        encoder: The embedding model.

    Returns:
        The voice; None where too little is heard of the speaker alone.

    Raises:
        DiarizationError: The sound has another sample rate.
    """
    rate = audio_io.info(path).sample_rate
    if rate != SAMPLE_RATE:
        raise DiarizationError("Sound for the voice models must have 16 kHz.", detail=str(path))
    vectors: list[NDArray[np.float32]] = []
    seconds: list[float] = []
    for start, end in select_spans(spans_alone(segments, speaker)):
        first = max(0, round(start * rate))
        samples = audio_io.read(path, start=first, frames=round((end - start) * rate))
        if len(samples) < MIN_SPAN_SECONDS * rate / 2:
            continue
        vectors.append(encoder(np.ascontiguousarray(audio_io.to_mono(samples)[:, 0], np.float32)[None])[0])
        seconds.append(len(samples) / rate)
    return mean_voice(speaker, vectors, seconds)


def select_spans(spans: Sequence[Interval]) -> list[Interval]:
    """Select the longest spans, up to `MAX_SPEAKER_SECONDS`, without edges and cut to `MAX_SPAN_SECONDS`."""
    inner = [
        (start + EDGE_SECONDS, end - EDGE_SECONDS)
        for start, end in spans
        if end - start - 2 * EDGE_SECONDS >= MIN_SPAN_SECONDS
    ]
    selected: list[Interval] = []
    left = MAX_SPEAKER_SECONDS
    for start, span_end in sorted(inner, key=lambda span: span[0] - span[1]):
        end = min(span_end, start + left)
        if end - start < MIN_SPAN_SECONDS:
            break
        parts = ceil((end - start) / MAX_SPAN_SECONDS)
        step = (end - start) / parts
        selected += [(start + index * step, start + (index + 1) * step) for index in range(parts)]
        left -= end - start
    return selected


def load_speaker_encoder(models: Models, name: str) -> SpeakerEncoder:
    """Load an embedding model on first use and keep it warm.

    Raises:
        DiarizationError: The model is of another kind.
        ModelError: Its weights are missing or changed.
    """
    if models.entry(name).engine != "campplus":
        raise DiarizationError(
            f"Voices cannot be compared with {name}.", hint="Choose a model that `stemcord models list` names for this."
        )
    return models.loaded(f"voice encoder {name}", lambda: _build_encoder(models, name))


def _build_encoder(models: Models, name: str) -> SpeakerEncoder:
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
    install()
    with warnings.catch_warnings():
        # pyannote.audio warns about a decoder that is not needed here.
        warnings.simplefilter("ignore")
        from pipeline.speech.speakers.campplus import CAMPPlusEncoder

        return CAMPPlusEncoder(models, name)
