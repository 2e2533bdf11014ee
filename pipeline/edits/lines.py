"""A transcript as lines with ids, in which edits find their place."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from pipeline.edits.operations import PlacedLine, ReplaceLines, SeenLine, SeenWord
from pipeline.errors import ValidationError
from pipeline.types import Speaker, Transcript, Turn, Word

MAX_SHIFT_SECONDS: Final = 1.0
"""Seconds by which a word may have moved in a transcript that was made anew."""
_STALE_HINT: Final = "Look at the transcript as it is now and make the change again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A turn and its id."""

    id: str
    turn: Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class EditableTranscript:
    """A transcript of which each line has an id that stays while others change."""

    language: str
    duration: float
    speakers: tuple[Speaker, ...]
    lines: tuple[Line, ...]

    @classmethod
    def of(cls, transcript: Transcript) -> "EditableTranscript":
        """Number the lines of a transcript as recognised."""
        lines = tuple(Line(id=f"L{number}", turn=turn) for number, turn in enumerate(transcript.turns, 1))
        return cls(
            language=transcript.language, duration=transcript.duration, speakers=transcript.speakers, lines=lines
        )

    def transcript(self) -> Transcript:
        """Return it without the ids."""
        return Transcript(
            language=self.language,
            duration=self.duration,
            speakers=self.speakers,
            turns=tuple(line.turn for line in self.lines),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Words `first` to before `past` of the line at `index`."""

    index: int
    first: int
    past: int


def see(line: Line) -> SeenLine:
    """Describe a line as an edit names it."""
    words = tuple(SeenWord(word.start, word.end, word.text) for word in line.turn.words)
    return SeenLine(line=line.id, speaker=line.turn.speaker, words=words)


def find(transcript: EditableTranscript, seen: SeenLine) -> Place:
    """Find a line that was seen: by its id, else by its words near their times, also inside a longer line.

    Raises:
        ValidationError: It is not there, or its words are others now.
    """
    known = next((index for index, line in enumerate(transcript.lines) if line.id == seen.line), None)
    if known is not None and see(transcript.lines[known]).words == seen.words:
        return Place(index=known, first=0, past=len(seen.words))
    found = [place for index, line in enumerate(transcript.lines) for place in _places(index, line.turn, seen)]
    if found:
        return min(found, key=lambda place: _distance(transcript, place, seen))
    if known is None:
        raise ValidationError(f"Line {seen.line[:20]} is gone.", hint=_STALE_HINT)
    raise ValidationError(f"Line {seen.line[:20]} has other words now.", hint=_STALE_HINT)


def fresh_id(transcript: EditableTranscript, base: str, taken: Sequence[str] = ()) -> str:
    """Return the first of `base1`, `base2`, … that no line has."""
    used = {*taken, *(line.id for line in transcript.lines)}
    return next(name for number in range(1, len(used) + 2) if (name := f"{base}{number}") not in used)


def difference(before: EditableTranscript, after: EditableTranscript) -> ReplaceLines:
    """Return the operation that turns one transcript into another, in which lines that are the same keep their order.

    Names of speakers are not compared.
    """
    head = _count_same(before.lines, after.lines)
    tail = _count_same(before.lines[head:][::-1], after.lines[head:][::-1])
    left = before.lines[head : len(before.lines) - tail]
    come = after.lines[head : len(after.lines) - tail]
    old, new = {line.id: line for line in left}, {line.id: line for line in come}
    put: list[PlacedLine] = []
    last = after.lines[head - 1].id if head else None
    for line in come:
        if old.get(line.id) != line:
            put.append(PlacedLine(line=line.id, after=last, turn=line.turn))
        last = line.id
    had, has = {speaker.id for speaker in before.speakers}, {speaker.id for speaker in after.speakers}
    return ReplaceLines(
        gone=tuple(see(line) for line in left if new.get(line.id) != line),
        put=tuple(put),
        added=tuple(speaker for speaker in after.speakers if speaker.id not in had),
        dropped=tuple(speaker.id for speaker in before.speakers if speaker.id not in has),
    )


def _count_same(one: Sequence[Line], other: Sequence[Line]) -> int:
    """Count the lines at the beginning that are one object, which is quicker than to compare all their words."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] is pair[1], zip(one, other, strict=False)))


def _places(index: int, turn: Turn, seen: SeenLine) -> list[Place]:
    """List where the words that were seen stand in a turn, each near its time."""
    count = len(seen.words)
    if not count or len(turn.words) < count or turn.start > seen.words[0].start + MAX_SHIFT_SECONDS:
        return []
    if turn.end < seen.words[0].start - MAX_SHIFT_SECONDS:
        return []
    return [
        Place(index=index, first=first, past=first + count)
        for first in range(len(turn.words) - count + 1)
        if all(_is_same(word, old) for word, old in zip(turn.words[first:], seen.words, strict=False))
    ]


def _is_same(word: Word, seen: SeenWord) -> bool:
    return abs(word.start - seen.start) <= MAX_SHIFT_SECONDS and _spelling(word.text) == _spelling(seen.text)


def _spelling(text: str) -> str:
    """Leave out what another recogniser may write otherwise: case and punctuation."""
    plain = "".join(sign for sign in text.casefold() if unicodedata.category(sign)[0] in "LNM")
    return plain or text


def _distance(transcript: EditableTranscript, place: Place, seen: SeenLine) -> tuple[float, bool, bool]:
    line = transcript.lines[place.index]
    moved = abs(line.turn.words[place.first].start - seen.words[0].start)
    return moved, line.turn.speaker != seen.speaker, line.id != seen.line
