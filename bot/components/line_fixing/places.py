"""Lines and edits as custom ids name them, so that lists and forms that are open while the bot restarts still work."""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

import msgspec

from bot.exceptions import RefusedError
from pipeline.edits.lines import EditableTranscript, Line, see

_DIGEST_CHARS: Final = 8
_PLACE: Final = re.compile(r"(\d{1,6})-(\d{1,6})-([0-9a-f]{8})")
_RANGE: Final = re.compile(r"(\d{1,6})-(\d{1,6})-(\d{1,6})(-undone)?")


@dataclass(frozen=True, slots=True)
class LinePlace:
    """A line as a person saw it.

    The line's own id has no limit, so a line is named by its place in the transcript at a revision.
    """

    revision: int
    index: int
    digest: str
    """Of the line, in case the transcript was recognised anew."""

    @classmethod
    def of(cls, revision: int, index: int, line: Line) -> "LinePlace":
        """Name a line of the transcript at a revision."""
        return cls(revision, index, _digest(line))

    @classmethod
    def parse(cls, text: str) -> "LinePlace":
        """Read what `str` wrote. Raises `RefusedError`."""
        match = _PLACE.fullmatch(text)
        if match is None:
            raise RefusedError("button-gone", "button-gone-hint")
        return cls(int(match[1]), int(match[2]), match[3])

    def __str__(self) -> str:
        return f"{self.revision}-{self.index}-{self.digest}"

    def find(self, transcript: EditableTranscript) -> Line:
        """Return the line of the transcript at the revision. Raises `RefusedError` when it is another one."""
        line = transcript.lines[self.index] if self.index < len(transcript.lines) else None
        if line is None or _digest(line) != self.digest:
            raise RefusedError("line-gone", "line-gone-hint")
        return line


@dataclass(frozen=True, slots=True)
class SavedEdits:
    """Edits that can be undone: those after the revision `before`, up to `after`."""

    before: int
    after: int
    index: int
    """Place of the line, for the list that is shown afterwards."""
    undone: bool = False
    """Whether they took others back themselves."""

    @classmethod
    def parse(cls, text: str) -> "SavedEdits":
        """Read what `str` wrote. Raises `RefusedError`."""
        match = _RANGE.fullmatch(text)
        if match is None:
            raise RefusedError("button-gone", "button-gone-hint")
        return cls(int(match[1]), int(match[2]), int(match[3]), match[4] is not None)

    def __str__(self) -> str:
        return f"{self.before}-{self.after}-{self.index}{'-undone' if self.undone else ''}"


def _digest(line: Line) -> str:
    return hashlib.sha256(msgspec.json.encode(see(line))).hexdigest()[:_DIGEST_CHARS]
