"""Signs of invented text."""

from dataclasses import replace

import pytest

from pipeline.speech.recognition.whisper.executor import Hypothesis
from pipeline.speech.recognition.whisper.hallucination_filter import (
    decode_with_fallback,
    drop_annotations,
    is_hallucinated,
    is_silent,
    needs_fallback,
    token_limit,
)
from pipeline.types import Word

SOUND = Hypothesis(tokens=(1,), text="We will publish a report.", logprob=-0.2, no_speech=0.02, temperature=0.0)
GUESS = replace(SOUND, logprob=-1.5)
LOOP = replace(SOUND, text="I know. " * 30)


@pytest.mark.parametrize("text", ["", "[BLANK_AUDIO]", "(music)", "♪ ♪", "*laughs* [noise]."])
def test_remarks_are_silence(text: str) -> None:
    assert is_silent(replace(SOUND, text=text))


def test_words_beside_a_remark_are_not_silence() -> None:
    assert not is_silent(replace(SOUND, text="[music] Good evening."))


def test_a_guess_where_nobody_seems_to_speak_is_silence() -> None:
    assert is_silent(replace(GUESS, no_speech=0.7))
    assert not is_silent(GUESS)
    assert not is_silent(replace(SOUND, no_speech=0.9))


def test_guesses_and_loops_are_doubtful() -> None:
    assert needs_fallback(GUESS)
    assert needs_fallback(LOOP)
    assert not needs_fallback(SOUND)


def test_drafts_are_drawn_until_one_is_sound() -> None:
    drafts = {0.2: LOOP, 0.4: SOUND}
    asked = []

    def draft(temperature: float) -> Hypothesis:
        asked.append(temperature)
        return drafts[temperature]

    assert decode_with_fallback(GUESS, draft) is SOUND
    assert asked == [0.2, 0.4]
    assert decode_with_fallback(SOUND, draft) is SOUND
    assert len(asked) == 2


def test_when_no_draft_is_sound_the_likeliest_without_a_loop_is_kept() -> None:
    better = replace(GUESS, logprob=-1.2)
    drafts = iter([LOOP, better, GUESS, LOOP])
    assert decode_with_fallback(LOOP, lambda _: next(drafts)) is better


def test_a_hopeless_guess_where_nobody_may_speak_is_not_tried_again() -> None:
    hopeless = replace(SOUND, logprob=-1.8, no_speech=0.3)
    assert is_silent(hopeless)
    assert decode_with_fallback(hopeless, lambda _: pytest.fail("tried again")) is hopeless
    assert not is_silent(replace(hopeless, no_speech=0.02))


def test_where_nobody_may_speak_one_more_draft_is_enough() -> None:
    asked: list[float] = []
    noise = replace(SOUND, logprob=-1.2, no_speech=0.4)

    def draft(temperature: float) -> Hypothesis:
        asked.append(temperature)
        return noise

    assert decode_with_fallback(noise, draft) == noise
    assert len(asked) == 1


def test_words_that_the_sound_does_not_bear_out_are_invented() -> None:
    noise = replace(SOUND, text="ご視聴ありがとうございました", logprob=-0.67, no_speech=0.76)
    assert is_hallucinated(noise, [0.13], 16.0)
    assert is_hallucinated(replace(SOUND, logprob=-1.71, no_speech=0.47), [0.42] * 14, 25.0)
    assert is_hallucinated(SOUND, [], 5.0)


def test_a_bad_telephone_line_and_one_clear_word_are_believed() -> None:
    telephone = replace(SOUND, logprob=-0.33, no_speech=0.03)
    assert not is_hallucinated(telephone, [0.8] * 42, 21.6)
    assert not is_hallucinated(telephone, [0.5] * 42, 21.6)
    assert not is_hallucinated(SOUND, [0.9], 20.0)
    assert is_hallucinated(SOUND, [0.5], 20.0)


def test_a_draft_can_hold_quick_speech_and_no_more() -> None:
    assert token_limit(29.0) == 224
    assert token_limit(2.0) == 60
    assert token_limit(0.5) < token_limit(1.0)


def test_remarks_are_dropped_from_between_words() -> None:
    texts = ["Good", "[MUSIC", "PLAYING]", "evening.", "(laughs)", "♪", "la", "♪", "(the", "rest", "stays"]
    words = [Word(start=n, end=n + 1, text=text, confidence=0.9) for n, text in enumerate(texts)]
    assert [word.text for word in drop_annotations(words)] == ["Good", "evening.", "(the", "rest", "stays"]
