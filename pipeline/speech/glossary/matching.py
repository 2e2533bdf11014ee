"""Finds where a recogniser wrote something else for a term: runs of words that are spelled and sound like it.

A run is compared by its letters (normalized Levenshtein distance) and by its Metaphone code (Philips, Computer Language
7(12), 1990), an outline of how English letters sound. The less sure the recogniser was of words, the less alike they
need to be. Metaphone has no vowels, so ordinary words sound like many a short name (make: Mike); a recogniser writes
those in lower case. People who only might be spoken of are many, and some are called like ordinary words (Will, Rose),
so their names are put in for names alone. The numbers were chosen on the tuning half of `tests.bench.glossary`.
"""

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import jellyfish
from rapidfuzz.distance import Levenshtein

from pipeline.speech.alignment.sentences import ends_sentence
from pipeline.speech.glossary.spelling import (
    find_place,
    has_letters,
    has_possessive,
    is_wide_letter,
    letters_of,
    without_possessive,
)
from pipeline.speech.glossary.terms import split_line
from pipeline.types import Word

MAX_RUN_WORDS: Final = 4
"""Words of the longest run that is compared; where no spaces are written, as many characters as the longest term."""
SOUND_WEIGHT: Final = 0.7
"""Of the Metaphone code against the letters."""
SURE_LIKENESS: Final = 0.85
"""Likeness that words need of which the recogniser was wholly sure, from 0 to 1."""
UNSURE_LIKENESS: Final = 0.7
"""Likeness that words need of which it knew nothing."""
SHORT_SOUND: Final = 5
"""Sounds of a Metaphone code; ordinary words have most of the shorter ones."""
ORDINARY_LIKENESS: Final = 0.945
"""Likeness that an ordinary word needs to a name with a short code, however unsure the recogniser was."""
ORDINARY_RUN_LIKENESS: Final = 0.9
"""Likewise of several ordinary words, which make no sense more often."""
CERTAIN: Final = 0.8
"""Confidence from which words are left alone unless all but spelled like a person: they may be another's name."""
CERTAIN_LIKENESS: Final = 0.965
"""Which they need then, and in German, where every noun has a capital."""
MAX_LENGTH_RATIO: Final = 1.6
"""By which a run may be longer or shorter than the term, in letters."""


_CAPITALISED: Final = frozenset(
    (
        *("i", "id", "ill", "im", "ive"),
        *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
        *("january", "february", "march", "april", "may", "june"),
        *("july", "august", "september", "october", "november", "december"),
    )
)
"""English words with a capital, as `letters_of` gives them, that are no names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Words that stand for a term."""

    first: int
    past: int
    term: str
    likeness: float
    """0 to 1."""


@dataclass(frozen=True, slots=True)
class _Outline:
    """How something is spelled and sounds."""

    letters: str
    sound: str


@dataclass(frozen=True, slots=True)
class _Term:
    """A term in one of the ways in which it sounds."""

    text: str
    outline: _Outline
    possessive: bool
    person: bool


