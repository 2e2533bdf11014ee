"""Sentences whose borders of words are known, as examples for the network that finds them.

    .venv/bin/python -m tests.bench.border_set

Kokoro's voices (`voice_bank`) say the lines on which things are tuned, in English, Italian, Spanish and French, and
those of the quick exchanges to tune on; no voice or line that is held out is among them. An example is the border of
two words that follow each other, with the sound around it and a guess of the border that is off as the recogniser's
attention is.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.audio import io as audio_io
from tests.bench import speech_exchanges, voice_bank
from tests.bench.speech_set import cache
from tests.bench.voice_bank import TimedWord, Utterance

VOICES: Final = (*voice_bank.TUNE, *voice_bank.TEST, *voice_bank.FRESH)
LINES_OF_VOICE: Final = 12
LANGUAGES: Final = ("it", "es", "fr")
LANGUAGE_SHARE: Final = 0.25
"""Of the lines of a voice that are not English."""
MAX_GAP_SECONDS: Final = 0.3
"""Between two words that follow each other."""
RATE: Final = 16_000
REPLIES: Final = Path(__file__).with_name("speech_replies.txt")
LANGUAGE_LINES: Final = Path(__file__).with_name("speech_language_lines.txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Border:
    """Two words that follow each other; times in seconds of their line."""

    before: TimedWord
    after: TimedWord


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a voice."""

    voice: str
    samples: NDArray[np.float32]
    """At 16 kHz, shape (frames,)."""
    borders: tuple[Border, ...]


def lines() -> Iterator[Line]:
    """Read all lines; those that have not been said yet are said first, about one in a second."""
    folder = cache() / "bench-voices"
    voice_bank.fetch(folder)
    reader: voice_bank.Reader | None = None
    for voice in VOICES:
        for text, language in choose_lines(voice):
            path = folder / "borders" / f"{voice}-{language}-{zlib.crc32(text.encode()):08x}.wav"
            if not path.with_suffix(".words.json").exists():
                reader = reader or voice_bank.Reader(folder)
                try:
                    voice_bank.save(reader.read(text, voice, language), path)
                except SystemExit:
                    # espeak-ng speaks two words of it as one, so that their border is not known.
                    continue
            yield _to_line(voice_bank.restore(path, voice, text, language))
    for said in speech_exchanges.bank(folder, "tune").values():
        yield from map(_to_line, said)


def choose_lines(voice: str) -> list[tuple[str, str]]:
    """Choose the lines that a voice says, with their languages."""
    chance = np.random.default_rng([13, VOICES.index(voice)])
    english = [*voice_bank.LINES.read_text(encoding="utf-8").splitlines(), *_part(REPLIES, "tune: statements")]
    others = [(text, language) for language in LANGUAGES for text in _part(LANGUAGE_LINES, f"tune: {language}")]
    foreign = round(LANGUAGE_SHARE * LINES_OF_VOICE)
    chosen = [(english[place], "en") for place in chance.permutation(len(english))[: LINES_OF_VOICE - foreign]]
    return chosen + [others[place] for place in chance.permutation(len(others))[:foreign]]


def _part(path: Path, heading: str) -> Sequence[str]:
    _, _, rest = path.read_text(encoding="utf-8").partition(f"# {heading}\n")
    return [line for line in rest.partition("#")[0].splitlines() if line.strip()]


def _to_line(said: Utterance) -> Line:
    samples = audio_io.resample(said.samples, voice_bank.RATE, RATE)[:, 0]
    borders = tuple(
        Border(before=before, after=after)
        for before, after in pairwise(said.words)
        if before.exact and after.exact and after.start - before.end <= MAX_GAP_SECONDS
    )
    return Line(voice=said.voice, samples=samples, borders=borders)


def main() -> None:
    """Entry point."""
    said = list(lines())
    print(f"{len(said)} lines, {sum(len(line.borders) for line in said)} borders")


if __name__ == "__main__":
    main()
