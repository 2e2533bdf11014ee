"""A full stop ends a sentence unless it belongs to an abbreviation."""

import pytest

from pipeline.speech.alignment.sentences import binds_next, ends_sentence

INSIDE = (
    "with Mr.|Smith",
    "Mrs.|Smith",
    "St.|Louis",
    "i.e.|that",
    "e.g.|London",
    "z.B.|Berlin",
    "d.h.|Wir",
    "U.S.|Army",
    "U.S.|and",
    "U.S.|2024",
    "a.m.|on",
    "a.m.|Eastern",
    "J.|R.",
    "R.|Tolkien",
    "No.|5",
    "3.|Mai",
    "etc.|and",
    "(Dr.|Brown",
    "د.|أحمد",
    "well...|maybe",
    "Yahoo.|com",
    "maybe(?)|Smith",
    "Dr.(?)|Brown",
)
ENDS = (
    "storm.|Tonight",
    "storm.(?)|Tonight(?)",
    "No.|We",
    "So did I.|Then",
    "U.S.|They",
    "p.m.|The",
    "etc.|But",
    "said.”|He",
    "2024.|Then",
    "أمس؟|نعم",
    "ہے۔|وہ",  # noqa: RUF001 - the Urdu full stop
    "好。|我",
    "Mr.|",
    "really?|he",
    "البرنامج.|هل",
)


@pytest.mark.parametrize("case", INSIDE)
def test_a_full_stop_of_an_abbreviation_ends_nothing(case: str) -> None:
    text, following = case.split("|")
    assert not ends_sentence(text.split()[-1], following)


@pytest.mark.parametrize("case", ENDS)
def test_a_full_stop_ends_a_sentence(case: str) -> None:
    text, following = case.split("|")
    assert ends_sentence(text.split()[-1], following)
    assert not binds_next(text.split()[-1], following)


@pytest.mark.parametrize("text", ["3.5", "10.30", "1,250", "12:30", "v1.2"])
def test_a_full_stop_or_colon_inside_a_number_ends_nothing(text: str) -> None:
    assert not ends_sentence(text, "The")
