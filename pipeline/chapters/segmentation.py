"""Where in a long recording the topic changes.

The borders are those of the segmentation under which the words are the most probable, each segment having words of its
own (Utiyama and Isahara, "A statistical model for domain-independent text segmentation", ACL 2001). A pause and a
change of speaker make a border cheaper.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Final

from pipeline.chapters.contracts import MIN_RECORDING_S
from pipeline.chapters.titles import titles_of
from pipeline.types import Chapter, Transcript, Turn, Word
from pipeline.vocabulary.stop_words import is_stop_term
from pipeline.vocabulary.terms import find_terms

MIN_CHAPTER_S: Final = 60.0
MAX_CUT_UNITS: Final = 240
"""Pieces into which the talk of one person is cut at most."""
MAX_UNITS: Final = 2 * MAX_CUT_UNITS
"""Pieces that are compared, about; the time that is needed grows with their square."""
MIN_UNIT_S: Final = 10.0
USUAL_SHARE: Final = 0.4
"""A word in so many of the pieces, or more, tells nothing of a topic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What a border costs, in nats; tuned on recordings whose topics are known."""

    border: float = 10.0
    """Times the logarithm of the number of all words."""
    pause: float = 2.0
    """What a pause of `LONG_PAUSE_S` makes a border cheaper."""
    speaker: float = 0.5
    """What a change of speaker makes it cheaper."""


LONG_PAUSE_S: Final = 3.0
DEFAULT_WEIGHTS: Final = Weights()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    """A piece of talk within which no border lies."""

    start: float
    end: float
    speaker: str
    text: str
    terms: tuple[str, ...]


def find_chapters(transcript: Transcript, weights: Weights = DEFAULT_WEIGHTS) -> tuple[Chapter, ...]:
    """Return the chapters of a recording, which follow one another without gaps; none for a short one or one topic."""
    if transcript.duration < MIN_RECORDING_S:
        return ()
    units = _telling(_units(transcript))
    if not units:
        return ()
    borders = _cheapest(units, weights)
    if len(borders) < 2:
        return ()
    texts = [" ".join(unit.text for unit in units[first:past]) for first, past in borders]
    starts = [0.0, *(units[first].start for first, _ in borders[1:])]
    ends = [*starts[1:], transcript.duration]
    titles = titles_of(texts, transcript.language)
    return tuple(
        Chapter(start=round(start, 3), end=round(end, 3), title=title)
        for start, end, title in zip(starts, ends, titles, strict=True)
    )


def _units(transcript: Transcript) -> list[_Unit]:
    """Cut turns into pieces of some seconds, in order of time, also where turns overlap."""
    length = max(MIN_UNIT_S, transcript.duration / MAX_CUT_UNITS)
    units = [
        _Unit(
            start=words[0].start,
            end=words[-1].end,
            speaker=turn.speaker,
            text=(text := " ".join(word.text for word in words)),
            terms=tuple(term.text for term in find_terms(text, transcript.language) if _tells(term.text, term.word)),
        )
        for turn in transcript.turns
        for words in _pieces(turn, length)
    ]
    units.sort(key=lambda unit: unit.start)
    return units if len(units) <= MAX_UNITS else _join(units)


def _join(units: Sequence[_Unit]) -> list[_Unit]:
    """Put short pieces together, as a talk of many short turns has them, so that there are few."""
    length = (max(unit.end for unit in units) - units[0].start) / MAX_UNITS
    joined: list[_Unit] = []
    for _, group in groupby(units, lambda unit: (unit.start - units[0].start) // length):
        whole = tuple(group)
        joined.append(
            replace(
                whole[0],
                end=max(unit.end for unit in whole),
                text=" ".join(unit.text for unit in whole),
                terms=tuple(term for unit in whole for term in unit.terms),
            )
        )
    return joined


def _pieces(turn: Turn, length: float) -> list[tuple[Word, ...]]:
    """Cut a turn where pieces of about this length end."""
    pieces: list[tuple[Word, ...]] = []
    first = 0
    for index, word in enumerate(turn.words):
        if word.end - turn.words[first].start >= length:
            pieces.append(turn.words[first : index + 1])
            first = index + 1
    if first < len(turn.words):
        pieces.append(turn.words[first:])
    return pieces


def _tells(term: str, word: str) -> bool:
    return not is_stop_term(term, word) and not word.isdecimal() and len(word) > 1


def _telling(units: Sequence[_Unit]) -> list[_Unit]:
    """Leave out the words that stand in many pieces, as small words of any language do, and those said once."""
    pieces = Counter(term for unit in units for term in set(unit.terms))
    counts = Counter(term for unit in units for term in unit.terms)
    most = max(USUAL_SHARE * len(units), 2.0)
    kept = {term for term, count in pieces.items() if count <= most and counts[term] > 1}
    return [replace(unit, terms=tuple(term for term in unit.terms if term in kept)) for unit in units]


def _cheapest(units: Sequence[_Unit], weights: Weights) -> list[tuple[int, int]]:
    """Return the cheapest segmentation: begin of each segment, and the begin of the next one."""
    words = sum(len(unit.terms) for unit in units)
    kinds = len({term for unit in units for term in unit.terms})
    price = weights.border * math.log(max(words, 2))
    borders = [_border_price(before, after, price, weights) for before, after in pairwise(units)]
    best = [0.0, *(math.inf for _ in units)]
    origin = [0] * (len(units) + 1)
    for first in range(len(units)):
        if best[first] == math.inf:
            continue
        paid = best[first] + (borders[first - 1] if first else 0.0)
        counts: dict[str, int] = {}
        count, known = 0, 0.0
        for past in range(first + 1, len(units) + 1):
            for term in units[past - 1].terms:
                said = counts.get(term, 0)
                counts[term] = said + 1
                count += 1
                known += (said + 1) * math.log(said + 2) - said * math.log(said + 1)
            if not _is_long_enough(units, first, past):
                continue
            cost = paid + count * math.log(count + kinds or 1) - known
            if cost < best[past]:
                best[past], origin[past] = cost, first
    if best[-1] == math.inf:
        return [(0, len(units))]
    return _way_back(origin)


def _way_back(origin: Sequence[int]) -> list[tuple[int, int]]:
    segments: list[tuple[int, int]] = []
    past = len(origin) - 1
    while past > 0:
        segments.append((origin[past], past))
        past = origin[past]
    return segments[::-1]


def _is_long_enough(units: Sequence[_Unit], first: int, past: int) -> bool:
    begin = 0.0 if first == 0 else units[first].start
    end = units[past].start if past < len(units) else units[-1].end
    return end - begin >= MIN_CHAPTER_S


def _border_price(before: _Unit, after: _Unit, price: float, weights: Weights) -> float:
    pause = min(max(after.start - before.end, 0.0) / LONG_PAUSE_S, 1.0)
    return price - weights.pause * pause - (weights.speaker if before.speaker != after.speaker else 0.0)
