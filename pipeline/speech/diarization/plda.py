"""How much vectors of voices say for one person rather than two.

The two-covariance model (Brümmer and de Villiers 2010) with one variance for all directions: people's vectors
lie around the clip's mean with the variance `BETWEEN`; what is heard of a person lies around that person's
vector with a variance that falls with the length of what was heard, but never below `DRIFT`, since a voice
changes with mood and room however long it is heard. Without that, who talks for minutes is taken for two.
All are mean squared distances of vectors of length 1. They lie in the middle of a range in which the errors
on the clips to tune on of `tests.bench.speech_set`, and on minutes of one reader, stay the same.
"""

import numpy as np
from numpy.typing import NDArray

BETWEEN_SPEAKER_VARIANCE = 0.6
"""Of people around the mean."""
WITHIN_SPEAKER_VARIANCE = 0.08
"""Of one stretch among those of its speaker: noise, pitch, words."""
DURATION_VARIANCE_SECONDS = 0.38
"""... and what one second has besides; d seconds have a d-th of it."""
SESSION_VARIANCE = 0.035
"""Of any group of stretches, however many, around its speaker."""
MAX_INFORMATIVE_SECONDS = 10.0
"""Seconds from which more says no more."""

Embedding = NDArray[np.float32]
WeightedSums = NDArray[np.float64]


def embedding_precision(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of the vectors of stretches of that length."""
    return 1.0 / (WITHIN_SPEAKER_VARIANCE + DURATION_VARIANCE_SECONDS / np.clip(seconds, 0.2, MAX_INFORMATIVE_SECONDS))


def log_likelihood_ratio(
    one: WeightedSums, one_precision: float, others: WeightedSums, precisions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Twice the log odds, by dimension, that a group and each of the others are one person's, shape (others,).

    A group is the sum of its vectors, each less the clip's mean and times its precision, and the sum of those
    precisions; `others` has shape (others, dimensions).
    """
    limits = 1.0 + SESSION_VARIANCE * precisions
    others, precisions = others / limits[:, None], precisions / limits
    limit = 1.0 + SESSION_VARIANCE * one_precision
    one, one_precision = one / limit, one_precision / limit
    together = _log_evidence(others + one, precisions + one_precision)
    return together - _log_evidence(others, precisions) - _log_evidence(one[None], np.array([one_precision]))


def _log_evidence(sums: WeightedSums, precisions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each group being one person's, up to what no grouping changes."""
    return np.square(sums).sum(axis=-1) / (precisions + 1.0 / BETWEEN_SPEAKER_VARIANCE) - np.log1p(
        BETWEEN_SPEAKER_VARIANCE * precisions
    )


def normalize_length(vector: Embedding) -> Embedding:
    """At length 1; not finite for a vector that says nothing."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return (vector / np.linalg.norm(vector)).astype(np.float32)
