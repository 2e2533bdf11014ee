"""The beginning of a transcript as it is first heard."""

import pytest

from pipeline.speech.recognition.draft import MAX_DRAFT_CHARS, MAX_LINE_CHARS, Draft, draft_lines
from pipeline.types import DraftLine, Word

pytestmark = pytest.mark.unit


def say(text: str, *, start: float = 0.0, pause: float = 0.0) -> list[Word]:
    """Make a word of 0.3 s of each one, with pauses between them."""
    step = 0.3 + pause
    return [
        Word(start=start + step * place, end=start + step * place + 0.3, text=word, confidence=1.0)
        for place, word in enumerate(text.split())
    ]


def test_lines_end_with_sentences_and_at_pauses() -> None:
    words = [*say("Good evening, Mr. Smith."), *say("How are", start=2.0), *say("you all", start=9.0)]
    assert draft_lines(words, "en") == [
        DraftLine(start=0.0, text="Good evening, Mr. Smith."),
        DraftLine(start=2.0, text="How are"),
        DraftLine(start=9.0, text="you all"),
    ]


def test_a_line_without_end_is_cut() -> None:
    lines = draft_lines(say("word " * 100), "en")
    assert len(lines) == 4
    assert max(len(line.text) for line in lines) <= MAX_LINE_CHARS


def test_chinese_is_written_without_spaces() -> None:
    assert [line.text for line in draft_lines(say("你好 世界 。"), "zh")] == ["你好世界。"]


def test_nothing_said_shows_nothing() -> None:
    shown: list[tuple[DraftLine, ...]] = []
    Draft(shown.append).add([], "en")
    assert shown == []


def test_what_is_heard_twice_is_shown_once() -> None:
    shown: list[tuple[DraftLine, ...]] = []
    draft = Draft(shown.append)
    draft.add(say("Good evening."), "en")
    draft.add([*say("Guten Abend."), *say("And more.", start=3.0)], "en")
    assert [line.text for line in shown[-1]] == ["Good evening.", "And more."]


def test_a_draft_grows_and_then_stays() -> None:
    shown: list[tuple[DraftLine, ...]] = []
    draft = Draft(shown.append)
    for place in range(40):
        draft.add(say("This is a sentence of about forty letters, no more.", start=5.0 * place), "en")
    chars = [sum(len(line.text) for line in lines) for lines in shown]
    assert chars == sorted(set(chars))
    assert MAX_DRAFT_CHARS - MAX_LINE_CHARS < chars[-1] <= MAX_DRAFT_CHARS
    draft.add(say("Short."), "en")
    assert len(shown) == len(chars)
