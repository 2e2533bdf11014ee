"""The likeliest way from speaker to speaker through the words."""

from collections.abc import Sequence

import pytest

from pipeline.speech.alignment.speaker_path import find_speaker_path
from pipeline.types import Diarization, SpeakerSegment, Word

Span = tuple[float, float, str]


def words(text: str) -> list[Word]:
    """Half a second each."""
    return [
        Word(start=0.5 * place, end=0.5 * place + 0.5, text=word, confidence=1.0)
        for place, word in enumerate(text.split())
    ]


def voices(segments: Sequence[Span], exclusive: Sequence[Span] | None = None) -> Diarization:
    made, alone = (
        tuple(SpeakerSegment(start=start, end=end, speaker=name) for start, end, name in spans)
        for spans in (segments, segments if exclusive is None else exclusive)
    )
    return Diarization(speakers=tuple(dict.fromkeys(each.speaker for each in made)), segments=made, exclusive=alone)


def path(text: str, segments: Sequence[Span], exclusive: Sequence[Span] | None = None) -> str:
    return "".join(find_speaker_path(words(text), voices(segments, exclusive)))


OVERLAP: tuple[Span, ...] = ((0, 3, "A"), (1.5, 4.5, "B"))
ALONE: tuple[Span, ...] = ((0, 1.5, "A"), (1.5, 4.5, "B"))


def test_a_sentence_goes_on_while_another_voice_begins() -> None:
    assert path("one two three four five six. Seven eight nine.", OVERLAP, ALONE) == "AAAAAABBB"


def test_whose_sentence_has_ended_is_not_asked_again() -> None:
    assert path("one two three. Four five six seven eight nine.", OVERLAP, ALONE) == "AAABBBBBB"


@pytest.mark.parametrize("mark", ["--", "\u2014", "\u2013"])
def test_an_interruption_ends_a_sentence(mark: str) -> None:
    assert path(f"one two three{mark} Four five six seven eight nine", OVERLAP, ALONE) == "AAABBBBBB"
    assert path(f"one two “three{mark}” Four five six seven eight nine", OVERLAP, ALONE) == "AAABBBBBB"


@pytest.mark.parametrize(
    "text", ["Она любит этот город— и он очень красивый", "I was there 2019— 2021 with all others"]
)
def test_a_dash_inside_a_sentence_does_not_end_it(text: str) -> None:
    overlap = (0, 4, "A"), (2, 4, "B")
    assert set(path(text, overlap, ((0, 2, "A"), (2, 4, "B")))) == {"A"}


def test_a_sentence_ends_with_its_speaker_where_no_full_stop_is_written() -> None:
    assert path("one two three four five six", ((0, 1.5, "A"), (1.5, 3, "B"))) == "AAABBB"


def test_a_voice_that_is_heard_for_half_a_word_takes_none() -> None:
    assert path("one two three four", ((0, 0.5, "A"), (0.5, 0.75, "B"), (0.75, 2, "A"))) == "AAAA"


def test_words_in_silence_go_to_the_nearest() -> None:
    assert path("one two three four. Five six.", ((0, 0.5, "A"), (2.75, 3, "B"))) == "AAAABB"


def test_no_words() -> None:
    assert find_speaker_path([], voices(OVERLAP)) == []
