"""Turns what a person submits for a line into edits."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.exceptions import RefusedError
from pipeline.edits.apply import apply_edit
from pipeline.edits.checks import MAX_WORD_CHARS
from pipeline.edits.lines import EditableTranscript, see
from pipeline.edits.operations import DeleteLine, Edit, GiveWords, MergeLines, SetWords, SplitLine
from pipeline.edits.written_words import find_middle, read_words
from pipeline.types import Speaker, Turn

_LINE_BREAK: Final = re.compile(r"\r?\n|\r")


class Then(StrEnum):
    """What becomes of a line beside its words and its speaker; the values are part of forms that may be open."""

    KEEP = "keep"
    JOIN = "join"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedLine:
    """A line as a person wants it."""

    text: str
    """Each line of it becomes one of the transcript."""
    speaker: Speaker
    """One of the transcript's, or a new one."""
    then: Then = Then.KEEP


class Steps:
    """Edits in the order in which to make them, and the transcript as it is after them."""

    def __init__(self, transcript: EditableTranscript) -> None:
        self.transcript = transcript
        self.edits: list[Edit] = []

    def add(self, edit: Edit) -> None:
        """Make an edit. Raises `ValidationError` when it does not fit."""
        self.transcript = apply_edit(self.transcript, edit).transcript
        self.edits.append(edit)


def edits_for(transcript: EditableTranscript, index: int, wanted: SubmittedLine) -> Steps:
    """Return what makes of a line what a person wants; no edits where it is so already.

    Args:
        transcript: As the person saw it.
        index: Place of the line.
        wanted: What the person submitted.

    Raises:
        RefusedError: The text cannot be used, or there is no line to join with.
        ValidationError: The speaker is gone.

    """
    steps = Steps(transcript)
    line = transcript.lines[index]
    if wanted.then is Then.DELETE:
        steps.add(DeleteLine(seen=see(line)))
        return steps
    parts = _written_parts(wanted.text, line.turn, transcript.language)
    words = tuple(word for part in parts for word in part)
    if len(parts) > 1 or words != _words_of(line.turn, transcript.language):
        _set_words(steps, index, words)
    if wanted.speaker.id != line.turn.speaker:
        is_new = all(speaker.id != wanted.speaker.id for speaker in transcript.speakers)
        name = wanted.speaker.name if is_new else None
        steps.add(GiveWords(seen=see(steps.transcript.lines[index]), speaker=wanted.speaker.id, name=name))
    # From the last on, so that the first part keeps the line's id and place.
    for count in range(len(parts) - 1, 0, -1):
        at = sum(len(part) for part in parts[:count])
        steps.add(SplitLine(seen=see(steps.transcript.lines[index]), at=at))
    if wanted.then is Then.JOIN:
        _join(steps, index + len(parts) - 1)
    return steps


def halves_of(transcript: EditableTranscript, index: int) -> Steps:
    """Return what splits a line near its middle. Raises `RefusedError` when it is one word."""
    steps = Steps(transcript)
    turn = transcript.lines[index].turn
    words = _words_of(turn, transcript.language)
    if len(words) <= 1:
        raise RefusedError("line-one-word", "line-one-word-hint")
    _set_words(steps, index, words)
    at = find_middle(words)
    steps.add(SplitLine(seen=see(steps.transcript.lines[index]), at=at))
    return steps


def new_speaker(speakers: Sequence[Speaker], name: str) -> Speaker:
    """Return a speaker with the next free id."""
    taken = {speaker.id for speaker in speakers}
    number = next(number for number in range(len(speakers) + 1, 2 * len(speakers) + 2) if f"S{number}" not in taken)
    return Speaker(id=f"S{number}", name=name)


def _words_of(turn: Turn, language: str) -> tuple[str, ...]:
    """Return the words of a turn, also where only its text is known."""
    return tuple(word.text for word in turn.words) or read_words(turn.text, language)


def _written_parts(text: str, turn: Turn, language: str) -> list[tuple[str, ...]]:
    """Return the words of each line of a text, without empty ones. Raises `RefusedError`."""
    known = _words_of(turn, language)
    parts: list[tuple[str, ...]] = []
    for row in _LINE_BREAK.split(text):
        words = read_words(row, language, known)
        known = known[_count_same(words, known) :]
        if words:
            parts.append(words)
    if not parts:
        raise RefusedError("line-empty", "line-empty-hint")
    if any(len(word) > MAX_WORD_CHARS for part in parts for word in part):
        raise RefusedError("word-long", "word-long-hint", count=MAX_WORD_CHARS)
    return parts


def _count_same(one: Sequence[str], other: Sequence[str]) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, pair in pairs if pair[0] != pair[1]), min(len(one), len(other)))


def _set_words(steps: Steps, index: int, words: tuple[str, ...]) -> None:
    line = steps.transcript.lines[index]
    if words != tuple(word.text for word in line.turn.words):
        steps.add(SetWords(seen=see(line), words=words))


def _join(steps: Steps, index: int) -> None:
    lines = steps.transcript.lines
    if index + 1 >= len(lines):
        raise RefusedError("line-last")
    steps.add(MergeLines(seen=see(lines[index]), second=see(lines[index + 1])))
