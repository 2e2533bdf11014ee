"""Words out of tokens, and their times out of attention."""

from itertools import pairwise

import numpy as np
import pytest

from pipeline.speech.recognition.whisper.alignment import TokenWord, find_leads, split_words, time_words, trace_starts
from pipeline.speech.recognition.whisper.executor import Attention
from pipeline.speech.recognition.whisper.tokenizer import WhisperTokenizer, _byte_letters


class Vocabulary(WhisperTokenizer):
    """Every text given becomes a token, in order; bytes stand before them."""

    def __init__(self, *texts: str) -> None:
        letters = _byte_letters()
        words = ["".join(letters[byte] for byte in text.encode()) for text in texts]
        names = list(dict.fromkeys([*letters.values(), *words, "<|endoftext|>"]))
        super().__init__({name: number for number, name in enumerate(names)}, [])
        self.given = [names.index(word) for word in words]


def words_of(language: str, *texts: str) -> list[tuple[str, int, int]]:
    vocabulary = Vocabulary(*texts)
    words = split_words(vocabulary, vocabulary.given, language)
    assert [token for word in words for token in word.tokens] == vocabulary.given
    return [(word.text, len(word.tokens), word.core) for word in words]


def test_words_begin_at_spaces_and_keep_their_punctuation() -> None:
    assert words_of("en", " Good", " even", "ing", ",", " it", "'s", " well", "-", "made", ".", "..") == [
        ("Good", 1, 1),
        ("evening,", 3, 2),
        ("it's", 2, 2),
        ("well-made...", 5, 3),
    ]


def test_punctuation_that_stands_alone_joins_a_neighbour() -> None:
    assert words_of("en", ' "', "Yes", " -", " no", " !", " (", " so") == [
        ('"Yes', 2, 2),
        ("- no !", 3, 2),
        ("( so", 2, 2),
    ]


def test_chinese_is_split_by_its_tokens_and_latin_names_stay_whole() -> None:
    assert words_of("zh", "今天", "天", "气", "，", "App", "le", "好", "。") == [  # noqa: RUF001
        ("今天", 1, 1),
        ("天", 1, 1),
        ("气，", 2, 1),  # noqa: RUF001
        ("Apple", 2, 2),
        ("好。", 2, 1),
    ]


def test_a_character_over_several_tokens_is_one_word() -> None:
    vocabulary = Vocabulary("你")
    tokens = [*vocabulary.encode("好").input_ids, *vocabulary.given]
    assert [word.text for word in split_words(vocabulary, tokens, "zh")] == ["好", "你"]


def brute_force(cost: np.ndarray) -> float:
    rows, columns = cost.shape
    total = np.full((rows, columns), np.inf)
    for row in range(rows):
        for column in range(columns):
            before = [
                total[r, c] for r, c in ((row - 1, column - 1), (row - 1, column), (row, column - 1)) if r >= 0 <= c
            ]
            total[row, column] = cost[row, column] + (min(before) if row or column else 0.0)
    return float(total[-1, -1])


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 9), (6, 1), (4, 30), (9, 9), (12, 5)])
def test_the_path_is_monotonic_and_the_cheapest(rows: int, columns: int) -> None:
    cost = np.random.default_rng(rows * columns).standard_normal((rows, columns))
    starts = trace_starts(cost)
    assert starts[0] == 0
    assert all(before <= after for before, after in pairwise(starts))
    # The path through a row ends where the next begins, or one frame earlier: take the cheaper.
    best = 0.0
    for row, start in enumerate(starts):
        last = columns - 1 if row == rows - 1 else starts[row + 1]
        inner = cost[row, start:last].sum()
        diagonal = row < rows - 1 and last > start
        best += inner + (min(0.0, cost[row, last]) if diagonal else cost[row, last])
    assert best == pytest.approx(brute_force(cost))


