"""Signs of invented text."""

from dataclasses import replace

import pytest

from pipeline.speech.whisper_executor import Hypothesis
from pipeline.speech.whisper_guards import cut_loops, is_doubtful, is_silent, settle

SOUND = Hypothesis(tokens=(1,), text="We will publish a report.", logprob=-0.2, no_speech=0.1, temperature=0.0)
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
    assert is_doubtful(GUESS)
    assert is_doubtful(LOOP)
    assert not is_doubtful(SOUND)


def test_drafts_are_drawn_until_one_is_sound() -> None:
    drafts = {0.2: LOOP, 0.4: SOUND}
    asked = []

    def draft(temperature: float) -> Hypothesis:
        asked.append(temperature)
        return drafts[temperature]

    assert settle(GUESS, draft) is SOUND
    assert asked == [0.2, 0.4]
    assert settle(SOUND, draft) is SOUND
    assert len(asked) == 2


def test_when_no_draft_is_sound_the_likeliest_without_a_loop_is_kept() -> None:
    better = replace(GUESS, logprob=-1.2)
    drafts = iter([LOOP, better, GUESS, LOOP])
    assert settle(LOOP, lambda _: next(drafts)) is better


def test_loops_are_said_once() -> None:
    assert cut_loops([9, *[1, 2, 3] * 7, 8]) == [9, 1, 2, 3, 8]
    assert cut_loops([1, 1, 1, 1, 2, 2, 3]) == [1, 2, 2, 3]
    assert cut_loops([1, 2, 1, 2, 3]) == [1, 2, 1, 2, 3]
    assert cut_loops([]) == []
