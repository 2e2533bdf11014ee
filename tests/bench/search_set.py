"""Transcripts made by chance of a seed for the bench of the search, and the judged lines."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from bot.search.index import Document
from bot.search.lines import lines_of
from pipeline.types import Speaker, Transcript, Turn, Word

DATA = Path(__file__).parents[1] / "data" / "search"
GUILD, CHANNELS, PEOPLE = "100", 20, 30
SECONDS, WORDS_PER_S = 600.0, 2.5
VOCABULARY = 30_000
"""Words; the share of each is as its rank demands (Zipf)."""
LETTERS = 3000
COMMON = [
    "the",
    "and",
    "to",
    "of",
    "a",
    "in",
    "that",
    "is",
    "it",
    "you",
    "we",
    "for",
    "on",
    "this",
    "so",
    "have",
    "not",
    "but",
    "what",
    "they",
    "be",
    "at",
    "are",
    "with",
    "as",
    "can",
    "was",
    "do",
    "if",
    "there",
]
SYLLABLES = ("ba", "ke", "lo", "mi", "nu", "ra", "so", "ti", "ve", "zan", "per", "gol")
CHINESE_SHARE = 5
"""One transcript of so many is Chinese."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Lines, and for each query the lines that answer it."""

    language: str
    lines: tuple[str, ...]
    queries: tuple[tuple[str, frozenset[int]], ...]


def judged(language: str, name: str) -> Judged:
    """The judged lines of a file of `tests/data/search`."""
    lines: list[str] = []
    queries: list[tuple[str, frozenset[int]]] = []
    for row in (DATA / name).read_text(encoding="utf-8").splitlines():
        if row.startswith("? "):
            query, _, numbers = row[2:].rpartition(" : ")
            queries.append((query, frozenset(map(int, numbers.split()))))
        elif not row.startswith("#"):
            number, _, text = row.partition(" ")
            assert int(number) == len(lines) + 1
            lines.append(text)
    return Judged(language, tuple(lines), tuple(queries))


class Talk:
    """Words and transcripts by chance of a seed."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        made = {self._word() for _ in range(VOCABULARY * 2)} - set(COMMON)
        self.words = [*COMMON, *sorted(made)[: VOCABULARY - len(COMMON)]]
        tail = self.words[len(COMMON) :]
        self._chance.shuffle(tail)
        self.words[len(COMMON) :] = tail
        self._weights = list(accumulate(1 / (rank + 2) for rank in range(len(self.words))))
        self.letters = [chr(0x4E00 + index) for index in self._chance.sample(range(0x5000), LETTERS)]
        self._letter_weights = list(accumulate(1 / (rank + 20) for rank in range(LETTERS)))

    def _word(self) -> str:
        syllables = self._chance.choices(SYLLABLES, k=3)
        return "".join(syllables[: self._chance.choice((2, 3, 3))]) + self._chance.choice(("", "s", "ed", "ing", "er"))

    def transcripts(self, count: int) -> Iterator[Document]:
        """Transcripts of ten minutes, each of two to four speakers."""
        for number in range(count):
            language = "zh" if number % CHINESE_SHARE == 0 else "en"
            yield Document(
                job_id=f"{number:032x}",
                guild_id=GUILD,
                channel_id=str(1000 + number % CHANNELS),
                user_id=str(1 + number % PEOPLE),
                language=language,
                revision=0,
                created=1_700_000_000.0 + number * 60,
                lines=tuple(lines_of(self._transcript(language), {})),
            )

    def _transcript(self, language: str) -> Transcript:
        speakers = tuple(Speaker(id=f"s{n}", name=f"Member {self._chance.randrange(PEOPLE)}") for n in range(3))
        turns: list[Turn] = []
        at = 0.0
        while at < SECONDS:
            count = self._chance.randrange(5, 36)
            texts = self.said(language, count)
            words = tuple(
                Word(start=at + n / WORDS_PER_S, end=at + (n + 1) / WORDS_PER_S, text=text, confidence=1.0)
                for n, text in enumerate(texts)
            )
            end = at + count / WORDS_PER_S
            text = ("" if language == "zh" else " ").join(texts)
            speaker = self._chance.choice(speakers).id
            turns.append(Turn(start=at, end=end, speaker=speaker, text=text, overlap=False, words=words))
            at = end
        return Transcript(language=language, duration=at, speakers=speakers, turns=tuple(turns))

    def said(self, language: str, count: int) -> list[str]:
        """Words one after the other; of Chinese, of one to three letters."""
        if language == "en":
            return self._chance.choices(self.words, cum_weights=self._weights, k=count)
        letters = self._chance.choices(self.letters, cum_weights=self._letter_weights, k=count * 2)
        return ["".join(letters[2 * n : 2 * n + self._chance.choice((1, 2, 2))]) for n in range(count)]

    def queries(self, count: int) -> list[str]:
        """What people might ask: one to three words, common and rare, phrases, beginnings, and letters."""
        rare, telling = self.words[2000:], self.words[len(COMMON) : 2000]
        pick = self._chance.choice
        kinds = (
            lambda: pick(telling),
            lambda: pick(rare),
            lambda: f"{pick(telling)} {pick(telling)}",
            lambda: f"{pick(telling)} {pick(rare)}",
            lambda: f"the {pick(telling)} of {pick(telling)} {pick(rare)}",
            lambda: f'"{" ".join(self.said("en", 2))}"',
            lambda: f"{pick(telling)[:4]}*",
            lambda: "".join(self.said("zh", 1)),
            lambda: "".join(self.said("zh", 3)),
            lambda: " ".join(self.words[len(COMMON) + n] for n in range(2)),
        )
        return [kinds[number % len(kinds)]() for number in range(count)]
