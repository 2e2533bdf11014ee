"""Segments in which one speaker and nobody else is heard, each with an embedding.

What the segmentation takes for one voice may be two people who speak after one another, and the more so
in noise. So each segment is embedded chunk by chunk, and split where its two sides are likelier two speakers'.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.intervals import Interval
from pipeline.speech.diarization import plda
from pipeline.speech.diarization.plda import Embedding, normalize_length
from pipeline.speech.diarization.pyannote_pipeline import SAMPLE_RATE
from pipeline.speech.diarization.segments import spans_alone
from pipeline.speech.speakers.embedding_model import SpeakerEncoder, embed_spans
from pipeline.types import SpeakerSegment

MIN_EMBEDDED_SECONDS = 0.35
"""Less of one voice alone says too little about whose it is."""
MIN_HEARD_SHARE = 0.9
"""Of that, which must lie before the end of the clip."""
MIN_CHUNKED_SECONDS = 2.0
"""A longer segment is embedded in chunks."""
CHUNK_SECONDS, MAX_CHUNK_STEP_SECONDS = 1.5, 0.5
"""Length of a chunk, and the longest distance of the starts of two."""
MIN_SIDE_SECONDS = 0.75
"""Between a split and the ends of a segment."""
SPLIT_GUARD_SECONDS = 0.3
"""From a split within which the middle of a chunk says nothing about either side."""

OnFraction = Callable[[float], None]
"""Called with the fraction that is done, 0 to 1; may raise to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleSpeakerSegment:
    """A segment that one speaker is likely to have alone."""

    segment: SpeakerSegment
    embedding: Embedding | None
    """Of length 1; None where too little is heard."""

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.segment.end - self.segment.start


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkPlan:
    """What is embedded of a clip."""

    segments: tuple[SpeakerSegment, ...]
    """In which one voice is heard alone, in order of time."""
    owners: tuple[int, ...]
    """The segment of each chunk, by its number."""
    chunks: tuple[Interval, ...]
    """In seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _EmbeddedSegment:
    """A segment before it is split."""

    segment: SpeakerSegment
    middles: NDArray[np.float64]
    """Seconds, shape (chunks,)."""
    embeddings: NDArray[np.float32]
    """Of length 1, shape (chunks, dimensions)."""


def find_single_speaker_segments(
    segments: Sequence[SpeakerSegment], samples: NDArray[np.float32], encoder: SpeakerEncoder, report: OnFraction
) -> list[SingleSpeakerSegment]:
    """Find the segments in which nobody else is heard, embed them, and split them at changes of speaker.

    Args:
        segments: What the segmentation found.
        samples: The clip at 16 kHz, shape (samples,).
        encoder: The embedding model.
        report: Called before each batch of chunks.

    Returns:
        The segments in order of time.
    """
    plan = plan_chunks(segments, len(samples) / SAMPLE_RATE)
    total = max(1e-9, sum(end - start for start, end in plan.chunks))
    vectors = embed_spans(plan.chunks, samples, encoder, lambda done: report(min(1.0, done / total)))
    return split_at_changes(plan, vectors)


def plan_chunks(segments: Sequence[SpeakerSegment], seconds: float) -> ChunkPlan:
    """Choose what is embedded of a clip of so many seconds.

    Args:
        segments: What the segmentation found.
        seconds: Length of the clip.
    """
    alone = [
        SpeakerSegment(start=start, end=end, speaker=speaker)
        for speaker in dict.fromkeys(segment.speaker for segment in segments)
        for start, end in spans_alone(segments, speaker)
    ]
    alone.sort(key=lambda segment: segment.start)
    chunks = [
        (number, (start, end))
        for number, segment in enumerate(alone)
        for start, end in _cut_chunks(segment)
        if min(end, seconds) - start >= MIN_EMBEDDED_SECONDS * MIN_HEARD_SHARE
    ]
    return ChunkPlan(
        segments=tuple(alone),
        owners=tuple(number for number, _ in chunks),
        chunks=tuple(chunk for _, chunk in chunks),
    )


def split_at_changes(plan: ChunkPlan, vectors: Sequence[NDArray[np.float32]]) -> list[SingleSpeakerSegment]:
    """Split segments at changes of speaker.

    Args:
        plan: What was embedded.
        vectors: The embedding of each chunk.

    Returns:
        The segments in order of time.
    """
    embedded = _gather(plan, vectors)
    known = [each for each in embedded if len(each.embeddings)]
    mean = mean_embedding([(each.segment.end - each.segment.start, _mean(each.embeddings)) for each in known])
    found: list[SingleSpeakerSegment] = []
    for each in embedded:
        if len(each.embeddings):
            found += _split_speakers(each, mean)
        else:
            found.append(SingleSpeakerSegment(segment=each.segment, embedding=None))
    return found


def mean_embedding(embeddings: Sequence[tuple[float, Embedding]]) -> Embedding:
    """Average embeddings by the seconds of speech that each was made from; 0 where there is none."""
    if not embeddings:
        return np.zeros(1, np.float32)
    seconds = np.minimum([length for length, _ in embeddings], plda.MAX_INFORMATIVE_SECONDS)
    return np.average(np.stack([embedding for _, embedding in embeddings]), axis=0, weights=seconds).astype(np.float32)


def _gather(plan: ChunkPlan, vectors: Sequence[NDArray[np.float32]]) -> list[_EmbeddedSegment]:
    """Give the embeddings of chunks to their segments."""
    embeddings: list[list[Embedding]] = [[] for _ in plan.segments]
    middles: list[list[float]] = [[] for _ in plan.segments]
    for number, (start, end), vector in zip(plan.owners, plan.chunks, map(normalize_length, vectors), strict=True):
        if np.isfinite(vector).all():
            embeddings[number].append(vector)
            middles[number].append((start + end) / 2)
    return [
        _EmbeddedSegment(
            segment=segment,
            middles=np.array(middles[number]),
            embeddings=np.stack(embeddings[number]) if embeddings[number] else np.zeros((0, 0), np.float32),
        )
        for number, segment in enumerate(plan.segments)
    ]


def _cut_chunks(segment: SpeakerSegment) -> list[Interval]:
    """Choose what of a segment is embedded: all of it, or chunks all over it where it is long."""
    length = segment.end - segment.start
    if length < MIN_CHUNKED_SECONDS:
        return [(segment.start, segment.end)] if length >= MIN_EMBEDDED_SECONDS else []
    count = int(np.ceil((length - CHUNK_SECONDS) / MAX_CHUNK_STEP_SECONDS)) + 1
    starts = np.linspace(segment.start, segment.end - CHUNK_SECONDS, count)
    return [(float(start), float(start) + CHUNK_SECONDS) for start in starts]


def _split_speakers(embedded: _EmbeddedSegment, mean: Embedding) -> list[SingleSpeakerSegment]:
    """Split a segment where its sides are likelier two speakers', and the sides in the same way."""
    lowest, split = 0.0, None
    for first, second in zip(embedded.middles, embedded.middles[1:], strict=False):
        time = float(first + second) / 2
        if min(time - embedded.segment.start, embedded.segment.end - time) < MIN_SIDE_SECONDS:
            continue
        ratio = _split_score(embedded, time, mean)
        if ratio < lowest:
            lowest, split = ratio, time
    if split is None:
        return [SingleSpeakerSegment(segment=embedded.segment, embedding=_mean(embedded.embeddings))]
    before = embedded.middles < split
    sides = (
        (before, replace(embedded.segment, end=split)),
        (~before, replace(embedded.segment, start=split)),
    )
    return [
        found
        for side, segment in sides
        for found in _split_speakers(
            _EmbeddedSegment(segment=segment, middles=embedded.middles[side], embeddings=embedded.embeddings[side]),
            mean,
        )
    ]


def _split_score(embedded: _EmbeddedSegment, time: float, mean: Embedding) -> float:
    """Compute the likelihood ratio of both sides of a time being one speaker's."""
    sums: list[NDArray[np.float64]] = []
    precisions: list[float] = []
    for side, clear, length in (
        (embedded.middles < time, embedded.middles < time - SPLIT_GUARD_SECONDS, time - embedded.segment.start),
        (embedded.middles > time, embedded.middles > time + SPLIT_GUARD_SECONDS, embedded.segment.end - time),
    ):
        precision = float(plda.embedding_precision(np.array(length)))
        embedding = _mean(embedded.embeddings[clear if clear.any() else side])
        sums.append((embedding - mean).astype(np.float64) * precision)
        precisions.append(precision)
    return float(plda.log_likelihood_ratio(sums[0], precisions[0], sums[1][None], np.array(precisions[1:]))[0])


def _mean(embeddings: NDArray[np.float32]) -> Embedding:
    return normalize_length(embeddings.mean(axis=0))
