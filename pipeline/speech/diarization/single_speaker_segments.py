"""Stretches in which one person and nobody else speaks, each with what its voice sounds like.

What the segmentation takes for one voice may be two people who speak after one another, and the more so
in noise. So each stretch is heard piece by piece, and cut where its two sides are more likely two people's.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.diarization import plda
from pipeline.speech.diarization.plda import Embedding, normalize_length
from pipeline.speech.diarization.pyannote_pipeline import SAMPLE_RATE
from pipeline.speech.diarization.segments import by_speaker
from pipeline.types import SpeakerSegment

MIN_EMBEDDED_SECONDS = 0.35
"""Seconds of one voice alone; less says too little about whose it is."""
MIN_CHUNKED_SECONDS = 2.0
"""Seconds from which a stretch is heard in pieces."""
CHUNK_SECONDS, MAX_CHUNK_STEP_SECONDS = 1.5, 0.5
"""Seconds of a piece, and at most between the starts of two."""
MIN_SIDE_SECONDS = 0.75
"""Seconds between a cut and the ends of a stretch."""
SPLIT_GUARD_SECONDS = 0.3
"""Seconds from a cut within which the middle of a piece says nothing about either side."""

Embed = Callable[[Embedding], Embedding]
OnFraction = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleSpeakerSegment:
    """One person alone, as it seems."""

    segment: SpeakerSegment
    embedding: Embedding | None
    """Of length 1; None where too little is heard."""

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.segment.end - self.segment.start


@dataclass(frozen=True, slots=True, kw_only=True)
class _EmbeddedSegment:
    """A stretch before it is cut; `vectors` of length 1, one for each piece."""

    segment: SpeakerSegment
    middles: NDArray[np.float64]
    vectors: NDArray[np.float32]


def find_single_speaker_segments(
    segments: Sequence[SpeakerSegment], samples: Embedding, embed: Embed, tell: OnFraction
) -> list[SingleSpeakerSegment]:
    """The stretches of a clip in order of time; `tell` is called with the part done and may raise.

    `samples` is the clip at 16 kHz, shape (frames,).
    """
    spans = sorted(_alone(segments), key=lambda span: span.start)
    total = sum(span.end - span.start for span in spans)
    heard: list[_EmbeddedSegment] = []
    done = 0.0
    for span in spans:
        heard.append(
            _embed_segment(span, samples, embed, lambda seconds, before=done: tell((before + seconds) / total))
        )
        done += span.end - span.start
    known = [each for each in heard if len(each.vectors)]
    mean = mean_embedding([(each.segment.end - each.segment.start, _mean(each.vectors)) for each in known])
    found: list[SingleSpeakerSegment] = []
    for each in heard:
        if len(each.vectors):
            found += _split_speakers(each, mean)
        else:
            found.append(SingleSpeakerSegment(segment=each.segment, embedding=None))
    return found


def mean_embedding(voices: Sequence[tuple[float, Embedding]]) -> Embedding:
    """The mean of vectors, each counting by the seconds of speech it was made from; 0 where there is none."""
    if not voices:
        return np.zeros(1, np.float32)
    seconds = np.minimum([length for length, _ in voices], plda.MAX_INFORMATIVE_SECONDS)
    return np.average(np.stack([vector for _, vector in voices]), axis=0, weights=seconds).astype(np.float32)


def _alone(segments: Sequence[SpeakerSegment]) -> Iterator[SpeakerSegment]:
    """The parts of the segments in which nobody else is heard."""
    timelines = by_speaker(segments)
    for speaker, timeline in timelines.items():
        others = [other for name, other in timelines.items() if name != speaker]
        for segment in timeline.segments:
            reached = segment.start
            cuts = sorted(
                (part.start, part.end) for other in others for part in other.overlapping(segment.start, segment.end)
            )
            for start, end in [*cuts, (segment.end, segment.end)]:
                if start > reached:
                    yield replace(segment, start=reached, end=start)
                reached = max(reached, end)


def _embed_segment(segment: SpeakerSegment, samples: Embedding, embed: Embed, tell: OnFraction) -> _EmbeddedSegment:
    """The vectors of a stretch: of all of it, or of pieces all over it where it is long; told in seconds."""
    length = segment.end - segment.start
    if length < MIN_CHUNKED_SECONDS:
        starts, size = np.array([segment.start] if length >= MIN_EMBEDDED_SECONDS else []), length
    else:
        starts = np.linspace(
            segment.start,
            segment.end - CHUNK_SECONDS,
            int(np.ceil((length - CHUNK_SECONDS) / MAX_CHUNK_STEP_SECONDS)) + 1,
        )
        size = CHUNK_SECONDS
    vectors: list[Embedding] = []
    middles: list[float] = []
    for start in starts:
        tell(float(start) - segment.start)
        piece = samples[round(start * SAMPLE_RATE) : round((start + size) * SAMPLE_RATE)]
        if len(piece) < MIN_EMBEDDED_SECONDS * SAMPLE_RATE * 0.9:
            continue
        vector = normalize_length(embed(np.ascontiguousarray(piece)))
        if np.isfinite(vector).all():
            vectors.append(vector)
            middles.append(float(start) + size / 2)
    stacked = np.stack(vectors) if vectors else np.zeros((0, 0), np.float32)
    return _EmbeddedSegment(segment=segment, middles=np.array(middles), vectors=stacked)


def _split_speakers(heard: _EmbeddedSegment, mean: Embedding) -> list[SingleSpeakerSegment]:
    """The stretch, or its sides where they are more likely two people's, cut on in the same way."""
    best, where = 0.0, None
    for first, second in zip(heard.middles, heard.middles[1:], strict=False):
        time = float(first + second) / 2
        if min(time - heard.segment.start, heard.segment.end - time) < MIN_SIDE_SECONDS:
            continue
        gain = _split_score(heard, time, mean)
        if gain < best:
            best, where = gain, time
    if where is None:
        return [SingleSpeakerSegment(segment=heard.segment, embedding=_mean(heard.vectors))]
    early = heard.middles < where
    return [
        stretch
        for side, segment in (
            (early, replace(heard.segment, end=where)),
            (~early, replace(heard.segment, start=where)),
        )
        for stretch in _split_speakers(
            _EmbeddedSegment(segment=segment, middles=heard.middles[side], vectors=heard.vectors[side]), mean
        )
    ]


def _split_score(heard: _EmbeddedSegment, time: float, mean: Embedding) -> float:
    """By how much evidence grows when both sides of a time are one person's."""
    sums: list[NDArray[np.float64]] = []
    precisions: list[float] = []
    for side, clear, length in (
        (heard.middles < time, heard.middles < time - SPLIT_GUARD_SECONDS, time - heard.segment.start),
        (heard.middles > time, heard.middles > time + SPLIT_GUARD_SECONDS, heard.segment.end - time),
    ):
        weight = float(plda.embedding_precision(np.array(length)))
        vector = _mean(heard.vectors[clear if clear.any() else side])
        sums.append((vector - mean).astype(np.float64) * weight)
        precisions.append(weight)
    return float(plda.log_likelihood_ratio(sums[0], precisions[0], sums[1][None], np.array(precisions[1:]))[0])


def _mean(vectors: NDArray[np.float32]) -> Embedding:
    return normalize_length(vectors.mean(axis=0))