def test_words_are_timed_where_their_tokens_were_heard() -> None:
    frames, heard = 500, [(0, 50), (50, 90), (90, 95), (150, 180), (180, 200)]
    weights = np.full((2, 5, frames), -9.0, np.float32)
    for row, (start, end) in enumerate(heard):
        weights[:, row, start:end] = 3.0
    words = [TokenWord(tokens=(1,), text="One", core=1), TokenWord(tokens=(2, 3), text="two,", core=1)]
    words.append(TokenWord(tokens=(4,), text="three", core=1))
    probabilities = np.asarray([0.5, 0.8, 0.01, 0.9], np.float32)
    timed = time_words(words, Attention(weights=weights, probabilities=probabilities), 4.0)
    assert [word.text for word in timed] == ["One", "two,", "three"]
    assert [word.confidence for word in timed] == pytest.approx([0.5, 0.8, 0.9], abs=1e-6)
    assert [(word.start, word.end) for word in timed][:2] == [
        pytest.approx((0.0, 1.0), abs=0.1),
        pytest.approx((1.0, 1.8), abs=0.1),
    ]
    assert timed[2].end == pytest.approx(3.6, abs=0.1)


def test_heads_that_look_ahead_are_moved_to_the_others() -> None:
    """Most alignment heads of Whisper base look 0.1 s ahead, and their mean had words begin that much too early."""
    leads = (5, 7, 0, 1, 4)
    heard = [(20, 50), (50, 90), (90, 130), (130, 150)]
    weights = np.full((len(leads), len(heard), 150), -4.0, np.float32)
    for head, lead in enumerate(leads):
        for row, (start, end) in enumerate(heard):
            weights[head, row, start - lead : end - lead] = 4.0
    assert find_leads(np.exp(weights)) == [4, 6, 0, 0, 3]
    words = [TokenWord(tokens=(row,), text=text, core=1) for row, text in enumerate(("One", "two", "three"))]
    timed = time_words(words, Attention(weights=weights, probabilities=np.ones(3, np.float32)), 3.0)
    assert [word.start for word in timed[1:]] == pytest.approx([1.0, 1.8], abs=0.07)


def test_punctuation_takes_no_time_of_the_word_before_a_pause() -> None:
    """The attention leaves the word for its full stop while the word is still heard."""
    weights = np.full((1, 4, 100), -4.0, np.float32)
    for row, (start, end) in enumerate([(0, 30), (30, 40), (70, 95), (95, 100)]):
        weights[0, row, start:end] = 4.0
    pauses = np.zeros(100, bool)
    pauses[40:70] = True
    words = [TokenWord(tokens=(1, 2), text="coast.", core=1), TokenWord(tokens=(3,), text="And", core=1)]
    attention = Attention(weights=weights, probabilities=np.ones(3, np.float32))
    first, second = time_words(words, attention, 2.0, pauses)
    assert (first.end, second.start) == pytest.approx((40 * 0.02, 70 * 0.02), abs=0.001)


def test_no_words_no_times() -> None:
    nothing = Attention(weights=np.zeros((1, 1, 1500), np.float32), probabilities=np.zeros(0, np.float32))
    assert time_words([], nothing, 3.0) == []


def test_a_word_after_a_pause_begins_after_it() -> None:
    """The attention turns to the second word before the pause and listens to it after the pause."""
    weights = np.full((1, 3, 100), -4.0, np.float32)
    weights[0, 0, 5:38] = 4.0
    weights[0, 1, 38:41] = 1.0
    weights[0, 1, 70:95] = 4.0
    weights[0, 2, 95:] = 4.0
    pauses = np.zeros(100, bool)
    pauses[40:70] = True
    words = [TokenWord(tokens=(1,), text="coast.", core=1), TokenWord(tokens=(2,), text="And", core=1)]
    attention = Attention(weights=weights, probabilities=np.array([0.9, 0.9], np.float32))
    first, second = time_words(words, attention, 2.0, pauses)
    assert first.end <= 40 * 0.02
    assert second.start == pytest.approx(70 * 0.02, abs=0.05)
    (_, stretched) = time_words(words, attention, 2.0)
    assert stretched.start < 45 * 0.02
    assert time_words(words, attention, 2.0, np.ones(100, bool))
