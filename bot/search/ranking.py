"""The best of the lines that have what was asked for, and what of each is shown."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.search.expressions import WORD_MARK
from bot.search.index import Candidate
from bot.search.lines import seconds_of
from bot.search.query import Clause, Query
from pipeline.vocabulary.terms import Term, find_terms

SATURATION: Final = 1.2
"""k1 of BM25: how soon further occurrences count no more."""
LENGTH_WEIGHT: Final = 0.5
"""b of BM25: how much a long line loses."""
USUAL_TERMS: Final = 25
"""Terms of a line of usual length."""
ADJACENCY_WEIGHT: Final = 0.5
"""What two clauses add that stand in a line one after the other, as they were typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A line with the places of what was asked for."""

    line: Candidate
    score: float
    seconds: float
    """When the first of the words is said."""
    spans: tuple[tuple[int, int], ...]
    """Begin and end of the words in the text."""


@dataclass(frozen=True, slots=True)
class _Match:
    """Where the clauses of a query are in a line: by clause, pairs of the first term and the one after the last."""

    terms: Sequence[Term]
    places: Sequence[Sequence[tuple[int, int]]]


def rank(query: Query, candidates: Sequence[Candidate]) -> list[Hit]:
    """Return lines with the best first (BM25 over clauses, more for words in the order asked), newer ones before equal.

    Args:
        query: What was asked for.
        candidates: Lines, newest first.

    """
    matches = [_match(query, line) for line in candidates]
    counts = [sum(bool(match.places[index]) for match in matches) for index in range(len(query.clauses))]
    weights = [math.log(1 + (len(matches) - count + 0.5) / (count + 0.5)) + 0.1 for count in counts]
    hits = [_hit(line, match, weights) for line, match in zip(candidates, matches, strict=True) if any(match.places)]
    return sorted(hits, key=lambda hit: -hit.score)


def _match(query: Query, line: Candidate) -> _Match:
    terms = find_terms(line.text, line.language)
    return _Match(terms, [_places(clause, terms) for clause in query.clauses])


def _places(clause: Clause, terms: Sequence[Term]) -> list[tuple[int, int]]:
    return [
        (at, at + len(variant))
        for at in range(len(terms))
        for variant in clause.variants
        if _stands_at(variant, terms, at, prefix=clause.prefix)
    ]


def _stands_at(variant: Sequence[str], terms: Sequence[Term], at: int, *, prefix: bool) -> bool:
    if at + len(variant) > len(terms):
        return False
    *before, last = variant
    if any(terms[at + index].text != text for index, text in enumerate(before)):
        return False
    found = terms[at + len(before)]
    if not prefix:
        return found.text == last
    return found.text.startswith(last) or (not before and found.word.startswith(last.removeprefix(WORD_MARK)))


def _hit(line: Candidate, match: _Match, weights: Sequence[float]) -> Hit:
    norm = SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * len(match.terms) / USUAL_TERMS)
    score = 0.0
    for places, weight in zip(match.places, weights, strict=True):
        score += weight * len(places) * (SATURATION + 1) / (len(places) + norm)
    for first, second in zip(match.places, match.places[1:], strict=False):
        if {end for _, end in first} & {start for start, _ in second}:
            score += ADJACENCY_WEIGHT * min(weights)
    found = sorted({place for places in match.places for place in places})
    spans = tuple((match.terms[start].start, match.terms[end - 1].end) for start, end in found)
    return Hit(line=line, score=score, seconds=seconds_of(line.start, line.starts, found[0][0]), spans=spans)
