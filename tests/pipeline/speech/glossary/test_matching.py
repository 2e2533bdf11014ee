"""Which words stand for a term, and which must stay."""

import pytest

from pipeline.speech.glossary.matching import Glossary, join
from pipeline.types import Word


def words(text: str, confidence: float = 0.5) -> list[Word]:
    return [
        Word(start=float(number), end=number + 0.9, text=word, confidence=confidence)
        for number, word in enumerate(text.split())
    ]


def found(lines: list[str], text: str, confidence: float = 0.5) -> list[tuple[str, str]]:
    said = words(text, confidence)
    return [(join(said[match.first : match.past]), match.term) for match in Glossary(lines).find(said)]


@pytest.mark.parametrize(
    ("lines", "said", "expected"),
    [
        (["Quasar"], "The quays are release is late.", [("quays are", "Quasar")]),
        (["Tobermory"], "We filmed at Tobamory.", [("Tobamory", "Tobermory")]),
        (["Siobhan = Shivawn"], "Shivon will send it.", [("Shivon", "Siobhan")]),
        (["Nginx = Engine X"], "Engine X returned an error.", [("Engine X", "Nginx")]),
        (["Grafana"], "open grafana now", [("grafana", "Grafana")]),
        (["Grafana"], "open Grafana, now", []),
        (["Kubernetes"], "The Cuban eateries were upgraded.", []),
        (["Siobhan = Shivawn"], "She won't send it.", []),
        (["Xanthe = Zanthee"], "It was said. The end", []),
        (["Zürich"], "in zurich and Zürich", [("zurich", "Zürich")]),
        (["日本橋"], "日本橋 and more", []),
        ([], "nothing to find", []),
    ],
)
def test_what_sounds_like_a_term_is_found(lines: list[str], said: str, expected: list[tuple[str, str]]) -> None:
    assert found(lines, said) == expected


def test_words_that_were_heard_surely_need_to_be_more_alike() -> None:
    assert found(["Postgres"], "Poskers ran out.", 0.1) == [("Poskers", "Postgres")]
    assert found(["Lumen"], "The human team", 1.0) == []


def test_the_most_alike_of_overlapping_runs_is_taken() -> None:
    assert found(["Grafana", "Grafana Cloud"], "open grafana cloud now") == [("grafana cloud", "Grafana Cloud")]
