"""Tables of who says what and how long each speaks, as rows and as CSV."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.export.escaping import clean
from pipeline.export.source import ExportSource
from pipeline.types import Transcript

Cell = str | int | float
TURN_COLUMNS: Final = ("turn", "start_s", "end_s", "seconds", "time", "speaker", "overlap", "words", "text")
TALK_COLUMNS: Final = ("speaker", "seconds", "share", "turns", "words", "longest_turn_s", "words_per_minute")
_FORMULA_STARTS: Final = re.compile('(?:^|;"*)(?=[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20])')
"""Before what makes a spreadsheet take a cell for a formula, also as wide letters.

Where a comma is the sign of decimals, spreadsheets part the cells of a CSV at semicolons.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkTime:
    """How much a speaker says."""

    speaker: str
    """Name."""
    seconds: float
    share: float
    """Of what all say together, from 0 to 1."""
    turns: int
    words: int
    longest: float
    """Seconds of the longest turn."""


def talk_times(transcript: Transcript) -> list[TalkTime]:
    """Add up the turns of each speaker, in the order of the transcript's speakers."""
    whole = sum(turn.end - turn.start for turn in transcript.turns)
    found: list[TalkTime] = []
    for speaker in transcript.speakers:
        turns = [turn for turn in transcript.turns if turn.speaker == speaker.id]
        lengths = [turn.end - turn.start for turn in turns]
        found.append(
            TalkTime(
                speaker=clean(speaker.name),
                seconds=sum(lengths),
                share=sum(lengths) / whole if whole > 0 else 0.0,
                turns=len(turns),
                words=sum(len(turn.words) for turn in turns),
                longest=max(lengths, default=0.0),
            )
        )
    return found


def turn_rows(transcript: Transcript) -> list[tuple[Cell, ...]]:
    """Return a row for each turn, with the columns `TURN_COLUMNS`."""
    names = {speaker.id: clean(speaker.name) for speaker in transcript.speakers}
    return [
        (
            *(number, round(turn.start, 3), round(turn.end, 3), round(turn.end - turn.start, 3)),
            *(_format_time(turn.start), names[turn.speaker], int(turn.overlap), len(turn.words), clean(turn.text)),
        )
        for number, turn in enumerate(transcript.turns, 1)
    ]


def talk_rows(transcript: Transcript) -> list[tuple[Cell, ...]]:
    """Return a row for each speaker, with the columns `TALK_COLUMNS`."""
    return [
        (
            *(each.speaker, round(each.seconds, 3), round(each.share, 4), each.turns, each.words),
            *(round(each.longest, 3), round(60 * each.words / each.seconds, 1) if each.seconds > 0 else 0.0),
        )
        for each in talk_times(transcript)
    ]


def write_turns_csv(source: ExportSource, path: Path) -> None:
    """Write a row for each turn (RFC 4180, UTF-8 with a mark at the begin, by which spreadsheets know it)."""
    _write(TURN_COLUMNS, turn_rows(source.marked), path)


def write_talk_time_csv(source: ExportSource, path: Path) -> None:
    """Write a row for each speaker, likewise."""
    _write(TALK_COLUMNS, talk_rows(source.transcript), path)


def harmless(cell: Cell) -> Cell:
    """Put an apostrophe before a text that a spreadsheet would take for a formula, also behind a semicolon."""
    return _FORMULA_STARTS.sub(r"\g<0>'", cell) if isinstance(cell, str) else cell


def _write(columns: Sequence[str], rows: Sequence[Sequence[Cell]], path: Path) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([harmless(cell) for cell in row] for row in rows)


def _format_time(seconds: float) -> str:
    milliseconds = max(0, round(seconds * 1000))
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"