class Glossary:
    """Terms that are looked for in the words of a transcript.

    Args:
        lines: Terms, or terms with how they sound, as in `Siobhan = Shivawn`.
        people: Names of people that might be spoken of; they take the place of names alone.

    """

    def __init__(self, lines: Iterable[str], people: Iterable[str] = ()) -> None:
        given = [(*split_line(line), False) for line in lines] + [(name, name, True) for name in people]
        self._terms = [
            _Term(term, _outline(shape), has_possessive(shape), person)
            for term, sound, person in given
            for shape in dict.fromkeys((term, sound))
        ]
        self._longest = max((len(term.outline.letters) for term in self._terms), default=0)

    def find(self, words: Sequence[Word], language: str = "en", ordinary: Collection[str] = ()) -> list[Match]:
        """List the runs of words that stand for a term and are not spelled like it, without overlaps, in order.

        Args:
            words: Of one turn.
            language: Code of the transcript's language.
            ordinary: Words of the transcript that are written in lower case, as `ordinary_words` lists them.
        """
        found = sorted(
            self._candidates(words, ordinary, language),
            key=lambda match: (-match.likeness, match.first - match.past, match.first),
        )
        taken: set[int] = set()
        chosen: list[Match] = []
        for match in found:
            places = set(range(match.first, match.past))
            if not places & taken:
                taken |= places
                chosen.append(match)
        return sorted(
            (
                match
                for match in chosen
                if not find_place(words[match.first : match.past], match.term, language).shows(match.term)
            ),
            key=lambda match: match.first,
        )

    def _candidates(self, words: Sequence[Word], ordinary: Collection[str], language: str) -> Iterator[Match]:
        for first, past in self._runs(words):
            run = words[first:past]
            text = "".join(word.text for word in run)
            whole, bare = _outline(text), _outline(without_possessive(text))
            is_ordinary = _is_ordinary(run, ordinary)
            needed = _needed_likeness(run)
            ordinarily = max(needed, _ordinary_likeness(run)) if is_ordinary else needed
            # The first word of a sentence has a capital, whatever it is.
            opens = first == 0 or ends_sentence(words[first - 1].text, run[0].text)
            may_be_person = not (is_ordinary or any(letters_of(word.text) in _CAPITALISED for word in run))
            for term in self._terms:
                short = 0 < len(term.outline.sound) < SHORT_SOUND and not term.text.islower()
                least = ordinarily if short else needed
                if term.person:
                    if not may_be_person or term.outline.letters in (whole.letters, bare.letters):
                        continue
                    least = max(least, _person_likeness(run, opens=opens and short, language=language))
                likeness = _likeness(whole if term.possessive else bare, term.outline)
                if likeness >= least:
                    yield Match(first=first, past=past, term=term.text, likeness=likeness)

    def _runs(self, words: Sequence[Word]) -> Iterator[tuple[int, int]]:
        """Yield the first word of each run and the one behind its last; both ends of a run have letters."""
        for first in range(len(words)):
            wide = True
            for past in range(first + 1, len(words) + 1):
                closing = words[past - 1].text
                wide = wide and is_wide_letter(closing)
                if past - first > (max(self._longest, MAX_RUN_WORDS) if wide else MAX_RUN_WORDS):
                    break
                if past - first > 1 and ends_sentence(words[past - 2].text, closing):
                    break
                if has_letters(words[first].text) and has_letters(closing):
                    yield first, past


def ordinary_words(words: Iterable[Word]) -> frozenset[str]:
    """List the letters of those words that are written in lower case, and so are no names."""
    return frozenset(letters_of(word.text) for word in words if word.text.islower())


def _is_ordinary(words: Sequence[Word], ordinary: Collection[str]) -> bool:
    """Tell whether words are all ordinary, also at the start of a sentence, and none may be a name."""
    return all(word.text.islower() or letters_of(word.text) in ordinary for word in words)


def _ordinary_likeness(words: Sequence[Word]) -> float:
    return ORDINARY_LIKENESS if len(words) == 1 else ORDINARY_RUN_LIKENESS


def _person_likeness(words: Sequence[Word], *, opens: bool, language: str) -> float:
    """Return the least that words need to be a person's name, beside what any term needs."""
    if language == "de" or min(word.confidence for word in words) >= CERTAIN:
        return CERTAIN_LIKENESS
    return ORDINARY_LIKENESS if opens else 0.0


def _needed_likeness(words: Sequence[Word]) -> float:
    surest = min(word.confidence for word in words)
    return UNSURE_LIKENESS + (SURE_LIKENESS - UNSURE_LIKENESS) * surest


def _likeness(one: _Outline, other: _Outline) -> float:
    """Compare two outlines; 0 where their lengths differ too much."""
    shorter, longer = sorted((len(one.letters), len(other.letters)))
    if not shorter or longer > MAX_LENGTH_RATIO * shorter:
        return 0.0
    spelled = Levenshtein.normalized_similarity(one.letters, other.letters)
    if not (one.sound and other.sound):
        return spelled
    heard = Levenshtein.normalized_similarity(one.sound, other.sound)
    return SOUND_WEIGHT * heard + (1 - SOUND_WEIGHT) * spelled


def _outline(text: str) -> _Outline:
    letters = letters_of(text)
    plain = unicodedata.normalize("NFKD", letters).encode("ascii", "ignore").decode()
    # Letters of other scripts have no outline of their sound.
    return _Outline(letters, jellyfish.metaphone(plain) if len(plain) == len(letters) else "")
