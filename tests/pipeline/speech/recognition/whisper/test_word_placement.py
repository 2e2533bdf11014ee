"""What of a text may be a loop."""

import pytest

from pipeline.speech.recognition.whisper.repetition import find_loops
from pipeline.speech.recognition.whisper.word_placement import find_sounds


def loops(*texts: str) -> list[tuple[int, int, int]]:
    names = list(dict.fromkeys(texts))
    found = find_loops(find_sounds([names.index(text) for text in texts], texts))
    return [(loop.start, loop.period, loop.times) for loop in found]


def test_case_and_the_kind_of_punctuation_are_not_heard() -> None:
    assert loops(" Never", ",", " never", ",", " never", ".") == [(0, 2, 3)]


@pytest.mark.parametrize(
    "texts",
    [
        (" Pourquoi", " ?", " »", " «", " Parce"),
        (" Stop", ".", " (", "...", ' "', "Go", '")'),
        ("「", "はい", "。", "」", "「", "…", "そう"),
        (" म", "ा", "म", "ा", " म", "ा", "म", "ी"),
        (" த", "ா", "த", "ா", " த", "ீ"),
        ("\ufffd", "\ufffd ", " \ufffd"),
    ],
)
def test_marks_and_vowel_signs_are_no_loops(texts: tuple[str, ...]) -> None:
    assert loops(*texts) == []


def test_rows_of_one_mark_are() -> None:
    assert loops(" ♪", " ♪", " ♪") == [(0, 1, 3)]
