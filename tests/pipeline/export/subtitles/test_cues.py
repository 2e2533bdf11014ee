"""Cues fit the screen, end at good places, and stay to be read."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings

from pipeline.export.escaping import clean
from pipeline.export.subtitles.cues import Cue, cut_cues, speaker_label
from pipeline.export.subtitles.line_breaking import break_lines, count_columns, text_box
from pipeline.export.subtitles.style import SubtitleStyle
from pipeline.types import Speaker, Turn
from tests.pipeline.export.dialogue import TEXT, names, spoken, talk, transcript, turn

STYLE = SubtitleStyle()
CHINESE = list("今天我们要谈谈海岸上的风暴，它已经持续了三天。没有人知道它什么时候会停。")  # noqa: RUF001


def said(cues: list[Cue]) -> list[str]:
    return " ".join(" ".join(cue.lines) for cue in cues).split()


def test_cues_end_with_sentences_and_lines_with_clauses() -> None:
    cues = cut_cues(transcript(turn(TEXT, 0.0, "S1")), STYLE)
    assert [cue.lines for cue in cues] == [
        ("Good evening everyone,", "and welcome back to the show."),
        ("Tonight we are talking about", "the storm on the coast."),
    ]


def test_no_cue_is_left_with_a_single_word() -> None:
    text = "this is a long run of words that nobody ends and that goes on and on until it is over the edge"
    cues = cut_cues(transcript(turn(text, 0.0, "S1", each=0.25)), STYLE)
    assert min(len(" ".join(cue.lines).split()) for cue in cues) > 1


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("We have waited for the answer of the old Mr. Smith since the spring of last year.", "Mr. Smith"),
        ("There were many large places to see then, e.g. London and most of the towns around.", "e.g. London"),
        ("The only books that he had ever read to the end were by J. Tolkien and others.", "J. Tolkien"),
        ("Wir haben damals viele schöne Städte besucht, z.B. Berlin, Hamburg und auch Wien.", "z.B. Berlin"),
    ],
)
@pytest.mark.parametrize("length", [24, 28, 32, 36, 42])
@pytest.mark.parametrize("lines", [1, 2])
def test_neither_a_cue_nor_a_line_ends_with_an_abbreviation(text: str, bound: str, length: int, lines: int) -> None:
    style = replace(STYLE, line_length=length, lines=lines)
    cues = cut_cues(transcript(turn(text, 0.0, "S1", each=0.3)), style)
    assert any(bound in line for cue in cues for line in cue.lines), [cue.lines for cue in cues]


def test_decimals_times_and_countries_end_no_cue() -> None:
    text = "It rose by 3.5 percent at 10.30 a.m. on Monday in the U.S. markets, i.e. most of them."
    cues = cut_cues(transcript(turn(text, 0.0, "S1", each=0.3)), STYLE)
    assert not [cue.lines for cue in cues if cue.lines[-1].endswith(("3.5", "10.30", "a.m.", "U.S.", "i.e."))]


@pytest.mark.parametrize("length", [20, 32, 60])
def test_the_line_length_is_an_option(length: int) -> None:
    cues = cut_cues(talk(), replace(STYLE, line_length=length))
    widest = max(len(line) for cue in cues for line in cue.lines)
    assert length / 2 < widest <= length
    assert sorted(said(cues)) == sorted(word.text for item in talk().turns for word in item.words)


def test_chinese_has_sixteen_characters_a_line_and_no_spaces() -> None:
    cues = cut_cues(transcript(turn(CHINESE, 0.0, "S1", each=0.2), language="zh"), STYLE)
    assert max(len(line) for cue in cues for line in cue.lines) <= 16
    assert not any(" " in line for cue in cues for line in cue.lines)
    assert "".join(said(cues)) == "".join(CHINESE)
    assert cues[0].lines[-1].endswith("。")


def test_latin_letters_count_half_among_chinese_ones() -> None:
    page = text_box(STYLE, "zh")
    assert break_lines(["苹果", "Apple", "Store", "在", "北京"], page) == ("苹果Apple Store在北京",)
    assert count_columns("e\u0301") == 1


def test_an_endless_word_of_chinese_is_cut_and_one_of_english_is_not() -> None:
    assert [len(line) for line in break_lines(["好" * 40], text_box(STYLE, "zh"))] == [16, 16, 8]
    assert break_lines(["a" * 60, "b"], text_box(STYLE, "en")) == ("a" * 60, "b")


def test_a_short_cue_stays_to_be_read_where_there_is_room() -> None:
    alone = cut_cues(transcript(turn("Yes.", 1.0, "S1", each=0.2)), STYLE)
    assert alone[0].end == pytest.approx(2.0)
    fast = cut_cues(transcript(turn("An incomprehensibly quick remark.", 0.0, "S1", each=0.1)), STYLE)
    assert fast[0].end == pytest.approx(min(33 / 17, 0.4 - 0.01 + 1))
    slow = cut_cues(transcript(turn("Well then.", 0.0, "S1")), replace(STYLE, min_duration=1.5))
    assert slow[0].end == pytest.approx(1.5)


def test_a_cue_does_not_stay_over_what_somebody_else_says() -> None:
    cues = cut_cues(transcript(turn("Yes.", 1.0, "S1", each=0.2), turn("No!", 1.5, "S2")), STYLE)
    assert cues[0].end == pytest.approx(1.5 - STYLE.gap)


def test_voices_that_overlap_keep_cues_that_do_and_are_named() -> None:
    cues = cut_cues(talk(), STYLE)
    last = next(cue for cue in cues if cue.lines == ("It does.",))
    around = [cue for cue in cues if cue.speaker.id == "S1" and cue.start <= last.start < cue.end]
    assert around
    assert last.named
    assert all(cue.named for cue in around)


def test_a_name_has_at_most_half_a_line() -> None:
    page = text_box(STYLE, "en")
    speaker = transcript(turn("Hi.", 0, "S1"), names=("A name that goes on for longer than it should",)).speakers[0]
    assert speaker_label(speaker, page) == "A name that goes o…: "
    assert len(speaker_label(speaker, page)) <= 21


@pytest.mark.timeout(60)
def test_a_name_of_any_length_is_cut_at_once() -> None:
    # Letter by letter from the end it would take hours.
    speaker = Speaker(id="S1", name="a" * 500_000)
    assert speaker_label(speaker, text_box(STYLE, "en")) == f"{'a' * 18}…: "


@settings(max_examples=80, deadline=None)
@given(spoken, names)
def test_cues_fit_and_never_talk_over_themselves(said: list[tuple[list[str], float, str]], called: list[str]) -> None:
    turns: list[Turn] = [turn(*each) for each in said]
    content = transcript(*turns, names=tuple(called))
    page = text_box(STYLE, "en")
    cues = cut_cues(content, STYLE)
    for speaker in content.speakers:
        own = [cue for cue in cues if cue.speaker == speaker]
        spoken = [
            clean(word.text)
            for item in sorted(turns, key=lambda item: item.start)
            if item.speaker == speaker.id
            for word in item.words
        ]
        assert sorted(" ".join(" ".join(cue.lines) for cue in own).split()) == sorted(" ".join(spoken).split())
        for before, after in itertools.pairwise(own):
            assert before.end <= after.start + 1e-9
    for cue in cues:
        assert cue.end > cue.start
        taken = count_columns(speaker_label(cue.speaker, page)) if cue.named else 0
        assert len(cue.lines) <= STYLE.lines
        assert max(count_columns(line) + taken * (line is cue.lines[0]) for line in cue.lines) <= page.columns


def test_an_hour_of_talk_is_cut_in_a_moment() -> None:
    import time

    turns = [turn(TEXT, index * 8.0, f"S{index % 2 + 1}") for index in range(450)]
    started = time.process_time()
    assert len(cut_cues(transcript(*turns), STYLE)) >= 900
    assert time.process_time() - started < 2.0
