"""The best of the lines that have what was asked for, and what of each is shown."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

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
    begins: dict[str, list[int]] = {}
    for at, term in enumerate(terms):
        begins.setdefault(term.text, []).append(at)
    return _Match(terms, [_places(clause, terms, begins) for clause in query.clauses])


def _places(clause: Clause, terms: Sequence[Term], begins: Mapping[str, Sequence[int]]) -> list[tuple[int, int]]:
    found: set[tuple[int, int]] = set()
    for variant in clause.variants:
        *before, last = variant
        if not before and clause.prefix:
            found |= {
                (at, at + 1)
                for at, term in enumerate(terms)
                if term.text.startswith(last) or term.word.startswith(last)
            }
            continue
        for at in begins.get(variant[0], ()):
            stands = [term.text for term in terms[at : at + len(variant)]]
            if stands == list(variant) or (clause.prefix and stands[:-1] == before and stands[-1].startswith(last)):
                found.add((at, at + len(variant)))
    return sorted(found)


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
