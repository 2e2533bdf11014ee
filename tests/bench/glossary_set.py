"""Lines with rare terms, and lines that sound like them, read aloud: what a glossary must mend and must leave alone.

The first half of `glossary_lines.txt` is for tuning, the second for reporting; no voice and no term is in both.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.audio import io as audio_io
from tests.bench import voice_bank

LINES = Path(__file__).with_name("glossary_lines.txt")
PAUSE_SECONDS = 1.2
VOICES_PER_LINE = 2
VOICES = {"tune": voice_bank.TUNE, "held": voice_bank.TEST}
RECOGNISER_RATE = 16_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a half."""

    term: str
    """The term that it has, or sounds like."""
    text: str
    spoken: str
    """What the voice is given to read."""
    sound: str
    """How the term is said, where its letters mislead."""
    has_term: bool


@dataclass(frozen=True, slots=True)
class Said:
    """A line as it stands in a recording."""

    line: Line
    start: float
    end: float


def lines_of(half: str) -> list[Line]:
    """The lines of a half, those with terms first."""
    rows = [row for row in LINES.read_text(encoding="utf-8").splitlines() if row and not row.startswith("#")]
    middle = len(rows) // 2
    chosen = rows[:middle] if half == "tune" else rows[middle:]
    cells = [[cell.strip() for cell in row.split("|")] for row in chosen]
    with_terms = [Line(term, line, line.replace(term, sound or term), sound, True) for term, sound, line, _ in cells]
    return with_terms + [Line(term, line, line, sound, False) for term, sound, _, line in cells]


def glossary_of(*, sounds: bool) -> list[str]:
    """All terms of both halves as lines of a glossary; with how they sound where letters mislead, if wished for."""
    lines = [line for half in VOICES for line in lines_of(half) if line.has_term]
    return [f"{line.term} = {line.sound}" if sounds and line.sound else line.term for line in lines]


def build(half: str, folder: Path, voices: Path) -> list[Said]:
    """Read a half aloud into `HALF.wav`; returns where each line stands in it."""
    voice_bank.fetch(voices)
    reader = voice_bank.Reader(voices)
    said: list[Said] = []
    parts: list[audio_io.Samples] = []
    at = 0.0
    pause = np.zeros((int(PAUSE_SECONDS * voice_bank.RATE), 1), np.float32)
    for number, (line, voice) in enumerate(_readings(half)):
        samples = reader.say(line.spoken, voice)
        parts += [samples / np.abs(samples).max() * 0.5, pause]
        seconds = len(samples) / voice_bank.RATE
        said.append(Said(line, at, at + seconds))
        at += seconds + PAUSE_SECONDS
        if number % 20 == 0:
            print(f"{half}: {number} lines", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    audio_io.write(folder / f"{half}.wav", np.concatenate(parts), voice_bank.RATE)
    return said


def _readings(half: str) -> Iterator[tuple[Line, str]]:
    voices = VOICES[half]
    for number, line in enumerate(lines_of(half)):
        for turn in range(VOICES_PER_LINE):
            yield line, voices[(number * VOICES_PER_LINE + turn) % len(voices)]
