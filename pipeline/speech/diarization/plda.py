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

BETWEEN = 0.6
"""Of people around the mean."""
WITHIN = 0.08
"""Of one stretch among those of its speaker: noise, pitch, words."""
WITHIN_SECOND = 0.38
"""... and what one second has besides; d seconds have a d-th of it."""
DRIFT = 0.035
"""Of any group of stretches, however many, around its speaker."""
LONGEST = 10.0
"""Seconds from which more says no more."""

Vector = NDArray[np.float32]
Sums = NDArray[np.float64]


def precision(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of the vectors of stretches of that length."""
    return 1.0 / (WITHIN + WITHIN_SECOND / np.clip(seconds, 0.2, LONGEST))


def gain(one: Sums, one_precision: float, others: Sums, precisions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Twice the log odds, by dimension, that a group and each of the others are one person's, shape (others,).

    A group is the sum of its vectors, each less the clip's mean and times its precision, and the sum of those
    precisions; `others` has shape (others, dimensions).
    """
    limits = 1.0 + DRIFT * precisions
    others, precisions = others / limits[:, None], precisions / limits
    limit = 1.0 + DRIFT * one_precision
    one, one_precision = one / limit, one_precision / limit
    together = _evidence(others + one, precisions + one_precision)
    return together - _evidence(others, precisions) - _evidence(one[None], np.array([one_precision]))


def _evidence(sums: Sums, precisions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each group being one person's, up to what no grouping changes."""
    return np.square(sums).sum(axis=-1) / (precisions + 1.0 / BETWEEN) - np.log1p(BETWEEN * precisions)


def unit(vector: Vector) -> Vector:
    """At length 1; not finite for a vector that says nothing."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return (vector / np.linalg.norm(vector)).astype(np.float32)
