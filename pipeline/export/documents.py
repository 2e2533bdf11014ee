"""Writers for a plain text, a Markdown page, RTTM and a Praat TextGrid."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final, cast

from pipeline.export.direction import embed_line, end_label, has_right_to_left
from pipeline.export.escaping import clean, escape_markdown
from pipeline.export.source import NO_SPEECH, ExportSource
from pipeline.export.transcripts import rttm_labels
from pipeline.languages import reads_right_to_left
from pipeline.types import Speaker, Transcript, Turn

MIN_INTERVAL_SECONDS: Final = 0.001
"""Seconds; intervals of a TextGrid need a length."""


def write_text(source: ExportSource, path: Path) -> None:
    """Write a plain text, one line for each turn: time, name, what was said."""
    transcript = source.marked
    names = {speaker.id: clean(speaker.name) for speaker in transcript.speakers}
    lines: list[str] = []
    for turn in transcript.turns:
        leftward = reads_right_to_left(turn.text, transcript.language)
        label = end_label(f"[{_format_time(turn.start)}] {names[turn.speaker]}: ", right_to_left=leftward)
        lines.append(embed_line(label + clean(turn.text), right_to_left=leftward))
    path.write_text("\n".join(lines or [NO_SPEECH]) + "\n", encoding="utf-8")


def write_markdown(source: ExportSource, path: Path) -> None:
    """Write a page to read (CommonMark): who speaks for how long, then a paragraph for each turn."""
    transcript = source.marked
    names = {speaker.id: escape_markdown(speaker.name) for speaker in transcript.speakers}
    about = [f"- Language: {escape_markdown(transcript.language)}"] if transcript.language else []
    parts = ["# Transcript", "\n".join([*about, f"- Length: {_format_time(transcript.duration)}"])]
    if transcript.speakers:
        rows = [
            f"- **{names[each.id]}**: {_format_time(_speaking_seconds(transcript, each.id))}"
            for each in transcript.speakers
        ]
        parts += ["## Speakers", "\n".join(rows), "## Turns"]
    for direction, turns in groupby(transcript.turns, lambda turn: _direction(turn, transcript)):
        paragraphs = [
            f"**{names[turn.speaker]}** ({_format_time(turn.start)}–{_format_time(turn.end)})\\\n"  # noqa: RUF001
            + _paragraph_line(turn.text)
            for turn in turns
        ]
        # CommonMark reads what stands between empty lines inside of a block of HTML.
        parts += [f'<div dir="{direction}">', *paragraphs, "</div>"] if direction else paragraphs
    path.write_text("\n\n".join(parts if transcript.turns else [*parts, NO_SPEECH]) + "\n", encoding="utf-8")


def write_rttm(source: ExportSource, path: Path) -> None:
    """Write Rich Transcription Time Marked (NIST RT-09), one SPEAKER line for each segment; overlaps are kept."""
    labels = rttm_labels(source.transcript)
    lines = [
        f"SPEAKER clip 1 {each.start:.3f} {each.end - each.start:.3f} <NA> <NA> {labels[each.speaker]} <NA> <NA>\n"
        for each in source.voices.segments
    ]
    path.write_text("".join(lines), encoding="utf-8")


def write_text_grid(source: ExportSource, path: Path) -> None:
    """Write a Praat TextGrid with a tier of turns and a tier of words for each speaker."""
    from praatio import textgrid as praat  # pyright: ignore[reportMissingTypeStubs]

    transcript = source.transcript
    textgrid = cast("Any", praat)
    tiers: list[tuple[str, list[tuple[float, float, str]]]] = []
    for number, speaker in enumerate(transcript.speakers or (Speaker(id="", name=NO_SPEECH),), 1):
        turns = [turn for turn in transcript.turns if turn.speaker == speaker.id]
        name = f"{number} {clean(speaker.name)}"
        tiers.append((name, _without_overlaps([(turn.start, turn.end, turn.text) for turn in turns])))
        words = [(word.start, word.end, word.text) for turn in turns for word in turn.words]
        tiers.append((f"{name} words", _without_overlaps(words)))
    end = max([transcript.duration, 0.01, *(entries[-1][1] for _, entries in tiers if entries)])
    grid = textgrid.Textgrid(0, end)
    for name, entries in tiers:
        grid.addTier(textgrid.IntervalTier(name, entries, 0, end), reportingMode="silence")
    # A person's word may look like a key of the long form; praatio writes quotes doubled, as Praat wants them.
    grid.save(str(path), format="long_textgrid", includeBlankSpaces=True)


def _without_overlaps(entries: Sequence[tuple[float, float, str]]) -> list[tuple[float, float, str]]:
    """Make intervals that do not overlap and have a length, as a tier demands; none is left out.

    An interval that overlaps the next is cut short; where nothing would be left of it, the next one moves.
    """
    ordered = sorted(((start, end, clean(label)) for start, end, label in entries), key=lambda entry: entry[0])
    placed: list[tuple[float, float, str]] = []
    for index, (start, end, label) in enumerate(ordered):
        if not label:
            continue
        first = round(max(start, 0.0, placed[-1][1] if placed else 0.0), 6)
        limit = ordered[index + 1][0] if index + 1 < len(ordered) else float("inf")
        placed.append((first, round(max(min(end, limit), first + MIN_INTERVAL_SECONDS), 6), label))
    return placed


def _speaking_seconds(transcript: Transcript, speaker: str) -> float:
    return sum(turn.end - turn.start for turn in transcript.turns if turn.speaker == speaker)


def _direction(turn: Turn, transcript: Transcript) -> str:
    """Return the direction of a turn for HTML; empty where no reader could take it for another."""
    if reads_right_to_left(turn.text, transcript.language):
        return "rtl"
    names = {speaker.id: speaker.name for speaker in transcript.speakers}
    return "ltr" if has_right_to_left(names[turn.speaker] + turn.text) else ""


def _paragraph_line(text: str) -> str:
    """Escape a line of a paragraph so that it starts no list, heading or rule."""
    escaped = escape_markdown(text)
    head = escaped.lstrip("0123456789")
    digits = escaped[: len(escaped) - len(head)]
    return f"{digits}\\{head}" if head[:1] in ("-", "+", "=") or (digits and head[:1] in (".", ")")) else escaped


def _format_time(seconds: float) -> str:
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
