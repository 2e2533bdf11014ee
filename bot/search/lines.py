"""Lines of a transcript as they are indexed: turns, long ones in pieces, with the time of each term."""

import array
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pipeline.types import Transcript, Turn, Word
from pipeline.vocabulary.terms import Term, find_terms

MAX_LINE_CHARS: Final = 600
"""A longer turn becomes several lines; a phrase across their border is not found."""
TICKS_PER_S: Final = 10
"""Times of terms are kept in tenths of a second after the begin of their line."""
MAX_TICKS: Final = 0xFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line to index."""

    speaker: str
    """Name of the speaker."""
    start: float
    """Seconds, of the first word."""
    text: str
    terms: tuple[Term, ...]
    starts: bytes
    """When each term begins; read it with `seconds_of`."""
    user_id: str = ""
    """Who the speaker is; empty: nobody of whom Discord knows."""


def lines_of(
    transcript: Transcript, names: Mapping[str, str], people: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Line]:
    """Cut a transcript into lines.

    Args:
        transcript: The transcript.
        names: What speakers are called, by id, where it is not as in the transcript.
        people: Who they are, as far as that is known.

    """
    called = {speaker.id: names.get(speaker.id) or speaker.name for speaker in transcript.speakers}
    for turn in transcript.turns:
        for text, words in _pieces(turn):
            start = words[0].start if words else turn.start
            terms = tuple(find_terms(text, transcript.language))
            starts = _pack(terms, _word_starts(text, words), start)
            speaker, person = called.get(turn.speaker, "")[:100], people.get(turn.speaker, "")
            yield Line(speaker=speaker, start=start, text=text, terms=terms, starts=starts, user_id=person)


def seconds_of(start: float, starts: bytes, term: int) -> float:
    """Return when a term of a line begins, in seconds.

    Args:
        start: Begin of the line.
        starts: As kept with the line.
        term: Number of the term, from 0.

    """
    at = int.from_bytes(starts[2 * term : 2 * term + 2], "little")
    return start + at / TICKS_PER_S


def _pieces(turn: Turn) -> Iterator[tuple[str, Sequence[Word]]]:
    """Yield the text of a turn with its words, in pieces of some length."""
    if len(turn.text) <= MAX_LINE_CHARS:
        yield turn.text, turn.words
        return
    begin = place = first = 0
    for index, word in enumerate(turn.words):
        found = turn.text.find(word.text, place)
        if found < 0:
            continue
        if found + len(word.text) - begin > MAX_LINE_CHARS and index > first:
            yield turn.text[begin:found].strip(), turn.words[first:index]
            begin, first = found, index
        place = found + len(word.text)
    for cut in range(begin, len(turn.text), 2 * MAX_LINE_CHARS):
        # More than one only where the words are not those of the text.
        yield turn.text[cut : cut + 2 * MAX_LINE_CHARS].strip(), turn.words[first:]


def _word_starts(text: str, words: Sequence[Word]) -> list[tuple[int, float]]:
    """Return where in a text its words begin, and when."""
    places: list[tuple[int, float]] = []
    place = 0
    for word in words:
        found = text.find(word.text, place)
        if found >= 0:
            places.append((found, word.start))
            place = found + len(word.text)
    return places


def _pack(terms: Sequence[Term], places: Sequence[tuple[int, float]], start: float) -> bytes:
    ticks = array.array("H")
    index = 0
    for term in terms:
        while index + 1 < len(places) and places[index + 1][0] <= term.start:
            index += 1
        seconds = places[index][1] - start if places else 0.0
        ticks.append(min(max(int(seconds * TICKS_PER_S), 0), MAX_TICKS))
    if sys.byteorder == "big":
        ticks.byteswap()
    return ticks.tobytes()
