"""Second pass of the diarization: each segment is embedded on its own, clustered and relabelled.

The segmentation labels voices within windows of 10 s, and `window_stitching` follows them from window to window;
who is heard again later, or was taken for somebody else, is found by what the voices sound like.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.diarization.clustering import cluster_segments
from pipeline.speech.diarization.pyannote_pipeline import DiarizationOutput, SpeakerCount
from pipeline.speech.diarization.single_speaker_segments import (
    OnFraction,
    SingleSpeakerSegment,
    find_single_speaker_segments,
)
from pipeline.speech.speakers.embedding_model import SpeakerEncoder
from pipeline.types import SpeakerSegment

Labelled = tuple[SingleSpeakerSegment, str]
"""A segment and the label of its cluster."""


def resegment(
    first: DiarizationOutput,
    samples: NDArray[np.float32],
    encoder: SpeakerEncoder,
    report: OnFraction,
    count: SpeakerCount,
) -> DiarizationOutput:
    """Cut the segments of a first pass at changes of speaker, and relabel them by clustering.

    Args:
        first: The first pass; it stands where too little is heard to tell.
        samples: The clip at 16 kHz, shape (samples,).
        encoder: The embedding model.
        report: Called with the fraction that is done.
        count: Constraints on the number of speakers.
    """
    return relabel(first, find_single_speaker_segments(first.segments, samples, encoder, report), count)


def relabel(
    first: DiarizationOutput, segments: Sequence[SingleSpeakerSegment], count: SpeakerCount
) -> DiarizationOutput:
    """Relabel the segments of a first pass by clustering.

    Args:
        first: The first pass; it stands where too little is heard to tell.
        segments: What of it one speaker has alone, as `find_single_speaker_segments` gives it.
        count: Constraints on the number of speakers.
    """
    clusters = cluster_segments(segments, count)
    labelled = [
        (segment, f"V{cluster}") for segment, cluster in zip(segments, clusters, strict=True) if cluster is not None
    ]
    if not labelled:
        return first
    by_label: dict[str, list[Labelled]] = {}
    for each in labelled:
        by_label.setdefault(each[0].segment.speaker, []).append(each)
    return DiarizationOutput(
        segments=_relabel(first.segments, by_label, labelled), exclusive=_relabel(first.exclusive, by_label, labelled)
    )


def _relabel(
    segments: Sequence[SpeakerSegment], by_label: Mapping[str, Sequence[Labelled]], labelled: Sequence[Labelled]
) -> tuple[SpeakerSegment, ...]:
    """Cut segments where another speaker's segment of the same first-pass label begins; lists in order of time."""
    found: list[SpeakerSegment] = []
    for segment in segments:
        own = by_label.get(segment.speaker, labelled)
        around = _overlapping(own, segment) or [_nearest(own, segment)]
        start = segment.start
        for (current, label), following in zip(around, [*around[1:], None], strict=True):
            end = segment.end
            if following is not None:
                end = min(segment.end, (current.segment.end + following[0].segment.start) / 2)
            if end > start:
                found.append(SpeakerSegment(start=start, end=end, speaker=label))
                start = end
    return tuple(sorted(found, key=lambda part: (part.start, part.end)))


def _overlapping(labelled: Sequence[Labelled], segment: SpeakerSegment) -> Sequence[Labelled]:
    """Find the segments that overlap a segment; those of one first-pass label do not overlap one another."""
    first = bisect_left(labelled, segment.start, key=lambda each: each[0].segment.end)
    past = bisect_left(labelled, segment.end, key=lambda each: each[0].segment.start)
    return [each for each in labelled[first:past] if each[0].segment.end > segment.start]


def _nearest(labelled: Sequence[Labelled], segment: SpeakerSegment) -> Labelled:
    """Find the nearest in time: a voice too short to tell is most likely heard right before or after."""
    return min(
        labelled,
        key=lambda each: max(each[0].segment.start - segment.end, segment.start - each[0].segment.end),
    )
