"""How many people speak, and which stretches are whose: agglomerative clustering by evidence.

Two groups of stretches are joined while that they are one person's is likelier than that they are two's
(`voice_evidence`), the likeliest first. No distance has to be chosen: short and long stretches, few and
many of them weigh as much as they say.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.diarization import plda
from pipeline.speech.diarization.pyannote_pipeline import SpeakerCount
from pipeline.speech.diarization.single_speaker_segments import SingleSpeakerSegment, mean_embedding

MIN_CLUSTERED_SECONDS = 0.6
"""Seconds from which a stretch has a say in how many people there are."""
MIN_CLUSTER_SECONDS = 1.5
"""Seconds heard of a person; less is a noise or a cry of somebody who is known."""
MAX_CLUSTERED_SEGMENTS = 1000
"""Longer stretches first, so that hours of talk take seconds to tell apart."""
DUPLICATE_COSINE = 0.95
"""Cosine from which two stretches are one recording played twice: the same person's other words stay below 0.91."""
MAX_UNDONE_MERGES = 100
"""Joins that are taken back at most where more people are asked for than the evidence tells apart."""

Labels = NDArray[np.int64]


def cluster_segments(stretches: Sequence[SingleSpeakerSegment], count: SpeakerCount) -> list[int | None]:
    """The number of the person whose each stretch is; None where too little is heard to tell.

    Where fewer people can be told apart than are asked for, as many as can be.
    """
    able = [index for index, stretch in enumerate(stretches) if stretch.embedding is not None]
    witnesses = [index for index in able if stretches[index].seconds >= MIN_CLUSTERED_SECONDS] or able
    witnesses = _drop_duplicates(stretches, sorted(witnesses, key=lambda index: -stretches[index].seconds))
    names: list[int | None] = [None] * len(stretches)
    if not witnesses:
        return names
    voices = [(stretch.seconds, stretch.embedding) for stretch in stretches if stretch.embedding is not None]
    mean = mean_embedding([voice for voice, index in zip(voices, able, strict=True) if index in set(witnesses)])
    seconds = np.array([length for length, _ in voices])
    precisions = plda.embedding_precision(seconds)
    sums = (np.stack([vector for _, vector in voices]).astype(np.float64) - mean) * precisions[:, None]
    place = {index: row for row, index in enumerate(able)}
    rows = np.array([place[index] for index in witnesses])
    labels = cluster_embeddings(sums[rows], precisions[rows], seconds[rows], count)
    people = sorted(set(labels.tolist()))
    total = np.stack([sums[rows[labels == person]].sum(axis=0) for person in people])
    weight = np.array([precisions[rows[labels == person]].sum() for person in people])
    known = dict(zip(witnesses, labels.tolist(), strict=True))
    for row, index in enumerate(able):
        nearest = people[int(plda.log_likelihood_ratio(sums[row], float(precisions[row]), total, weight).argmax())]
        names[index] = known.get(index, nearest)
    return names


def _drop_duplicates(stretches: Sequence[SingleSpeakerSegment], order: Sequence[int]) -> list[int]:
    """The first `MOST_WITNESSES` of an order, none a copy of one before it.

    A recording heard ten times says no more about its speaker than heard once, but ten stretches that differ so
    little would be taken for proof that whatever sounds a little different is somebody else.
    """
    found: list[int] = []
    known: NDArray[np.float32] | None = None
    for index in order:
        vector = stretches[index].embedding
        if vector is None or len(found) == MAX_CLUSTERED_SEGMENTS:
            continue
        if known is None:
            known = np.zeros((MAX_CLUSTERED_SEGMENTS, len(vector)), np.float32)
        # Rows that are not filled yet are like nothing.
        if float((known @ vector).max()) < DUPLICATE_COSINE:
            known[len(found)] = vector
            found.append(index)
    return found


def cluster_embeddings(
    sums: plda.WeightedSums, precisions: NDArray[np.float64], seconds: NDArray[np.float64], count: SpeakerCount
) -> Labels:
    """A label for each stretch, given its vector less the clip's mean times its precision.

    Groups are joined for as long as evidence grows, or until the number of people fits what is known of it.
    """
    steps, gains = _merge_all(sums, precisions)
    chosen = len(gains) if all(gain > 0.0 for gain in gains) else int(np.argmax(np.array(gains) <= 0.0))
    lengths = range(max(0, chosen - MAX_UNDONE_MERGES), len(steps) + 1)
    best: tuple[int, Labels] | None = None
    for length in sorted(lengths, key=lambda length: abs(length - chosen)):
        labels = _reassign_small_clusters(_cut_dendrogram(len(sums), steps[:length]), sums, precisions, seconds)
        off = _count_error(len(set(labels.tolist())), count)
        if best is None or off < best[0]:
            best = (off, labels)
        if not off:
            break
    assert best is not None  # the range above is never empty
    return best[1]


def _merge_all(sums: plda.WeightedSums, precisions: NDArray[np.float64]) -> tuple[list[tuple[int, int]], list[float]]:
    """Every join down to one group, as pairs of stretches that stand for their groups, and what each gains."""
    sums, weights = sums.copy(), precisions.copy()
    gains = np.stack([plda.log_likelihood_ratio(sums[i], float(weights[i]), sums, weights) for i in range(len(sums))])
    np.fill_diagonal(gains, -np.inf)
    steps: list[tuple[int, int]] = []
    grown: list[float] = []
    for _ in range(len(sums) - 1):
        one, other = (int(part) for part in np.unravel_index(int(gains.argmax()), gains.shape))
        steps.append((one, other))
        grown.append(float(gains[one, other]))
        sums[one] += sums[other]
        weights[one] += weights[other]
        gone = gains[one] == -np.inf
        fresh = np.where(gone, -np.inf, plda.log_likelihood_ratio(sums[one], float(weights[one]), sums, weights))
        gains[one], gains[:, one] = fresh, fresh
        gains[other], gains[:, other] = -np.inf, -np.inf
    return steps, grown


def _cut_dendrogram(size: int, steps: Sequence[tuple[int, int]]) -> Labels:
    labels = np.arange(size)
    for one, other in steps:
        labels[labels == other] = one
    return labels


def _reassign_small_clusters(
    labels: Labels, sums: plda.WeightedSums, precisions: NDArray[np.float64], seconds: NDArray[np.float64]
) -> Labels:
    """The labels, groups of less than `LEAST_SPEECH` joined to those that they are likeliest to be of."""
    groups, own = np.unique(labels, return_inverse=True)
    heard, weights, totals = np.zeros(len(groups)), np.zeros(len(groups)), np.zeros((len(groups), sums.shape[1]))
    for table, parts in ((heard, seconds), (weights, precisions), (totals, sums)):
        np.add.at(table, own, parts)
    into = np.arange(len(groups))
    while len(left := np.flatnonzero(np.isfinite(heard))) > 1:
        smallest = int(left[heard[left].argmin()])
        if heard[smallest] >= MIN_CLUSTER_SECONDS:
            break
        others = left[left != smallest]
        gains = plda.log_likelihood_ratio(totals[smallest], float(weights[smallest]), totals[others], weights[others])
        nearest = int(others[gains.argmax()])
        for table in (heard, weights, totals):
            table[nearest] += table[smallest]
        heard[smallest] = np.inf
        into[into == smallest] = nearest
    return into[own]


def _count_error(people: int, count: SpeakerCount) -> int:
    """By how many people a number lies outside of what is known."""
    least, most = count.exact or count.min or 1, count.exact or count.max or people
    return max(least - people, people - most, 0)
