"""Runs of words that one voice is likely to say."""

from collections.abc import Sequence

from pipeline.speech.alignment.phrases import split_phrases
from pipeline.types import Diarization, SpeakerSegment, Word


def words(*said: tuple[str, float, float]) -> list[Word]:
    return [Word(start=start, end=end, text=text, confidence=1.0) for text, start, end in said]


def voices(*spans: tuple[float, float, str]) -> Diarization:
    segments = tuple(SpeakerSegment(start=start, end=end, speaker=name) for start, end, name in spans)
    return Diarization(speakers=("S1", "S2"), segments=segments, exclusive=segments)


def texts(heard: Sequence[Word], diarization: Diarization) -> list[str]:
    return [
        " ".join(word.text for word in heard[phrase.first : phrase.past])
        for phrase in split_phrases(heard, diarization)
    ]


def test_sentences_and_pauses_end_phrases() -> None:
    heard = words(("Oh,", 0, 0.2), ("wonderful.", 0.2, 0.6), ("I", 0.65, 0.7), ("see", 0.7, 0.9), ("now", 1.4, 1.6))
    assert texts(heard, voices((0, 2, "S1"))) == ["Oh, wonderful.", "I see", "now"]


def test_an_interruption_ends_a_phrase() -> None:
    heard = words(("before", 0, 0.4), ("the--", 0.4, 0.6), ("You", 0.6, 0.8), ("forgot", 0.8, 1.2))
    assert texts(heard, voices((0, 1.2, "S1"))) == ["before the--", "You forgot"]


def test_a_change_of_speaker_cuts_a_sentence() -> None:
    heard = words(*((name, 0.3 * place, 0.3 * place + 0.3) for place, name in enumerate("abcdef")))
    assert texts(heard, voices((0, 0.9, "S1"), (0.9, 2, "S2"))) == ["a b c", "d e f"]
    # The border of a voice is less exact than half a word.
    assert texts(heard, voices((0, 0.9, "S1"), (0.9, 1.0, "S2"), (1.0, 2, "S1"))) == ["a b c d e f"]


def test_times_are_those_of_all_words_of_a_phrase() -> None:
    heard = words(("One", 1.0, 1.4), ("two", 1.2, 1.3))
    (phrase,) = split_phrases(heard, voices((0, 2, "S1")))
    assert (phrase.start, phrase.end) == (1.0, 1.4)
    assert split_phrases([], voices()) == []
