"""Forced alignment of a text to the frames of a CTC network, and grouping of its tokens into words.

The likeliest path is found by the Viterbi algorithm over the text with a blank around each token (Graves et
al. 2006; Kürzinger et al. 2020, "CTC-segmentation").
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.types import Word

SPACE = "<space>"
_WORD_START = "▁"
"""Sentencepiece's mark for the beginning of a word."""
_SPECIAL = frozenset({"<blank>", "<unk>", "<sos/eos>", "<eos>", "<sos>"})
WORD_TAIL_SECONDS = 0.12
"""For which a word goes on after its last peak, unless another begins."""
_FIRST_UNSPACED_CODE_POINT = 0x2E80
"""Characters from here on are written without spaces: each is a word of its own."""


def align_tokens(logprobs: NDArray[np.float32], tokens: Sequence[int], *, blank: int = 0) -> list[tuple[int, int]]:
    """Find the first and last frame of each token on the likeliest path.

    Args:
        logprobs: Log-probabilities, shape (frames, vocabulary).
        tokens: Ids of the text.
        blank: Id of the blank.

    Raises:
        ValueError: There are fewer frames than the text needs.
    """
    if not tokens:
        return []
    states = np.full(2 * len(tokens) + 1, blank)
    states[1::2] = tokens
    # A blank may be left out between two tokens unless they are the same.
    skips = np.zeros(len(states), np.bool_)
    skips[3::2] = states[3::2] != states[1:-2:2]
    scores = logprobs[:, states].astype(np.float64)
    total = np.full(len(states), -np.inf)
    total[:2] = scores[0, :2]
    steps = np.zeros(scores.shape, np.int8)
    for frame in range(1, len(scores)):
        one = np.concatenate(([-np.inf], total[:-1]))
        two = np.where(skips, np.concatenate(([-np.inf, -np.inf], total[:-2])), -np.inf)
        choices = np.stack((total, one, two))
        steps[frame] = choices.argmax(axis=0)
        total = choices.max(axis=0) + scores[frame]
    state = len(states) - 1 if total[-1] >= total[-2] else len(states) - 2
    if not np.isfinite(total[state]):
        raise ValueError(f"{len(tokens)} tokens do not fit into {len(scores)} frames")
    spans = [(-1, -1)] * len(tokens)
    for frame in range(len(scores) - 1, -1, -1):
        if state % 2:
            token = state // 2
            last = spans[token][1] if spans[token][1] >= 0 else frame
            spans[token] = (frame, last)
        state -= int(steps[frame, state])
    return spans


def group_words(
    texts: Sequence[str], spans: Sequence[tuple[int, int]], confidences: Sequence[float], frame_seconds: float
) -> list[Word]:
    """Group tokens into words: at spaces, and character by character in Chinese and the like.

    `peaks` are probabilities of the tokens, `frame` is the length of a frame in seconds.
    """
    groups: list[list[int]] = []
    fresh = True
    for index, piece in enumerate(texts):
        text = piece.removeprefix(_WORD_START)
        if piece in _SPECIAL:
            continue
        if piece == SPACE or not text:
            fresh = True
            continue
        before = texts[groups[-1][-1]][-1] if groups else ""
        if (
            fresh
            or piece != text
            or ord(text[0]) >= _FIRST_UNSPACED_CODE_POINT
            or ord(before) >= _FIRST_UNSPACED_CODE_POINT
        ):
            groups.append([])
        groups[-1].append(index)
        fresh = False
    starts = [spans[group[0]][0] * frame_seconds for group in groups] + [np.inf]
    return [
        Word(
            start=starts[number],
            end=min(starts[number + 1], (spans[group[-1]][1] + 1) * frame_seconds + WORD_TAIL_SECONDS),
            text="".join(texts[index].removeprefix(_WORD_START) for index in group),
            confidence=float(np.mean([confidences[index] for index in group])),
        )
        for number, group in enumerate(groups)
    ]
