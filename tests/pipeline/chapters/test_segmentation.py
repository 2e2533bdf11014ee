"""Chapters of long recordings: where the words change, never in short ones, one after the other without gaps."""

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.chapters import segmentation
from pipeline.chapters.segmentation import MAX_UNITS, MIN_CHAPTER_S, Weights, find_chapters
from pipeline.types import Speaker, Transcript, Turn, Word

TOPICS = {
    "garden": "tomato soil seeds watering spade compost roses weeds greenhouse harvest pruning lawn",
    "money": "budget invoice quarter revenue taxes margin forecast accountant savings loan interest payroll",
    "music": "guitar chorus rehearsal drummer melody microphone concert rhythm singer album tuning stage",
}
CHINESE = {"园艺": "番茄土壤种子浇水堆肥玫瑰杂草温室", "财务": "预算发票季度收入税款利润贷款利息"}


def said(topics: list[str], minutes: float, *, language: str = "en", seed: int = 1) -> Transcript:
    """Each topic for some minutes: words of its own among small words that all share."""
    chance = random.Random(seed)
    turns: list[Turn] = []
    at = 0.0
    for topic in topics:
        until = at + minutes * 60
        while at < until:
            if language == "en":
                own = chance.choices(TOPICS[topic].split(), k=5)
                texts = [word for each in own for word in ("and", "then", each)]
            else:
                pairs = [CHINESE[topic][n : n + 2] for n in range(0, len(CHINESE[topic]), 2)]
                texts = [word for each in chance.choices(pairs, k=5) for word in ("我们", "说", each)]
            words = tuple(
                Word(start=at + n * 0.5, end=at + n * 0.5 + 0.4, text=text, confidence=1.0)
                for n, text in enumerate(texts)
            )
            text = (" " if language == "en" else "").join(texts)
            turns.append(Turn(start=at, end=words[-1].end, speaker="A", text=text, overlap=False, words=words))
            at = words[-1].end + 0.3
    return Transcript(language=language, duration=at, speakers=(Speaker(id="A", name="A"),), turns=tuple(turns))


def test_each_topic_is_a_chapter_with_its_words_for_a_title() -> None:
    transcript = said(["garden", "money", "music"], 4)
    chapters = find_chapters(transcript)
    assert [chapter.start for chapter in chapters] == pytest.approx([0, 240, 480], abs=20)
    for chapter, topic in zip(chapters, TOPICS, strict=True):
        words = chapter.title.lower().split(" · ")
        assert len(words) == 3
        assert set(words) <= set(TOPICS[topic].split())


def test_chinese_is_divided_too() -> None:
    chapters = find_chapters(said(["园艺", "财务"], 4, language="zh"))
    assert [chapter.start for chapter in chapters] == pytest.approx([0, 240], abs=20)
    for chapter, topic in zip(chapters, CHINESE.values(), strict=True):
        assert all(word[:2] in topic for word in chapter.title.split(" · ")), chapter.title


def test_one_topic_and_short_recordings_have_none() -> None:
    assert find_chapters(said(["garden"], 9)) == ()
    assert find_chapters(said(["garden", "money"], 2)) == ()


def test_silence_has_none() -> None:
    assert find_chapters(Transcript(language="en", duration=4000.0, speakers=(), turns=())) == ()


def test_the_same_transcript_gives_the_same_chapters() -> None:
    assert find_chapters(said(["garden", "music"], 4)) == find_chapters(said(["garden", "music"], 4))


def test_a_talk_of_very_many_short_turns_is_compared_in_few_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    transcript = said(["garden", "money", "music"], 20)
    short = tuple(
        replace(turn, start=word.start, end=word.end, text=word.text, words=(word,))
        for turn in transcript.turns
        for word in turn.words
    )
    assert len(short) > 10 * MAX_UNITS
    compared: list[int] = []
    cheapest = vars(segmentation)["_cheapest"]

    def count(units: Sequence[object], weights: Weights) -> list[tuple[int, int]]:
        compared.append(len(units))
        return cheapest(units, weights)

    monkeypatch.setattr("pipeline.chapters.segmentation._cheapest", count)
    chapters = find_chapters(replace(transcript, turns=short))
    assert compared[0] <= MAX_UNITS + 1
    assert [chapter.start for chapter in chapters] == pytest.approx([0, 1200, 2400], abs=20)


def test_who_talks_into_a_long_turn_is_heard_where_it_is_said() -> None:
    transcript = said(["garden", "music"], 5)
    words = tuple(word for turn in transcript.turns for word in turn.words)
    long = replace(transcript.turns[0], end=words[-1].end, text=" ".join(word.text for word in words), words=words)
    others = [replace(turn, speaker="B", overlap=True) for turn in said(["garden"], 5, seed=2).turns]
    speakers = (*transcript.speakers, Speaker(id="B", name="B"))
    chapters = find_chapters(replace(transcript, turns=(long, *others), speakers=speakers))
    assert [chapter.start for chapter in chapters] == pytest.approx([0, 300], abs=20)
    assert set(chapters[1].title.lower().split(" · ")) <= set(TOPICS["music"].split())


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(sorted(TOPICS)), min_size=2, max_size=5), st.integers(0, 9))
def test_chapters_follow_one_another(topics: list[str], seed: int) -> None:
    transcript = said(topics, 3, seed=seed)
    chapters = find_chapters(transcript)
    if not chapters:
        return
    assert (chapters[0].start, chapters[-1].end) == (0.0, round(transcript.duration, 3))
    for before, after in pairwise(chapters):
        assert before.end == after.start
    assert all(chapter.end - chapter.start >= MIN_CHAPTER_S - 1 for chapter in chapters)
