"""What people type: every text gives a query that both databases read, or a plain refusal."""

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.exceptions import RefusedError
from bot.search.expressions import fts5_query, indexed_terms, scope_term, tsquery, tsvector
from bot.search.query import MAX_QUERY_CHARS, read_query
from pipeline.vocabulary.terms import find_terms

pytestmark = pytest.mark.unit
SCOPE = scope_term("12", "")


NO_WORDS = ("", "   ", "\0\x01\x1f", "...!!! ?", '"', '""', "*", "-", "( )", "“”", "\u200b\u202e")
SIGNS = st.one_of(st.characters(), st.sampled_from("\"*-()'&|!<>:^ \\ab机ᵍʷ"))


@pytest.mark.parametrize("typed", NO_WORDS)
def test_without_a_word_it_is_refused(typed: str) -> None:
    with pytest.raises(RefusedError, match="no word"):
        read_query(typed, ["en"])


@pytest.mark.parametrize("typed", ["x" * 10_000, " ".join(f"word{n}" for n in range(25)), "字" * 201])
def test_too_much_is_refused(typed: str) -> None:
    with pytest.raises(RefusedError, match="too much"):
        read_query(typed, ["en"])


def test_a_long_sentence_without_spaces_is_not_too_much() -> None:
    sentence = "".join(chr(0x4E00 + 7 * number) for number in range(MAX_QUERY_CHARS))
    query = read_query(sentence, ["zh", "en"])
    assert len(query.clauses) > MAX_QUERY_CHARS / 2
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE VIRTUAL TABLE t USING fts5(terms, tokenize='ascii')")
        terms = indexed_terms(SCOPE, find_terms(sentence, "zh"))
        connection.execute("INSERT INTO t VALUES (?)", [" ".join(terms)])
        for every in (True, False):
            expression = fts5_query(SCOPE, query, every=every)
            assert connection.execute("SELECT 1 FROM t WHERE t MATCH ?", [expression]).fetchall() == [(1,)]


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("NEAR(budget, 2)", '"ᵍ12" AND (("near budget") AND ("2"))'),
        ("budget AND NOT rent", '"ᵍ12" AND (("budget") AND ("rent"))'),
        ("-budget", '"ᵍ12" AND (("budget"))'),
        ("terms:budget", '"ᵍ12" AND (("term budget"))'),
        ("ᵍ13 budget", '"ᵍ12" AND (("g13") AND ("budget"))'),
        ('budget" OR 1', '"ᵍ12" AND (("budget") AND ("1"))'),
        ("b*", '"ᵍ12" AND (("b"))'),
        ("to be", '"ᵍ12" AND (("to") AND ("be"))'),
    ],
)
def test_operators_are_words(typed: str, query: str) -> None:
    found = fts5_query(SCOPE, read_query(typed, ["en"]), every=True)
    assert found == query


@given(st.text(alphabet=SIGNS, max_size=MAX_QUERY_CHARS))
def test_any_text_is_read_by_fts5_and_cannot_leave_its_scope(typed: str) -> None:
    try:
        query = read_query(typed, ["en", "zh", "fr"])
    except RefusedError:
        return
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE VIRTUAL TABLE t USING fts5(terms, tokenize='ascii')")
        terms = indexed_terms(scope_term("13", ""), find_terms(typed, "en"))
        connection.execute("INSERT INTO t VALUES (?)", [" ".join(terms)])
        for every in (True, False):
            tsquery(query, every=every)
            found = connection.execute("SELECT 1 FROM t WHERE t MATCH ?", [fts5_query(SCOPE, query, every=every)])
            assert found.fetchall() == []
    connection.close()


def test_a_vector_has_the_places_of_its_terms() -> None:
    terms = indexed_terms(SCOPE, find_terms("Running budgets run", "en"))
    assert tsvector(terms) == "'ᵍ12':1 'run':2,4 'budget':3 'ʷrunning':5 'ʷbudgets':6"
