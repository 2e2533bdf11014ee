"""Tokens in time, and words out of them."""

from itertools import groupby

import numpy as np
import pytest

from pipeline.speech.recognition.ctc.forced_alignment import WORD_TAIL_SECONDS, align_tokens, group_words


def frames(path: str) -> np.ndarray:
    """Log probabilities that favour a path written as digits, 0 for the blank."""
    logprobs = np.full((len(path), 6), np.log(0.02), np.float32)
    logprobs[np.arange(len(path)), [int(sign) for sign in path]] = np.log(0.9)
    return logprobs


def test_tokens_are_where_the_network_heard_them() -> None:
    assert align_tokens(frames("0011002003330"), [1, 2, 3]) == [(2, 3), (6, 6), (9, 11)]
    assert align_tokens(frames("123"), [1, 2, 3]) == [(0, 0), (1, 1), (2, 2)]
    assert align_tokens(frames("000"), []) == []


def test_the_same_token_twice_needs_a_blank_between() -> None:
    assert align_tokens(frames("01101100"), [1, 1]) == [(1, 2), (4, 5)]
    with pytest.raises(ValueError, match="do not fit"):
        align_tokens(frames("11"), [1, 1])


def test_a_text_that_was_rescored_is_still_placed() -> None:
    """The attention decoder may choose a token that is not the likeliest in any frame."""
    (first, second, third) = align_tokens(frames("0010022003300"), [1, 4, 3])
    assert first == (2, 2)
    assert 2 < second[0] <= second[1] < third[0]
    assert third == (9, 10)


@pytest.mark.parametrize("seed", range(5))
def test_the_path_spells_the_text(seed: int) -> None:
    generator = np.random.default_rng(seed)
    logprobs = np.log(generator.dirichlet(np.ones(6), 40)).astype(np.float32)
    tokens = [int(token) for token in generator.integers(1, 6, 9)]
    spans = align_tokens(logprobs, tokens)
    line = np.zeros(40, int)
    for token, (first, last) in zip(tokens, spans, strict=True):
        assert (line[first : last + 1] == 0).all()
        line[first : last + 1] = token
    assert [token for token, _ in groupby(line) if token] == tokens


def words_of(*pieces: str) -> list[str]:
    spans = [(10 * n, 10 * n + 2) for n in range(len(pieces))]
    return [word.text for word in group_words(pieces, spans, [0.5] * len(pieces), 0.04)]


def test_each_chinese_sign_is_a_word_and_english_stays_whole() -> None:
    assert words_of("今", "天", "▁hel", "lo", "好", "<unk>") == ["今", "天", "hello", "好"]
    assert words_of("t", "h", "e", "<space>", "s", "e", "a") == ["the", "sea"]
    assert words_of("▁", "▁so") == ["so"]


def test_words_have_times_and_confidence() -> None:
    first, second = group_words(["▁go", "od", "▁day"], [(5, 6), (8, 8), (10, 12)], [0.9, 0.7, 0.4], 0.04)
    assert (first.start, first.confidence) == (pytest.approx(0.2), pytest.approx(0.8))
    assert first.end == pytest.approx(0.4)  # where the next begins
    assert second.end == pytest.approx(13 * 0.04 + WORD_TAIL_SECONDS)
