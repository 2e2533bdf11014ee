"""What an edit may hold, checked before it is used or kept."""

import math
import unicodedata
from collections.abc import Sequence
from typing import Final

from pipeline.edits.operations import AddLine, Edit, GiveWords, RenameSpeaker, ReplaceLines, SetWords
from pipeline.errors import ValidationError
from pipeline.export.transcripts import MAX_NAME_CHARS, MAX_TIME_SECONDS, check_name

MAX_WORD_CHARS: Final = 200
"""Characters."""
MAX_LINE_WORDS: Final = 5000
"""Words."""
_MAX_ID_CHARS: Final = 64
_UNWRITABLE: Final = frozenset({"Cc", "Cs", "Co", "Cn"})


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
        if any(unicodedata.category(sign) in _UNWRITABLE for sign in word):
            raise ValidationError("A word holds a character that cannot be seen.", hint="Write the word again.")


def _check_speaker(speaker: str, name: str | None) -> None:
    if not 1 <= len(speaker) <= _MAX_ID_CHARS or any(unicodedata.category(sign) in _UNWRITABLE for sign in speaker):
        raise ValidationError(
            "A speaker's id cannot be used.", hint=f"Give it 1 to {_MAX_ID_CHARS} characters that can be seen."
        )
    if name is None:
        return
    if any(unicodedata.category(sign) in _UNWRITABLE for sign in name):
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
        _check_speaker(speaker.id, None)
    for placed in edit.put:
        spans = [(placed.turn.start, placed.turn.end), *((word.start, word.end) for word in placed.turn.words)]
        if not all(
            math.isfinite(start) and math.isfinite(end) and -1.0 <= start <= end <= MAX_TIME_SECONDS
            for start, end in spans
        ):
            raise ValidationError("A line's times are impossible.", hint="Let it end after it begins.")
        if placed.turn.words:
            check_words([word.text for word in placed.turn.words])
