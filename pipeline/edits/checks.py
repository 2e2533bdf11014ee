"""What an edit may hold, checked before it is used or kept."""

import math
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from pipeline.characters import INVISIBLE_CATEGORIES
from pipeline.edits.operations import AddLine, Edit, GiveWords, RenameSpeaker, ReplaceLines, SetWords
from pipeline.errors import ValidationError
from pipeline.export.transcripts import MAX_NAME_CHARS, MAX_TIME_SECONDS, check_name
from pipeline.types import Turn

MAX_WORD_CHARS: Final = 200
"""Characters."""
MAX_LINE_WORDS: Final = 5000
"""Words."""
MAX_TEXT_CHARS: Final = 100_000
"""Characters of a line whose words nobody knows."""
_SLACK_SECONDS: Final = 1.0
"""Seconds by which words as recognised may stand outside of their line or in another order."""
_MAX_ID_CHARS: Final = 64
_UNWRITABLE: Final = INVISIBLE_CATEGORIES | {"Zl", "Zp"}


def check_edit(edit: Edit) -> None:
    """Check the words, names and times that an edit brings in.

    Raises:
        ValidationError: One of them cannot be used; the message says which.
    """
    match edit:
        case SetWords():
            check_words(edit.words)
        case AddLine():
            check_words(edit.words)
            _check_speaker(edit.speaker, edit.name)
            _check_times(edit.start, edit.end)
        case GiveWords():
            _check_speaker(edit.speaker, edit.name)
        case RenameSpeaker():
            _check_speaker(edit.speaker, edit.name)
        case ReplaceLines():
            _check_replace(edit)
        case _:
            pass


def check_words(words: Sequence[str]) -> None:
    """Check the words that a person writes into a line.

    Raises:
        ValidationError: There are none or too many, or one of them is no word.
    """
    if not words:
        raise ValidationError("The line has no words.", hint="Write at least one, or delete the line.")
    if len(words) > MAX_LINE_WORDS:
        raise ValidationError(
            f"The line has {len(words)} words.", hint=f"Write at most {MAX_LINE_WORDS} into a line, or split it."
        )
    for word in words:
        if not word.strip():
            raise ValidationError("A word has no letters.", hint="Leave empty words out.")
        if len(word) > MAX_WORD_CHARS:
            raise ValidationError(
                f"A word has {len(word)} characters.", hint=f"Give each word at most {MAX_WORD_CHARS}."
            )
        kinds = {unicodedata.category(sign) for sign in word}
        if kinds & _UNWRITABLE:
            raise ValidationError("A word holds a character that cannot be seen.", hint="Write the word again.")
        if all(kind[0] in "CZ" for kind in kinds):
            raise ValidationError("A word has no letters.", hint="Leave empty words out.")


def _is_writable(text: str) -> bool:
    return not any(unicodedata.category(sign) in _UNWRITABLE for sign in text)


def _is_id(text: str) -> bool:
    return 1 <= len(text) <= _MAX_ID_CHARS and _is_writable(text)


def _check_speaker(speaker: str, name: str | None) -> None:
    if not _is_id(speaker):
        raise ValidationError(
            "A speaker's id cannot be used.", hint=f"Give it 1 to {_MAX_ID_CHARS} characters that can be seen."
        )
    if name is None:
        return
    if not _is_writable(name):
        raise ValidationError("A speaker's name holds a character that cannot be seen.", hint="Write it again.")
    if check_name(name) != name:
        raise ValidationError(
            "A speaker's name cannot be used.", hint=f"Give it 1 to {MAX_NAME_CHARS} characters without spaces around."
        )


def _check_times(start: float, end: float) -> None:
    if not (math.isfinite(start) and math.isfinite(end) and 0.0 <= start < end <= MAX_TIME_SECONDS):
        raise ValidationError("A line's times are impossible.", hint="Let it end after it begins.")


def _check_replace(edit: ReplaceLines) -> None:
    for speaker in edit.added:
        _check_speaker(speaker.id, speaker.name)
    for placed in edit.put:
        if not _is_id(placed.line):
            raise ValidationError(
                "A line's id cannot be used.", hint=f"Give it 1 to {_MAX_ID_CHARS} characters that can be seen."
            )
        _check_turn(placed.turn)


def _check_turn(turn: Turn) -> None:
    spans = [(turn.start, turn.end), *((word.start, word.end) for word in turn.words)]
    # The order of words is a recogniser's, which knows it better than their times.
    is_ordered = all(one.start <= other.start + _SLACK_SECONDS for one, other in pairwise(turn.words))
    is_inside = all(
        turn.start - _SLACK_SECONDS <= word.start and word.end <= turn.end + _SLACK_SECONDS for word in turn.words
    )
    if not (is_ordered and is_inside and all(-1.0 <= start <= end <= MAX_TIME_SECONDS for start, end in spans)):
        raise ValidationError("A line's times are impossible.", hint="Let it end after it begins.")
    if turn.words:
        check_words([word.text for word in turn.words])
        if _letters([turn.text]) != _letters(word.text for word in turn.words):
            raise ValidationError("A line's text is not that of its words.", hint="Give the words of the text.")
    elif not (turn.text.strip() and len(turn.text) <= MAX_TEXT_CHARS and _is_writable(turn.text)):
        raise ValidationError(
            "A line's text cannot be used.", hint=f"Give it 1 to {MAX_TEXT_CHARS} characters that can be seen."
        )


def _letters(texts: Iterable[str]) -> str:
    return "".join(part for text in texts for part in text.split())
