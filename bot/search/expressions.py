"""Queries in the words of FTS5 and of PostgreSQL.

A term has letters, digits and marks only, so that nothing in it is an operator of either; that is checked once more.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from bot.search.query import Clause, Query
from pipeline.vocabulary.terms import Term

WORD_MARK: Final = "ʷ"
"""Before a whole word that is indexed beside its stem, for beginnings."""
GUILD_MARK: Final = "ᵍ"
"""Before the id of the server, of which each line of the index has one."""
PERSON_MARK: Final = "ᵖ"
"""Before the id of a person, in place of a server's: a line of a private chat."""
_MARKS: Final = frozenset((WORD_MARK, GUILD_MARK, PERSON_MARK))


def scope_term(guild_id: str, user_id: str) -> str:
    """Return the term that all lines of a server have, or of a person's private chats where there is no server."""
    return f"{GUILD_MARK}{int(guild_id)}" if guild_id else f"{PERSON_MARK}{int(user_id)}"


def indexed_terms(scope: str, terms: Iterable[Term]) -> list[str]:
    """Return what is indexed of a line, each at its place: the scope, the terms, and whole words for beginnings."""
    listed = list(terms)
    words = dict.fromkeys(f"{WORD_MARK}{term.word}" for term in listed if term.word != term.text)
    return [scope, *(term.text for term in listed), *words]


def fts5_document(terms: Sequence[str]) -> str:
    """Return terms as the text of a row of FTS5, whose tokenizer `ascii` parts them at spaces alone."""
    return " ".join(map(_checked, terms))


def tsvector(terms: Sequence[str]) -> str:
    """Return terms as the text of a `tsvector` with their places."""
    places: dict[str, list[int]] = {}
    for place, term in enumerate(terms, 1):
        places.setdefault(_checked(term), []).append(place)
    return " ".join(f"'{term}':{','.join(map(str, found))}" for term, found in places.items())


def fts5_query(scope: str, query: Query, *, every: bool) -> str:
    """Return a query for FTS5: lines of a scope with every clause, or with one at least and all that are quoted."""
    clauses = [f"({' OR '.join(_fts5_variants(clause))})" for clause in query.clauses]
    return f'"{_checked(scope)}" AND ({_join(query, clauses, (" AND ", " OR "), every=every)})'


def tsquery(query: Query, *, every: bool) -> str:
    """Return the same for PostgreSQL, of whatever scope: it would read the places of a term that all lines have."""
    clauses = [f"({' | '.join(_ts_variants(clause))})" for clause in query.clauses]
    return _join(query, clauses, (" & ", " | "), every=every)


def _join(query: Query, clauses: list[str], signs: tuple[str, str], *, every: bool) -> str:
    both, either = signs
    if every:
        return both.join(clauses)
    quoted = [text for text, clause in zip(clauses, query.clauses, strict=True) if clause.quoted]
    return both.join(quoted) if quoted else either.join(clauses)


def _fts5_variants(clause: Clause) -> list[str]:
    star = " *" if clause.prefix else ""
    return [f'"{" ".join(map(_checked, variant))}"{star}' for variant in _with_words(clause)]


def _ts_variants(clause: Clause) -> list[str]:
    star = ":*" if clause.prefix else ""
    return [
        "(" + " <-> ".join(f"'{_checked(term)}'" for term in variant) + f"{star})" for variant in _with_words(clause)
    ]


def _with_words(clause: Clause) -> list[tuple[str, ...]]:
    """Return the sequences of a clause; a beginning alone is looked for among whole words too."""
    words = [(f"{WORD_MARK}{variant[0]}",) for variant in clause.variants if clause.prefix and len(variant) == 1]
    return [*clause.variants, *dict.fromkeys(words)]


def _checked(term: str) -> str:
    body = term[1:] if term[:1] in _MARKS else term
    if not body or not all(unicodedata.category(sign)[0] in "LNM" for sign in body):
        raise ValueError("a term of the index is no word")
    return term
