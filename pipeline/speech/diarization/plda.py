"""Likelihood ratios of speaker embeddings: one speaker rather than two.

The two-covariance model of probabilistic linear discriminant analysis (PLDA; Brümmer and de Villiers 2010,
"The speaker partitioning problem") with one variance for all directions. Speakers lie around the clip's mean
with `BETWEEN_SPEAKER_VARIANCE`. Segments of a speaker lie around that speaker with a variance that falls with
their length, but never below `SESSION_VARIANCE`, since a voice changes with mood and room however long it is
heard: without that, who talks for minutes is taken for two.

All variances are mean squared distances of embeddings of length 1. They lie in the middle of a range in which
the errors on the tuning clips of `tests.bench.speech_set`, and on minutes of one reader, stay the same.
"""

import numpy as np
from numpy.typing import NDArray

BETWEEN_SPEAKER_VARIANCE = 0.6
"""Of speakers around the clip's mean."""
WITHIN_SPEAKER_VARIANCE = 0.08
"""Of a segment of any length around its speaker: noise, pitch, words."""
DURATION_VARIANCE_SECONDS = 0.38
"""Further variance of a segment of one second; one of d seconds has a d-th of it."""
SESSION_VARIANCE = 0.035
"""Of any group of segments, however many, around its speaker."""
MAX_INFORMATIVE_SECONDS = 10.0
"""A longer segment says no more."""
MIN_INFORMATIVE_SECONDS = 0.2
"""A shorter segment counts as one of this length."""

Embedding = NDArray[np.float32]
"""Shape (dimensions,)."""
WeightedSums = NDArray[np.float64]
"""Sums over a group's segments of (embedding - clip mean) x precision, shape (..., dimensions)."""


def embedding_precision(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the precision (inverse variance) of embeddings of segments of these lengths."""
    clipped = np.clip(seconds, MIN_INFORMATIVE_SECONDS, MAX_INFORMATIVE_SECONDS)
    return 1.0 / (WITHIN_SPEAKER_VARIANCE + DURATION_VARIANCE_SECONDS / clipped)


def log_likelihood_ratio(
    group: WeightedSums, group_precision: float, others: WeightedSums, precisions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Compare one group of segments with others: is each pair one speaker's rather than two speakers'?

    Args:
        group: Weighted sum of the group, shape (dimensions,).
        group_precision: Sum of its segments' precisions.
        others: Weighted sums of the others, shape (others, dimensions).
        precisions: Sums of their segments' precisions, shape (others,).

    Returns:
        Twice the log-likelihood ratio by dimension, shape (others,); above 0 for one speaker.
    """
    limits = 1.0 + SESSION_VARIANCE * precisions
    others, precisions = others / limits[:, None], precisions / limits
    limit = 1.0 + SESSION_VARIANCE * group_precision
    group, group_precision = group / limit, group_precision / limit
    together = _log_evidence(others + group, precisions + group_precision)
    apart = _log_evidence(others, precisions)
    return together - apart - _log_evidence(group[None], np.array([group_precision]))


def pairwise_ratios(sums: WeightedSums, precisions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compare all groups with each other as `log_likelihood_ratio` does, shape (groups, groups); -inf with itself."""
    ratios = np.stack(
        [
            log_likelihood_ratio(group, float(precision), sums, precisions)
            for group, precision in zip(sums, precisions, strict=True)
        ]
    )
    np.fill_diagonal(ratios, -np.inf)
    return ratios


def _log_evidence(sums: WeightedSums, precisions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the log evidence that each group is one speaker's, up to what no grouping changes."""
    scatter = np.square(sums).sum(axis=-1) / (precisions + 1.0 / BETWEEN_SPEAKER_VARIANCE)
    return scatter - np.log1p(BETWEEN_SPEAKER_VARIANCE * precisions)


def normalize_length(embedding: Embedding) -> Embedding:
    """Scale an embedding to length 1; not finite for one that is all zeros."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return (embedding / np.linalg.norm(embedding)).astype(np.float32)
