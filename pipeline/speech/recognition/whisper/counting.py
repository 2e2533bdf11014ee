"""Counts: numbers in a row, up or down, which Whisper likes to write as one, such as `10987654321`."""

import re
from collections.abc import Sequence
from typing import Final

from pipeline.speech.recognition.whisper.alignment import split_words
from pipeline.speech.recognition.whisper.tokenizer import WhisperTokenizer

MIN_COUNTED: Final = 6
"""Numbers in a row, from which on they are no number of another kind."""
MAX_FIRST_DIGITS: Final = 3
"""Of the first number of a count."""
_NUMBER: Final = re.compile(rf"[0-9]{{{MIN_COUNTED},}}")


def write_counts(tokenizer: WhisperTokenizer, tokens: Sequence[int], language: str) -> list[int]:
    """Write each count in a text as numbers with commas between, so that each is a word and has its time."""
    written: list[int] = []
    for word in split_words(tokenizer, tokens, language):
        found = _NUMBER.search(word.text)
        numbers = find_count(found.group()) if found else []
        if found and numbers:
            text = f" {word.text[: found.start()]}{', '.join(map(str, numbers))}{word.text[found.end() :]}"
            written += tokenizer.encode(text).input_ids
        else:
            written += word.tokens
    return written


def find_count(digits: str) -> list[int]:
    """Find the numbers of a count, each one more or one less than the one before; empty where the digits are none."""
    for length in range(1, min(MAX_FIRST_DIGITS, len(digits)) + 1):
        first = int(digits[:length])
        for step in (1, -1):
            numbers, text = [first], digits[:length]
            while len(text) < len(digits) and numbers[-1] + step >= 0:
                numbers.append(numbers[-1] + step)
                text += str(numbers[-1])
            if text == digits and len(numbers) >= MIN_COUNTED:
                return numbers
    return []
