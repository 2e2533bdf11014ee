"""Speech that a draft leaves out, and words that are too few for the sound."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.speech.recognition.whisper.executor import FRAME_SECONDS
from pipeline.speech.recognition.whisper.missed_speech import (
    TornSentence,
    drop_cut_word,
    find_missed,
    find_torn,
    is_sparse,
)
from pipeline.types import Word


def said(*places: tuple[float, float], text: str = "word") -> list[Word]:
    return [Word(start=start, end=end, text=text, confidence=0.9) for start, end in places]


def pauses(seconds: float, *quiet: tuple[float, float]) -> NDArray[np.bool_]:
    marks = np.zeros(round(seconds / FRAME_SECONDS), np.bool_)
    for start, end in quiet:
        marks[round(start / FRAME_SECONDS) : round(end / FRAME_SECONDS)] = True
    return marks


def test_sound_between_and_after_words_is_missed() -> None:
    words = said((0.2, 1.0), (1.0, 2.0), (5.0, 6.0))
    missed = find_missed(words, pauses(10.0, (2.0, 2.5), (9.0, 10.0)))
    assert missed == [pytest.approx((2.35, 4.9), abs=0.02), pytest.approx((6.1, 9.15), abs=0.02)]


def test_a_pause_and_a_short_sound_are_not_missed() -> None:
    words = said((0.2, 1.0), (4.0, 5.0), (6.0, 7.0))
    assert find_missed(words, pauses(7.0, (1.2, 4.0))) == []


def test_few_words_for_much_sound_are_sparse() -> None:
    words = said((0.0, 0.5), (4.0, 4.5), (9.0, 9.5))
    assert is_sparse(words, pauses(10.0))
    assert not is_sparse(words, pauses(10.0, (1.0, 9.0)))
    assert not is_sparse(said((0.0, 9.5), text="1-2-3-4-5-6-7-8-9-10"), pauses(10.0))
    assert not is_sparse(said((0.0, 0.4)), pauses(2.0))


def test_a_sentence_with_missed_speech_inside_is_torn() -> None:
    words = [*said((0.2, 0.5)), *said((0.5, 1.0), text="long"), *said((5.0, 5.4), text="day."), *said((5.5, 6.0))]
    assert find_torn(words, [(1.2, 4.8)]) == [TornSentence(first=0, past=3, whole_until=1.2, share=2 / 3)]


def test_missed_speech_between_sentences_and_at_the_ends_tears_none() -> None:
    words = [*said((1.0, 1.5), text="Yes."), *said((5.0, 5.4), text="No."), *said((5.5, 6.0))]
    assert find_torn(words, [(0.0, 0.9), (1.8, 4.8), (6.3, 8.0)]) == []
    assert find_torn([], [(0.0, 2.0)]) == []


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (said((17.12, 17.14), text="un"), said((17.15, 17.35), text="una"), 0),
        (said((17.12, 17.20), text="Un,"), said((17.15, 17.35), text="un"), 0),
        (said((17.12, 17.40), text="un"), said((17.42, 17.65), text="una"), 1),
        (said((17.12, 17.14), text="un"), said((17.50, 17.65), text="una"), 1),
        (said((17.12, 17.14), text="a"), said((17.15, 17.35), text="una"), 1),
        (said((17.12, 17.14), text="…"), said((17.15, 17.35), text="una"), 1),
        (said((17.12, 17.14), text="un"), [], 1),
        ([], said((17.15, 17.35), text="una"), 0),
    ],
)
def test_the_beginning_of_a_word_that_the_next_part_has_whole_is_dropped(
    first: list[Word], second: list[Word], kept: int
) -> None:
    assert drop_cut_word(first, second) == first[:kept]
