"""A count is numbers of their own, and no other number is a count."""

import pytest

from pipeline.speech.recognition.whisper.counting import find_count, write_counts
from pipeline.speech.recognition.whisper.tokenizer import WhisperTokenizer
from tests.pipeline.speech.recognition.whisper.test_tokenizer import tokenizer

__all__ = ["tokenizer"]


@pytest.mark.parametrize(
    ("digits", "numbers"),
    [
        ("10987654321", [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ("123456", [1, 2, 3, 4, 5, 6]),
        ("9876543210", [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
        ("9899100101102103", [98, 99, 100, 101, 102, 103]),
        ("5551234567", []),
        ("12345", []),
        ("101112", []),
        ("20252026", []),
        ("0000000", []),
        ("3141592653", []),
        ("9" * 500, []),
        ("00123456", []),
        ("0123456", [0, 1, 2, 3, 4, 5, 6]),
        ("09101112131415", []),
        ("١٢٣٤٥٦", []),
        ("", []),
    ],
)
def test_counts_are_found(digits: str, numbers: list[int]) -> None:
    assert find_count(digits) == numbers


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (" Ready? 10987654321. Go!", " Ready? 10, 9, 8, 7, 6, 5, 4, 3, 2, 1. Go!"),
        (" Call 5551234567 now.", " Call 5551234567 now."),
        (" Nothing to count.", " Nothing to count."),
        *(
            (text, text)
            for text in (" v123456", " #123456.", " $123456", " 123456-789", " 123456.78", " 123456/654321")
        ),
        (" ( ( (", " ( ( ("),
        ("", ""),
    ],
)
def test_a_count_is_written_as_words(tokenizer: WhisperTokenizer, text: str, written: str) -> None:
    assert tokenizer.decode(write_counts(tokenizer, tokenizer.encode(text).input_ids, "en", 100)) == written


def test_a_text_that_would_get_too_long_stays(tokenizer: WhisperTokenizer) -> None:
    tokens = tokenizer.encode(" 123456" * 4).input_ids
    assert write_counts(tokenizer, tokens, "en", 2 * len(tokens)) == tokens
    assert len(write_counts(tokenizer, tokens, "en", 100)) > len(tokens)
