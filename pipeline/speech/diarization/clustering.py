"""Agglomerative clustering of segments into speakers by likelihood ratio.

The two groups of segments that are likeliest to be one speaker's (`pipeline.speech.diarization.plda`) are merged
first, for as long as one speaker is likelier than two. No distance has to be chosen: short and long segments, few
and many of them weigh as much as they say.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.diarization import plda
from pipeline.speech.diarization.pyannote_pipeline import SpeakerCount
from pipeline.speech.diarization.single_speaker_segments import SingleSpeakerSegment, mean_embedding

MIN_CLUSTERED_SECONDS = 0.6
"""Shorter segments are given to a cluster afterwards."""
MIN_CLUSTER_SECONDS = 1.5
"""Less of a speaker is a noise or a cry of somebody who is known."""
MAX_CLUSTERED_SEGMENTS = 1000
"""The longest are clustered, so that hours of talk take seconds."""
DUPLICATE_COSINE = 0.95
"""From here on two segments are one recording played twice: other words of the same speaker stay below 0.91."""
MAX_UNDONE_MERGES = 100
"""Merges that are undone where more speakers are asked for than the likelihood tells apart."""

Labels = NDArray[np.int64]
"""A cluster for each segment, shape (segments,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedSegments:
    """Segments whose embedding is known, weighted by how much each says about its speaker."""

    indices: NDArray[np.int64]
    """Of the segments among all, shape (segments,)."""
    sums: plda.WeightedSums
    """(embedding - clip mean) x precision of each, shape (segments, dimensions)."""
    precisions: NDArray[np.float64]
    """Shape (segments,)."""
    seconds: NDArray[np.float64]
    """Shape (segments,)."""
    clustered: NDArray[np.int64]
    """Rows of those that found clusters, the longest first; the others are given to a cluster afterwards."""

    def merge(self) -> "Dendrogram":
        """Merge those that found clusters; the labels of its cuts are in the order of `clustered`."""
        rows = self.clustered
        return merge_embeddings(self.sums[rows], self.precisions[rows], self.seconds[rows])

    def totals(self, labels: Labels) -> tuple[plda.WeightedSums, NDArray[np.float64]]:
        """Sum up the weighted embeddings and the precisions of each cluster, in order of their labels."""
        groups = [self.clustered[labels == cluster] for cluster in np.unique(labels)]
        return np.stack([self.sums[rows].sum(axis=0) for rows in groups]), np.array(
            [self.precisions[rows].sum() for rows in groups]
        )

    def assign(self, labels: Labels, size: int) -> list[int | None]:
        """Give each of `size` segments to a cluster; None where too little is heard to tell."""
        found = np.unique(labels)
        sums, precisions = self.totals(labels)
        known = dict(zip(self.clustered.tolist(), labels.tolist(), strict=True))
        clusters: list[int | None] = [None] * size
        for row, index in enumerate(self.indices.tolist()):
            ratios = plda.log_likelihood_ratio(self.sums[row], float(self.precisions[row]), sums, precisions)
            clusters[index] = known.get(row, int(found[int(ratios.argmax())]))
        return clusters


def cluster_segments(segments: Sequence[SingleSpeakerSegment], count: SpeakerCount) -> list[int | None]:
    """Give each segment to a speaker.

    Args:
        segments: Segments with their embeddings.
        count: Constraints on the number of speakers. Where fewer can be told apart, there are as many as can be.

    Returns:
        A cluster for each segment; None where too little is heard to tell.
    """
    weighted = weigh_segments(segments)
    if weighted is None:
        return [None] * len(segments)
    return weighted.assign(weighted.merge().cut(count), len(segments))


def weigh_segments(
    segments: Sequence[SingleSpeakerSegment],
    *,
    unclear: Collection[int] = (),
    features: Sequence[NDArray[np.float32]] | None = None,
) -> WeightedSegments | None:
    """Weigh segments by how much they say, and choose those that found clusters.

    Args:
        segments: Segments with their embeddings.
        unclear: Indices of segments that found no cluster, however long they are.
        features: Further dimensions of each segment beside those of its embedding, shape (features,) each.

    Returns:
        None where too little is heard of all of them.
    """
    usable = [index for index, segment in enumerate(segments) if segment.embedding is not None]
    clear = [index for index in usable if index not in unclear] or usable
    clustered = [index for index in clear if segments[index].seconds >= MIN_CLUSTERED_SECONDS] or clear
    clustered = _drop_duplicates(segments, sorted(clustered, key=lambda index: -segments[index].seconds))
    if not clustered:
        return None
    row_of = {index: row for row, index in enumerate(usable)}
    heard = [
        (segment.seconds, segment.embedding if features is None else np.concatenate((segment.embedding, feature)))
        for segment, feature in zip(segments, features or [()] * len(segments), strict=True)
        if segment.embedding is not None
    ]
    mean = mean_embedding([heard[row_of[index]] for index in sorted(clustered)])
    seconds = np.array([length for length, _ in heard])
    precisions = plda.embedding_precision(seconds)
    return WeightedSegments(
        indices=np.array(usable),
        sums=(np.stack([embedding for _, embedding in heard]).astype(np.float64) - mean) * precisions[:, None],
        precisions=precisions,
        seconds=seconds,
        clustered=np.array([row_of[index] for index in clustered]),
    )


def _drop_duplicates(segments: Sequence[SingleSpeakerSegment], order: Sequence[int]) -> list[int]:
    """Keep the first `MAX_CLUSTERED_SEGMENTS` of an order, none a duplicate of one before it.

    A recording heard ten times says no more about its speaker than heard once, but ten segments that differ so
    little would be taken for proof that whatever sounds a little different is somebody else.
    """
    kept: list[int] = []
    known: NDArray[np.float32] | None = None
    for index in order:
        embedding = segments[index].embedding
        if embedding is None or len(kept) == MAX_CLUSTERED_SEGMENTS:
            continue
        if known is None:
            known = np.zeros((MAX_CLUSTERED_SEGMENTS, len(embedding)), np.float32)
        # Rows that are not filled yet are like nothing.
        if float((known @ embedding).max()) < DUPLICATE_COSINE:
            known[len(kept)] = embedding
            kept.append(index)
    return kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Dendrogram:
    """Segments, and the order in which they are merged."""

    sums: plda.WeightedSums
    precisions: NDArray[np.float64]
    seconds: NDArray[np.float64]
    merges: tuple[tuple[int, int], ...]
    """Pairs of segments that stand for their clusters, the likeliest first."""
    ratios: tuple[float, ...]
    """The likelihood ratio of each."""

    def cut(self, count: SpeakerCount) -> Labels:
        """Merge for as long as the likelihood grows, or until the number of clusters fits the constraints.

        Args:
            count: Constraints on the number of clusters; where none fits, the number is the nearest that there is.

        Returns:
            The cluster of each segment, shape (segments,).
        """
        apart = np.flatnonzero(np.array(self.ratios) <= 0.0)
        chosen = int(apart[0]) if len(apart) else len(self.ratios)
        lengths = range(max(0, chosen - MAX_UNDONE_MERGES), len(self.merges) + 1)
        best: tuple[int, Labels] | None = None
        for length in sorted(lengths, key=lambda length: abs(length - chosen)):
            labels = _cut_dendrogram(len(self.sums), self.merges[:length])
            labels = _reassign_small_clusters(labels, self.sums, self.precisions, self.seconds)
            error = _count_error(len(set(labels.tolist())), count)
            if best is None or error < best[0]:
                best = (error, labels)
            if not error:
                break
        assert best is not None  # the range above is never empty
        return best[1]


def merge_embeddings(
    sums: plda.WeightedSums, precisions: NDArray[np.float64], seconds: NDArray[np.float64]
) -> Dendrogram:
    """Merge segments down to one cluster, the likeliest pair first.

    Args:
        sums: (embedding - clip mean) x precision of each segment, shape (segments, dimensions).
        precisions: Shape (segments,).
        seconds: Shape (segments,).
    """
    merges, ratios = _merge_all(sums, precisions)
    return Dendrogram(sums=sums, precisions=precisions, seconds=seconds, merges=tuple(merges), ratios=tuple(ratios))


def _merge_all(sums: plda.WeightedSums, precisions: NDArray[np.float64]) -> tuple[list[tuple[int, int]], list[float]]:
    sums, precisions = sums.copy(), precisions.copy()
    ratios = plda.pairwise_ratios(sums, precisions)
    merges: list[tuple[int, int]] = []
    merge_ratios: list[float] = []
    for _ in range(len(sums) - 1):
        kept, merged = (int(part) for part in np.unravel_index(int(ratios.argmax()), ratios.shape))
        merges.append((kept, merged))
        merge_ratios.append(float(ratios[kept, merged]))
        sums[kept] += sums[merged]
        precisions[kept] += precisions[merged]
        gone = ratios[kept] == -np.inf
        updated = plda.log_likelihood_ratio(sums[kept], float(precisions[kept]), sums, precisions)
        updated = np.where(gone, -np.inf, updated)
        ratios[kept], ratios[:, kept] = updated, updated
        ratios[merged], ratios[:, merged] = -np.inf, -np.inf
    return merges, merge_ratios


def _cut_dendrogram(size: int, merges: Sequence[tuple[int, int]]) -> Labels:
    labels = np.arange(size)
    for kept, merged in merges:
        labels[labels == merged] = kept
    return labels


def _reassign_small_clusters(
    labels: Labels, sums: plda.WeightedSums, precisions: NDArray[np.float64], seconds: NDArray[np.float64]
) -> Labels:
    """Merge clusters of less than `MIN_CLUSTER_SECONDS` into those that they are likeliest to be of."""
    clusters, own = np.unique(labels, return_inverse=True)
    lengths, weights = np.zeros(len(clusters)), np.zeros(len(clusters))
    totals = np.zeros((len(clusters), sums.shape[1]))
    for table, values in ((lengths, seconds), (weights, precisions), (totals, sums)):
        np.add.at(table, own, values)
    target = np.arange(len(clusters))
    while len(left := np.flatnonzero(np.isfinite(lengths))) > 1:
        smallest = int(left[lengths[left].argmin()])
        if lengths[smallest] >= MIN_CLUSTER_SECONDS:
            break
        others = left[left != smallest]
        ratios = plda.log_likelihood_ratio(totals[smallest], float(weights[smallest]), totals[others], weights[others])
        nearest = int(others[ratios.argmax()])
        for table in (lengths, weights, totals):
            table[nearest] += table[smallest]
        lengths[smallest] = np.inf
        target[target == smallest] = nearest
    return target[own]


def _count_error(found: int, count: SpeakerCount) -> int:
    """Measure by how many a number of speakers lies outside of the constraints."""
    lowest, highest = count.exact or count.min or 1, count.exact or count.max or found
    return max(lowest - found, found - highest, 0)
