"""Borders of words that touch, by the sound."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.audio import io as audio_io
from pipeline.speech.recognition.whisper.border_network import SAMPLE_RATE
from pipeline.speech.recognition.whisper.border_refinement import MIN_WORD_SECONDS, ONSET_SECONDS, refine_borders
from pipeline.types import Word

DATA = Path(__file__).parents[4] / "data"
SOUND = (0.1 * np.random.default_rng(4).standard_normal(20 * SAMPLE_RATE)).astype(np.float32)


def tones(*parts: tuple[float, float]) -> np.ndarray:
    """Tones of (hertz, seconds) one after the other."""
    waves = [
        np.sin(2 * np.pi * hertz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE) for hertz, seconds in parts
    ]
    return np.concatenate(waves).astype(np.float32)


def word(start: float, end: float, text: str = "word") -> Word:
    return Word(start=start, end=end, text=text, confidence=1.0)


def test_words_that_touch_get_the_border_that_is_heard() -> None:
    """`Good evening everyone` of the sample. Another aligner has the borders at 0.55 and 0.96 s, before the plans that
    taught the network; without it they are 0.14 s apart from where they should be."""
    sound = audio_io.resample(audio_io.read(DATA / "sample.speech.flac", frames=3 * 48_000), 48_000, SAMPLE_RATE)[:, 0]
    guessed = [word(0.4, 0.62, "Good"), word(0.62, 0.86, "evening"), word(0.86, 1.59, "everyone,")]
    refined = refine_borders(guessed, sound)
    assert [each.start for each in refined[1:]] == pytest.approx([0.62, 1.03], abs=0.04)
    assert [each.end for each in refined[:2]] == pytest.approx([0.585, 0.995], abs=0.04)
    assert refined[2].end == 1.59


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


@given(lengths=st.lists(st.integers(0, 20), min_size=1, max_size=40), gaps=st.integers(0, 2**40 - 1))
def test_words_of_any_length_keep_their_order_room_and_end(lengths: list[int], gaps: int) -> None:
    """Frames of 20 ms; some words touch, others stand apart."""
    words, at = list[Word](), 0.0
    for place, length in enumerate(lengths):
        at += 0.1 * (gaps >> place & 1)
        words.append(word(at, at + 0.02 * length))
        at = words[-1].end
    refined = refine_borders(words, SOUND[: round((at + 0.1) * SAMPLE_RATE)])
    assert [each.start for each in refined] == sorted(each.start for each in refined)
    assert all(each.start <= each.end + 1e-9 for each in refined)
    assert refined[-1].end == pytest.approx(words[-1].end)
    for before, after in zip(words, refined, strict=True):
        assert after.end - after.start >= min(MIN_WORD_SECONDS, before.end - before.start) - 1e-9
    for last, after in pairwise(refined):
        assert last.end <= after.start + 1e-9
