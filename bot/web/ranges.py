"""Byte ranges of RFC 9110, section 14."""

import re
from dataclasses import dataclass

_RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*")


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes from `start` up to `end`, not included."""

    start: int
    end: int

    @property
    def size(self) -> int:
        """How many bytes."""
        return self.end - self.start


class RangeError(ValueError):
    """None of the asked bytes exist (416)."""


def read_range(header: str | None, size: int) -> Span | None:
    """The one asked range; None for the whole file, which also answers what is no range or several.

    Raises `RangeError` when a well-formed range lies outside of the file.
    """
    found = None if header is None else _RANGE.fullmatch(header)
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        start, end = max(size - int(last), 0), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= size or start >= end:
        raise RangeError(header)
    return Span(start, end)
