"""The report on a dub, for programs and for people: how well each line fits, the worst first."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from pipeline.mix.dub.line_fitting import LineFit

START_TOLERANCE_SECONDS = 0.05
"""Seconds from its turn's start within which a line starts on time."""
LOUDNESS_TOLERANCE_LU = 3.0
"""LU by which a line's loudness may differ without a word."""
MAX_TEXT_CHARS = 48
"""Characters of a line that are shown."""
COLUMN_TITLES = (
    *("turn", "speaker", "at", "turn s", "line s", "stretch %", "start ms"),
    *("over s", "short s", "LU", "file", "text"),
)


class _ReportLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of `dub-report.json`; in seconds and LU, where no other unit is named."""

    turn: int | None
    """Counted from 1, in the order of transcript.json."""
    speaker: str
    start: float
    """Start of the turn on the clip's clock."""
    turn_length: float | None
    line_length: float
    """Length of the line in its file, before it was stretched."""
    stretch_percent: float
    start_error_ms: float | None
    overrun: float
    short: float
    loudness_difference: float | None
    file: str
    text: str
    """What was said in the original."""
    notes: tuple[str, ...]


def worst_first(fits: Sequence[LineFit]) -> list[LineFit]:
    """Sort by overrun, then by start error, shortfall, stretch and loudness difference."""
    return sorted(fits, key=_severity, reverse=True)


def write_report(fits: Sequence[LineFit], notes: Sequence[str], cap: float, folder: Path) -> tuple[Path, Path]:
    """Write `dub-report.json` and `dub-report.txt`, whose times are those of the clip.

    Args:
        fits: One for each line.
        notes: Sentences about the dub as a whole.
        cap: Per cent by which the length of a line might be changed.
        folder: Where the files are written.

    Returns:
        The paths of both files.
    """
    ordered = worst_first(fits)
    lines = [_describe(fit) for fit in ordered]
    content = {"stretch_cap": cap, "lines": lines, "notes": list(notes)}
    table_path, data_path = folder / "dub-report.txt", folder / "dub-report.json"
    data_path.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=1))
    table = [COLUMN_TITLES, *map(_row, lines)]
    text = "\n".join([*_table(table), *(("", *notes) if notes else ()), ""])
    table_path.write_text(text, encoding="utf-8")
    return data_path, table_path


def describe_worst(fits: Sequence[LineFit]) -> str:
    """Write one sentence on the line that fits worst."""
    fit = worst_first(fits)[0]
    flaws = list[str]()
    if fit.start is None:
        flaws.append("it is silent")
    if fit.overrun >= 0.01 and fit.slot.turn is None:
        flaws.append(f"it speaks for {fit.overrun:.2f} s where no turn is")
    elif fit.overrun >= 0.01:
        flaws.append(f"it goes on {fit.overrun:.2f} s after its turn")
    if abs(fit.start_error) > START_TOLERANCE_SECONDS:
        flaws.append(f"it starts {abs(fit.start_error):.2f} s too {'late' if fit.start_error > 0 else 'early'}")
    if fit.shortfall > 0.5:
        flaws.append(f"it ends {fit.shortfall:.2f} s before its turn")
    if fit.stretch:
        flaws.append(f"its length was changed by {fit.stretch:+.0f} %")
    if (
        fit.start is not None
        and fit.loudness_difference is not None
        and abs(fit.loudness_difference) > LOUDNESS_TOLERANCE_LU
    ):
        louder = "louder" if fit.loudness_difference > 0 else "quieter"
        flaws.append(f"it is {abs(fit.loudness_difference):.1f} LU {louder} than the original")
    said = " and ".join(flaws) or "it fits"
    return f"The worst of {len(fits)} dubbed line{'s' if len(fits) > 1 else ''} is {_name(fit)}: {said}."


def _severity(fit: LineFit) -> tuple[float, ...]:
    late = abs(fit.start_error) if abs(fit.start_error) > START_TOLERANCE_SECONDS else 0.0
    loudness = 0.0 if fit.loudness_difference is None else abs(fit.loudness_difference)
    silent = float(fit.start is None)
    return silent, round(fit.overrun, 2), round(late, 3), round(fit.shortfall, 2), abs(fit.stretch), loudness


def _describe(fit: LineFit) -> _ReportLine:
    slot = fit.slot
    return _ReportLine(
        turn=slot.turn,
        speaker=slot.speaker,
        start=round(slot.start, 3),
        turn_length=None if slot.turn is None or slot.end is None else round(slot.end - slot.start, 3),
        line_length=round(fit.length, 3),
        stretch_percent=round(fit.stretch, 1),
        start_error_ms=None if fit.start is None else round(1000 * fit.start_error, 1) + 0.0,
        overrun=round(fit.overrun, 3),
        short=round(fit.shortfall, 3),
        loudness_difference=None if fit.loudness_difference is None else round(fit.loudness_difference, 1),
        file=fit.file,
        text=slot.text,
        notes=tuple(fit.notes),
    )


def _row(line: _ReportLine) -> tuple[str, ...]:
    shown = line.text if len(line.text) <= MAX_TEXT_CHARS else f"{line.text[: MAX_TEXT_CHARS - 1]}…"
    remarks = f" ({'; '.join(line.notes)})" if line.notes else ""
    numbers = (line.start, line.turn_length, line.line_length, line.stretch_percent, line.start_error_ms)
    further = (line.overrun, line.short, line.loudness_difference)
    return (
        *("-" if line.turn is None else str(line.turn), line.speaker or "-"),
        *("-" if number is None else f"{number:g}" for number in (*numbers, *further)),
        line.file,
        shown + remarks,
    )


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMN_TITLES) - 1)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in rows
    ]


def _name(fit: LineFit) -> str:
    if fit.slot.turn is None:
        return fit.file
    words = fit.slot.text if len(fit.slot.text) <= MAX_TEXT_CHARS else f"{fit.slot.text[: MAX_TEXT_CHARS - 1]}…"
    return f"turn {fit.slot.turn} ({fit.slot.speaker}: “{words}”)"
