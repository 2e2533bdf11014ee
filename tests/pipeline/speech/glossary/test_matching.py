"""Which words stand for a term, and which must stay."""

import pytest

from pipeline.speech.glossary.matching import Glossary, ordinary_words
from pipeline.speech.glossary.spelling import find_place
from pipeline.types import Word


def words(text: str, confidence: float = 0.5) -> list[Word]:
    return [
        Word(start=float(number), end=number + 0.9, text=word, confidence=confidence)
        for number, word in enumerate(text.split())
    ]


def found(lines: list[str], text: str, confidence: float = 0.5, language: str = "en") -> list[tuple[str, str]]:
    said = words(text, confidence)
    return [
        (find_place(said[match.first : match.past], match.term, language).heard, match.term)
        for match in Glossary(lines).find(said, language, ordinary_words(said))
    ]


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
        (["Zürich", "café"], "Zu\u0308rich has a cafe\u0301", []),
        (["日本橋"], "日本橋 and more", []),
        (["the", "okay"], "The end. Okay?", []),
        (["kubectl", "grafana"], "Grafana, KUBECTL", [("KUBECTL", "kubectl")]),
        (["Yahoo!", ".NET", "Ph.D.", "Guns N' Roses"], "Yahoo! .NET, (Ph.D.) “Guns N' Roses”", []),
        (["Yahoo!", ".NET"], "yahoo! and .net!", [("yahoo!", "Yahoo!"), (".net", ".NET")]),
        (["Grafana"], "♪ Grafana ♪ and - grafana …", [("grafana", "Grafana")]),
        (["Dr. Who"], "We saw dr. who then.", [("dr. who", "Dr. Who")]),
        (["हिन्दी"], "मैं हिन्दी बोलता हूँ", []),
        (["दिल्ली"], "वह दलाल है", []),
        (["שָׁלוֹם"], "אמר שלום לך", [("שלום", "שָׁלוֹם")]),
        ([], "nothing to find", []),
    ],
)
def test_what_sounds_like_a_term_is_found(lines: list[str], said: str, expected: list[tuple[str, str]]) -> None:
    assert found(lines, said) == expected


@pytest.mark.parametrize("confidence", [0.3, 1.0])
def test_ordinary_words_are_no_short_names(confidence: float) -> None:
    said = "We make time for a new line, none of which has been there. Make more. None. Time, land and promises."
    assert found(["Mike", "Tom", "Anna", "Nina", "Ben", "Linda", "Maria"], said, confidence) == []
    assert found(["Mike", "Nina", "Linda"], "Myke and linda", confidence) == [("Myke", "Mike"), ("linda", "Linda")]


def test_words_that_were_heard_surely_need_to_be_more_alike() -> None:
    assert found(["Postgres"], "Poskers ran out.", 0.1) == [("Poskers", "Postgres")]
    assert found(["Lumen"], "The human team", 1.0) == []


def test_the_most_alike_of_overlapping_runs_is_taken() -> None:
    assert found(["Grafana", "Grafana Cloud"], "open grafana cloud now") == [("grafana cloud", "Grafana Cloud")]


@pytest.mark.parametrize(
    ("term", "said", "expected"),
    [
        ("Christopher", "Christopher's car and Christopher\u2019s.", []),
        ("Christopher", "Christofer's car", [("Christofer", "Christopher")]),
        ("McDonald's", "at McDonald's, or McDonalds", [("McDonalds", "McDonald's")]),
        ("Levi's = Leevise", "in Levi's, or leevise", [("leevise", "Levi's")]),
    ],
)
def test_a_possessive_behind_a_term_is_no_part_of_it(term: str, said: str, expected: list[tuple[str, str]]) -> None:
    assert found([term], said, 1.0) == expected


@pytest.mark.parametrize(
    ("term", "said", "expected"),
    [
        ("張偉", "張 偉 來 了 。", []),
        ("東京スカイツリー", "東 京 ス カ イ ツ リ ー へ", []),
        ("東京スカイツリー", "東 京 ス カ イ 釣 り ー へ", [("東京スカイ釣りー", "東京スカイツリー")]),
    ],
)
def test_a_term_of_many_characters_is_found_among_single_ones(
    term: str, said: str, expected: list[tuple[str, str]]
) -> None:
    assert found([term], said, 0.1, "ja") == expected


def test_people_take_the_place_of_names_alone() -> None:
    people = ["Will", "Siobhan", "Rose Murphy", "Mike"]

    def put(
        text: str, confidence: float = 0.5, named: list[str] = people, language: str = "en"
    ) -> list[tuple[str, str]]:
        said = words(text, confidence)
        return [
            (find_place(said[match.first : match.past], match.term, language).heard, match.term)
            for match in Glossary([], named).find(said, language, ordinary_words(said))
        ]

    assert put("I will ask whether the rose is red, and make more.") == []
    assert put("Well, that works. Make it so.", 0.9) == [], "the first word of a sentence has a capital, whatever it is"
    assert put("We asked Siobhán and Rose Murfy.") == [("Siobhán", "Siobhan"), ("Rose Murfy", "Rose Murphy")]
    others = ["Iman", "Ida", "Ivy", "Mandy", "Frida", "Sandy", "Jun", "Julie", "Lyndon", "Marie"]
    assert put("So I mean that I do, and I've seen it on Monday, Friday, Sunday, in June and July.", 0.6, others) == []
    assert put("We went to London with Mary.", 0.98, others) == [], "what is certain may be the name of another"
    assert put("Er ging die Stufen hinauf.", 0.6, ["Stefan"], "de") == []
    assert put("and ROSE MURPHY and Rose murphy's", 0.5) == [], "the same letters are the same name"
    assert found(["Will"], "I will ask.") == [("will", "Will")], "what somebody typed is put in for ordinary words, too"
