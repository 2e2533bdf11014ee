"""Borders of words that touch, by the sound."""

import numpy as np
import pytest

from pipeline.speech.recognition.whisper.border_refinement import (
    ONSET_SECONDS,
    RELEASE_SECONDS,
    SAMPLE_RATE,
    refine_borders,
)
from pipeline.types import Word


def tones(*parts: tuple[float, float]) -> np.ndarray:
    """Tones of (hertz, seconds) one after the other."""
    waves = [
        np.sin(2 * np.pi * hertz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE) for hertz, seconds in parts
    ]
    return np.concatenate(waves).astype(np.float32)


def word(start: float, end: float, text: str = "word") -> Word:
    return Word(start=start, end=end, text=text, confidence=1.0)


def test_a_border_goes_to_where_the_sound_changes() -> None:
    first, second = refine_borders([word(0.0, 0.44), word(0.44, 1.0)], tones((300, 0.5), (1500, 0.5)))
    assert first.end == pytest.approx(0.5 - RELEASE_SECONDS, abs=0.011)
    assert second.start == pytest.approx(0.5 + ONSET_SECONDS, abs=0.011)


def test_words_apart_keep_their_ends() -> None:
    sound = tones((300, 0.5), (1500, 0.5))
    first, second = refine_borders([word(0.0, 0.4), word(0.6, 1.0)], sound)
    assert (first.end, second.start) == pytest.approx((0.4, 0.6 + ONSET_SECONDS))


def test_no_word_ends_before_it_begins() -> None:
    short = [word(0.00, 0.02), word(0.02, 0.04), word(0.04, 0.06), word(0.06, 0.06), word(0.06, 0.3)]
    refined = refine_borders(short, tones((300, 0.15), (900, 0.15)))
    assert all(each.start <= each.end for each in refined)
    assert [each.start for each in refined] == sorted(each.start for each in refined)


@pytest.mark.parametrize("samples", [0, 3, 100, 4000])
def test_silence_and_next_to_no_sound_change_little(samples: int) -> None:
    words = [word(0.0, 0.1), word(0.1, 0.2)]
    refined = refine_borders(words, np.zeros(samples, np.float32))
    assert [each.end for each in refined] == pytest.approx([0.1, 0.2], abs=0.12)
    assert refine_borders([], np.zeros(samples, np.float32)) == []
