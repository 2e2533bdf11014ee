"""What a glossary mends: terms that are written right, and word errors, before and after.

    .venv/bin/python -m tests.bench.glossary [--half tune|held]

Reads `glossary_lines.txt` aloud (`glossary_set`), transcribes it with `stemcord run`, and applies the glossary of all
forty terms to the transcript: as written, as names of people, and with how they sound where letters mislead. The lines
that only sound like a term must stay as they are. What was read and recognised is kept in the folder, so a second run
takes a second.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import jiwer
import msgspec
import platformdirs
from rich.console import Console
from rich.table import Table

from pipeline.speech.glossary.matching import Glossary, Match, ordinary_words
from pipeline.types import Transcript, Word
from tests.bench.glossary_set import PAUSE_SECONDS, Said, build, glossary_of

CACHE = platformdirs.user_cache_path("stemcord")


def transcribe(half: str, folder: Path, voices: Path) -> tuple[list[Said], list[Word]]:
    """The lines as they were read, and the words that were recognised."""
    truth, out = folder / f"{half}.json", folder / half
    if not truth.exists():
        truth.write_bytes(msgspec.json.encode(build(half, folder, voices)))
    if not (out / "transcript.json").exists():
        command = [str(Path(sys.executable).with_name("stemcord")), "run", str(folder / f"{half}.wav")]
        subprocess.run([*command, "--task", "transcribe", "--language", "en", "--out", str(out)], check=True)
    transcript = msgspec.json.decode((out / "transcript.json").read_bytes(), type=Transcript)
    words = sorted((word for turn in transcript.turns for word in turn.words), key=lambda word: word.start)
    return msgspec.json.decode(truth.read_bytes(), type=list[Said]), words


def words_of(said: Said, words: Sequence[Word]) -> list[Word]:
    """The words that were recognised in a line."""
    margin = PAUSE_SECONDS / 2
    return [word for word in words if said.start - margin <= (word.start + word.end) / 2 < said.end + margin]


def replaced(words: Sequence[Word], matches: Sequence[Match]) -> str:
    """The words as text, with the terms in their places."""
    texts, at = list[str](), 0
    for match in matches:
        texts += [word.text for word in words[at : match.first]]
        texts.append(match.term)
        at = match.past
    return " ".join([*texts, *(word.text for word in words[at:])])


def plain(text: str) -> str:
    """A text without case and punctuation, as word errors are counted."""
    return " ".join("".join(sign for sign in word.casefold() if sign.isalnum() or sign == "'") for word in text.split())


def judge(said: Sequence[Said], words: Sequence[Word], glossary: Glossary) -> list[str]:
    """A row: terms written right, word errors of the lines with terms, lines without a term that were changed."""
    right = changed = 0
    truths, texts = list[str](), list[str]()
    ordinary = ordinary_words(words)
    for each in said:
        heard = words_of(each, words)
        text = replaced(heard, glossary.find(heard, ordinary=ordinary))
        if each.line.has_term:
            right += each.line.term.casefold() in text.casefold()
        else:
            changed += text != replaced(heard, [])
        if heard:
            truths.append(plain(each.line.text))
            texts.append(plain(text))
    terms = sum(each.line.has_term for each in said)
    wer = jiwer.wer(truths, texts)
    return [
        f"{right} of {terms} ({100 * right / terms:.0f} %)",
        f"{100 * wer:.1f} %",
        f"{changed} of {len(said) - terms}",
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=("tune", "held"), default="held")
    parser.add_argument("--folder", type=Path, default=CACHE / "bench-glossary")
    parser.add_argument("--voices", type=Path, default=CACHE / "bench-voices")
    asked = parser.parse_args()
    said, words = transcribe(asked.half, asked.folder, asked.voices)
    table = Table(
        "glossary", "terms written right", "word errors", "changed without a term", title=asked.half, box=None
    )
    table.add_row("none", *judge(said, words, Glossary(())))
    table.add_row("terms as written", *judge(said, words, Glossary(glossary_of(sounds=False))))
    table.add_row("as names of people", *judge(said, words, Glossary((), glossary_of(sounds=False))))
    table.add_row("with how some sound", *judge(said, words, Glossary(glossary_of(sounds=True))))
    Console().print(table)


if __name__ == "__main__":
    main()
