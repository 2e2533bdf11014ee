"""Evidence grows with what was heard, and a voice that drifts stays one person's."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.speech.diarization.plda import (
    MAX_INFORMATIVE_SECONDS,
    embedding_precision,
    log_likelihood_ratio,
    normalize_length,
)


def odds(angle: float, seconds: float, segments: int = 1) -> float:
    """For two groups of segments whose vectors are that many degrees apart, as seen from their middle."""
    weight = float(embedding_precision(np.array(seconds))) * segments
    half = np.radians(angle) / 2
    one: NDArray[np.float64] = np.array([0.0, np.sin(half)]) * weight
    return float(log_likelihood_ratio(one, weight, -one[None], np.array([weight]))[0])


def test_alike_is_one_person_and_unlike_is_two() -> None:
    assert odds(0, 3.0) > 0
    assert odds(25, 3.0) > 0
    assert odds(70, 3.0) < 0


def test_short_stretches_say_less() -> None:
    assert odds(70, 8.0) < odds(70, 3.0) < odds(70, 1.0)
    assert odds(70, 10 * MAX_INFORMATIVE_SECONDS) == odds(70, MAX_INFORMATIVE_SECONDS)


def test_who_talks_for_long_may_sound_a_little_different() -> None:
    assert odds(20, 5.0, segments=500) > 0
    assert odds(60, 5.0, segments=500) < 0


def test_silence_has_no_direction() -> None:
    assert not np.isfinite(normalize_length(np.zeros(3, np.float32))).any()
    assert np.linalg.norm(normalize_length(np.array([3.0, 4.0], np.float32))) == pytest.approx(1.0)
