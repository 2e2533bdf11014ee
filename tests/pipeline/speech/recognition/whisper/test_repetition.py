"""A phrase is written as often as the sound repeats, and a loop over other sound once."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.speech.recognition.whisper.repetition import (
    Loop,
    count_following,
    count_repeats,
    count_said,
    find_loops,
    write_loops,
)

RATE = 16_000


def phrase(seed: int = 1, seconds: float = 0.6) -> NDArray[np.float32]:
    """Syllables of different pitch and colour, as a voice has them, with noise of its own."""
    chance = np.random.default_rng(seed)
    parts: list[NDArray[np.float64]] = []
    while sum(map(len, parts)) < seconds * RATE:
        time = np.arange(round(chance.uniform(0.05, 0.25) * RATE)) / RATE
        tones = np.sin(2 * np.pi * chance.uniform(90, 200) * np.outer(time, np.arange(1, 30)))
        parts.append(tones @ chance.uniform(0, 1, 29) ** 3 * np.hanning(len(time)))
    return (0.05 * np.concatenate(parts)[: round(seconds * RATE)]).astype(np.float32)


def said(times: int, pause: float, *, noise: float = 0.005) -> NDArray[np.float32]:
    """The phrase with a pause after each repeat but the last, under noise."""
    quiet = np.zeros(round(pause * RATE), np.float32)
    sound = np.concatenate([*([phrase(), quiet] * (times - 1)), phrase()])
    return sound + np.random.default_rng(2).normal(0, noise, len(sound)).astype(np.float32)


def noise(seconds: float) -> NDArray[np.float32]:
    return np.random.default_rng(3).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)


def test_loops_are_found_and_written_as_often_as_is_asked() -> None:
    tokens = [9, *[1, 2, 3] * 7, 8, 4, 4, 4, 6]
    loops = find_loops(tokens)
    assert [(loop.start, loop.period, loop.times) for loop in loops] == [(1, 3, 7), (23, 1, 3)]
    assert write_loops(tokens, loops, [1, 1]) == [9, 1, 2, 3, 8, 4, 6]
    assert write_loops(tokens, loops, [2, 4]) == [9, 1, 2, 3, 1, 2, 3, 8, 4, 4, 4, 4, 6]
    assert write_loops(tokens, loops, [7, 3]) == tokens
    assert find_loops([1, 2, 1, 2, 3]) == []
    assert find_loops([]) == []


@pytest.mark.parametrize(
    ("times", "written"), [(1, [1, 2]), (2, [1, 2, 5, 6]), (3, [1, 2, 3, 4, 5, 6]), (5, [1, 2, 3, 4, 3, 4, 3, 4, 5, 6])]
)
def test_the_first_and_the_last_repeat_are_written_in_their_own_way(times: int, written: list[int]) -> None:
    """Such as "Never, never, never." with its capital and its full stop."""
    tokens = [9, 1, 2, 3, 4, 5, 6, 8]
    (loop,) = find_loops(["x", "never", ",", "never", ",", "never", ",", "y"])
    assert write_loops(tokens, [loop], [times]) == [9, *written, 8]


def test_what_is_said_as_often_as_it_is_written_stays_as_it_is() -> None:
    tokens = [1, 2, 3, 4, 5]
    assert write_loops(tokens, find_loops("nnnnn"), [5]) == tokens
    assert write_loops(tokens, find_loops("nnnnn"), [4]) == [1, 2, 3, 5]
    assert write_loops(tokens, [Loop(start=1, period=2, times=1)], [3]) == [1, 2, 3, 2, 3, 2, 3, 4, 5]


@pytest.mark.parametrize("pause", [0.1, 0.3, 1.0])
@pytest.mark.parametrize("times", [3, 5, 8])
def test_what_is_said_again_and_again_stays(times: int, pause: float) -> None:
    assert count_repeats(said(times, pause), RATE, times, trusted=False) == times


@pytest.mark.parametrize("written", [12, 30])
@pytest.mark.parametrize("pause", [0.1, 0.3])
def test_a_loop_over_a_phrase_that_is_said_five_times_is_cut_to_five(written: int, pause: float) -> None:
    assert count_repeats(said(5, pause), RATE, written, trusted=False) == 5


@pytest.mark.parametrize("written", [3, 5, 15, 40])
@pytest.mark.parametrize("seconds", [1.0, 3.0, 12.0])
def test_a_loop_over_noise_is_written_once(written: int, seconds: float) -> None:
    assert count_repeats(noise(seconds), RATE, written, trusted=False) == 1


def test_a_loop_over_speech_that_repeats_nothing_is_written_once() -> None:
    speech = np.concatenate([phrase(seed) for seed in range(10, 16)])
    assert count_repeats(speech, RATE, 6, trusted=False) == 1


def test_without_evidence_a_text_that_looks_sound_stays() -> None:
    assert count_repeats(noise(2.0), RATE, 3, trusted=True) == 3


@pytest.mark.parametrize(("times", "written"), [(4, 3), (6, 4), (5, 5), (3, 3)])
def test_a_text_that_looks_sound_has_no_less_than_is_said(times: int, written: int) -> None:
    """Two phrases sound like the two after them as well."""
    assert count_repeats(said(times, 0.1), RATE, written, trusted=True) == times


def test_a_text_is_written_out_for_what_it_may_have_skipped_and_no_more() -> None:
    """A hum repeats itself all the time."""
    hum = (0.1 * np.sin(2 * np.pi * 4 * np.arange(3 * RATE) / RATE) ** 8).astype(np.float32)
    sound = (hum + noise(3.0) / 50).astype(np.float32)
    assert count_repeats(sound, RATE, 3, trusted=True) <= 6


def test_repeats_that_the_text_has_left_out_are_counted() -> None:
    sound = said(6, 0.3)
    end = round((4 * 0.9 - 0.3) * RATE)
    assert count_following(sound, RATE, end) == 2
    assert count_following(np.concatenate([sound[:end], noise(4.0)]), RATE, end) == 0
    assert count_following(sound[:end], RATE, end) == 0


@pytest.mark.parametrize("length", [0, 1, 300, 3_000])
def test_hardly_any_sound_repeats_nothing(length: int) -> None:
    assert count_repeats(noise(1.0)[:length], RATE, 5, trusted=False) == 1
    assert count_following(noise(1.0)[:length], RATE, length) == 0


@pytest.mark.parametrize("pause", [0.1, 0.3])
@pytest.mark.parametrize("times", [2, 3, 4])
def test_a_phrase_that_is_written_once_is_counted_in_its_stretch(times: int, pause: float) -> None:
    assert count_said(said(times, pause), RATE, round(0.4 * RATE), 0.7) == times


def test_other_speech_and_noise_are_not_the_phrase_again() -> None:
    other = np.concatenate([phrase(1), phrase(4, 1.5), phrase(7)])
    assert count_said(other, RATE, round(0.4 * RATE), 0.7) == 1
    assert count_said(noise(3.0), RATE, RATE, 0.5) == 1
    assert count_said(np.zeros(0, np.float32), RATE, 0, 0.5) == 1
    assert count_said(said(1, 0.1), RATE, 10 * RATE, 1.0) == 1


def test_music_that_repeats_itself_after_a_word_is_no_voice() -> None:
    beat = np.tile(phrase(5, 0.5), 8)
    beat[: round(0.5 * RATE)] += 8 * phrase(6, 0.5)
    assert count_said(beat, RATE, round(0.5 * RATE), 0.5) == 1


def test_a_phrase_that_two_voices_say_in_turns_is_not_counted_by_one_of_them() -> None:
    turns = np.concatenate([phrase(1), np.zeros(3200, np.float32), phrase(9), np.zeros(3200, np.float32)] * 3)
    assert count_said(turns, RATE, round(0.3 * RATE), 0.5) == 1
