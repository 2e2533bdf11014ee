"""Counts: numbers in a row, up or down, which Whisper likes to write as one, such as `10987654321`."""

from collections.abc import Sequence
from typing import Final

from pipeline.speech.recognition.whisper.alignment import split_words
from pipeline.speech.recognition.whisper.tokenizer import WhisperTokenizer

MIN_COUNTED: Final = 6
"""Numbers in a row, from which on they are no number of another kind."""
MAX_FIRST_DIGITS: Final = 3
"""Of the first number of a count."""
MARKS: Final = ".,;:!?…。，、！？"  # noqa: RUF001 - marks of many scripts
"""What may stand behind a count; other than with these, a word is an amount, an identifier or a sum."""


def write_counts(tokenizer: WhisperTokenizer, tokens: Sequence[int], language: str, max_tokens: int) -> list[int]:
    """Write each count in a text as numbers with commas between, so that each is a word and has its time.

    Args:
        tokenizer: Of the model.
        tokens: The text.
        language: Code of the language.
        max_tokens: A text that would get longer than this stays as it is.
    """
    written: list[int] = []
    found = False
    for word in split_words(tokenizer, tokens, language):
        digits = word.text.rstrip(MARKS)
        numbers = find_count(digits)
        found = found or bool(numbers)
        text = f" {', '.join(map(str, numbers))}{word.text[len(digits) :]}"
        written += tokenizer.encode(text).input_ids if numbers else word.tokens
    return written if found and len(written) <= max_tokens else list(tokens)


def find_count(digits: str) -> list[int]:
    """Find the numbers of a count, each one more or one less than the one before; empty where a text is no count."""
    if len(digits) < MIN_COUNTED or not (digits.isascii() and digits.isdigit()):
        return []
    for length in range(1, MAX_FIRST_DIGITS + 1):
        for step in (1, -1):
            numbers, text = [int(digits[:length])], str(int(digits[:length]))
            while digits.startswith(text) and len(text) < len(digits) and numbers[-1] + step >= 0:
                numbers.append(numbers[-1] + step)
                text += str(numbers[-1])
            if text == digits and len(numbers) >= MIN_COUNTED:
                return numbers
    return []
