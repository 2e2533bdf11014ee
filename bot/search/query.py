"""What somebody looks for, read from what they typed: words, phrases in quotation marks, and beginnings (`word*`).

Nothing of the text reaches a database but terms: letters, digits and the marks on them.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from bot.exceptions import RefusedError
from pipeline.characters import is_invisible
from pipeline.vocabulary.stemming import fold, stem_language
from pipeline.vocabulary.stop_words import is_stop_term
from pipeline.vocabulary.terms import Term, find_terms, is_unspaced

MAX_QUERY_CHARS: Final = 200
MAX_CLAUSES: Final = 24
"""Words and phrases; pairs of letters, of which a sentence without spaces has many, are bounded by the characters."""
MIN_PREFIX_CHARS: Final = 2
"""Of a beginning of a spaced word."""
_QUOTES: Final = str.maketrans(dict.fromkeys("“”„‟«»「」『』＂〝〞", '"'))  # noqa: RUF001 - as people type them
_STARS: Final = str.maketrans({"＊": "*"})  # noqa: RUF001
_QUOTED: Final = re.compile(r'"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Clause:
    """What a line must have: one of some sequences of terms."""

    variants: tuple[tuple[str, ...], ...]
    """Each by the rules of another language."""
    prefix: bool = False
    """The last term of a sequence, or the word that it is the stem of, need only begin so."""
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Clauses, all of which a line should have."""

    clauses: tuple[Clause, ...]


def read_query(text: str, languages: Iterable[str]) -> Query:
    """Read what somebody typed.

    Args:
        text: The text.
        languages: Codes of the languages of the transcripts; words are cut by the rules of each.

    Raises:
        RefusedError: There is no word in it, or too much.

    """
    if len(text) > MAX_QUERY_CHARS:
        raise RefusedError("find-long", "find-long-hint", limit=MAX_QUERY_CHARS)
    cleaned = "".join(" " if is_invisible(sign) else sign for sign in text)
    typed = cleaned.translate(_QUOTES).translate(_STARS)
    # Two languages with the same rules give the same terms.
    rules = sorted({stem_language(language) for language in languages}) or ["en"]
    phrases: list[Clause] = [clause for found in _QUOTED.finditer(typed) if (clause := _phrase(found[1], rules))]
    loose = _QUOTED.sub(" ", typed).replace('"', " ").split()
    words = [clause for chunk in loose for clause in _read_chunk(chunk, rules)]
    telling = [clause for clause in words if not _is_stop_clause(clause)]
    asked: list[Clause] = [*phrases, *(telling or ([] if phrases else words))]
    clauses = tuple(dict.fromkeys(asked))
    if not clauses:
        raise RefusedError("find-empty", "find-empty-hint")
    if sum(clause.quoted or not is_unspaced(clause.variants[0][0]) for clause in clauses) > MAX_CLAUSES:
        raise RefusedError("find-long", "find-long-hint", limit=MAX_QUERY_CHARS)
    return Query(clauses)


def _read_chunk(chunk: str, rules: list[str]) -> Iterator[Clause]:
    """Read what stands between two spaces: a beginning, letters without spaces, or words that belong together."""
    terms = find_terms(chunk, rules[0])
    if not terms:
        return
    last = terms[-1]
    if chunk.endswith("*") and (is_unspaced(last.text) or len(last.word) >= MIN_PREFIX_CHARS):
        yield _prefix(chunk, rules)
    elif all(is_unspaced(term.text) for term in terms):
        yield from _pairs(terms)
    elif (clause := _phrase(chunk, rules, quoted=False)) is not None:
        yield clause


def _phrase(text: str, rules: list[str], *, quoted: bool = True) -> Clause | None:
    variants = tuple(dict.fromkeys(_sequence(find_terms(text, each)) for each in rules))
    found = tuple(variant for variant in variants if variant)
    ends_in_letter = bool(found) and is_unspaced(found[0][-1]) and len(found[0][-1]) == 1
    return Clause(found, prefix=ends_in_letter, quoted=quoted) if found else None


def _prefix(chunk: str, rules: list[str]) -> Clause:
    """Read a beginning: the terms before it by each language, and the last word as it is typed."""
    variants: list[tuple[str, ...]] = []
    for each in rules:
        terms = find_terms(chunk, each)
        last = terms[-1]
        sequence = _sequence(terms) if is_unspaced(last.text) else tuple(term.text for term in terms)
        variants.append((*sequence[:-1], sequence[-1] if is_unspaced(last.text) else fold(last.word)))
    return Clause(tuple(dict.fromkeys(variants)), prefix=True)


def _sequence(terms: list[Term]) -> tuple[str, ...]:
    """Return the texts of terms; without the last letter alone, after which a longer text may go on."""
    texts = [term.text for term in terms]
    if len(terms) > 1 and is_unspaced(texts[-1]) and len(texts[-1]) == 1 and terms[-2].end == terms[-1].end:
        texts.pop()
    return tuple(texts)


def _pairs(terms: list[Term]) -> Iterator[Clause]:
    """Read letters without spaces: their pairs, which need not stand together; a letter alone begins one."""
    for text in _sequence(terms):
        yield Clause(((text,),), prefix=len(text) == 1)


def _is_stop_clause(clause: Clause) -> bool:
    return not clause.prefix and all(
        len(variant) == 1 and is_stop_term(variant[0], variant[0]) for variant in clause.variants
    )
