"""The operations of which edits consist; data only, with `op` in the JSON telling them apart.

Each names what it changes by the line and by the words and times that the person saw, so that it finds its place in a
transcript that was made anew.
"""

from typing import Final, TypeAlias

import msgspec

from pipeline.types import Speaker, Turn

EDITS_VERSION: Final = 1
"""Raised when an older Stemcord would read an edit file wrongly."""


class SeenWord(msgspec.Struct, frozen=True, array_like=True):
    """A word as the person saw it; in JSON `[start, end, text]`, in seconds."""

    start: float
    end: float
    text: str


class SeenLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as the person saw it."""

    line: str
    """`L` and its number from 1 in the transcript as recognised; parts of it are `L3.1`, added lines `N1`."""
    speaker: str
    """Id."""
    words: tuple[SeenWord, ...]


class Operation(msgspec.Struct, frozen=True, kw_only=True, tag_field="op"):
    """Base of all operations."""


class SetWords(Operation, frozen=True, kw_only=True, tag="set_words"):
    """Write other words in a line; words that stay keep their times, new ones get times between them."""

    seen: SeenLine
    words: tuple[str, ...]


class GiveWords(Operation, frozen=True, kw_only=True, tag="give"):
    """Give a line, or a run of its words, to another speaker."""

    seen: SeenLine
    first: int = 0
    """Index of the run's first word."""
    past: int | None = None
    """Index after its last word; None: to the end."""
    speaker: str
    """Id."""
    name: str | None = None
    """Name of a speaker who is new with this; None: one whom the transcript has."""


class SplitLine(Operation, frozen=True, kw_only=True, tag="split"):
    """Make two lines of one."""

    seen: SeenLine
    at: int
    """Index of the word with which the second begins."""


class MergeLines(Operation, frozen=True, kw_only=True, tag="merge"):
    """Make one line of two; it is the first one's speaker's."""

    seen: SeenLine
    second: SeenLine


class DeleteLine(Operation, frozen=True, kw_only=True, tag="delete"):
    """Take a line out."""

    seen: SeenLine


class AddLine(Operation, frozen=True, kw_only=True, tag="add"):
    """Write a line where none was; its words share its time by their letters."""

    speaker: str
    """Id."""
    name: str | None = None
    """As in `GiveWords`."""
    start: float
    end: float
    words: tuple[str, ...]


class RenameSpeaker(Operation, frozen=True, kw_only=True, tag="rename"):
    """Give a speaker another name."""

    speaker: str
    """Id."""
    name: str


class PlacedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line and where it goes."""

    line: str
    after: str | None
    """The line before it; None: it is the first."""
    turn: Turn


class ReplaceLines(Operation, frozen=True, kw_only=True, tag="replace"):
    """Put lines in place of others, exactly as given: what undoes all operations but a rename."""

    gone: tuple[SeenLine, ...]
    put: tuple[PlacedLine, ...]
    added: tuple[Speaker, ...] = ()
    dropped: tuple[str, ...] = ()
    """Ids of speakers who say nothing after it."""


Edit: TypeAlias = SetWords | GiveWords | SplitLine | MergeLines | DeleteLine | AddLine | RenameSpeaker | ReplaceLines


def touched(edit: Edit) -> frozenset[str]:
    """List the lines and speakers that an edit changes; two edits that share none can be made in either order."""
    match edit:
        case SetWords() | SplitLine() | DeleteLine():
            return frozenset({edit.seen.line})
        case GiveWords():
            return frozenset({edit.seen.line, *_new_speaker(edit.speaker, edit.name)})
        case MergeLines():
            return frozenset({edit.seen.line, edit.second.line})
        case AddLine():
            return frozenset(_new_speaker(edit.speaker, edit.name))
        case RenameSpeaker():
            return frozenset({f"speaker:{edit.speaker}"})
        case ReplaceLines():
            lines = {each.line for each in (*edit.gone, *edit.put)}
            speakers = (*(speaker.id for speaker in edit.added), *edit.dropped)
            return frozenset({*lines, *(f"speaker:{speaker}" for speaker in speakers)})


def _new_speaker(speaker: str, name: str | None) -> tuple[str, ...]:
    return () if name is None else (f"speaker:{speaker}",)
