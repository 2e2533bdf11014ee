"""Word times by the path of the decoder's attention through the sound.

Follows the method of OpenAI's Whisper (`timing.py`, MIT): scores of the alignment heads are
normalised over the tokens, smoothed over time, averaged, and a monotonic path is laid through
them by dynamic time warping. Other than there, heads are moved to one time before they are averaged: some look
at a word as it is said, others up to 0.16 s before. Frames in which nobody speaks are left out of the path, so that
no word is stretched over a pause, and words next to a pause reach it. Times are seconds of the window, in steps of
20 ms.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from pipeline.languages import UNSPACED
from pipeline.speech.recognition.whisper.executor import FRAME_SECONDS, Attention
from pipeline.speech.recognition.whisper.tokenizer import WhisperTokenizer
from pipeline.speech.recognition.whisper.word_durations import limit_durations
from pipeline.types import Word

MEDIAN_FILTER_FRAMES = 7
"""Width of the median filter over time."""
MAX_LEAD_FRAMES = 12
"""By which a head may look ahead of the others."""
ONSET_DELAY_FRAMES = 2
"""By which a word begins after the attention of the heads that look ahead least turns to it."""
PUNCTUATION_FRAMES = 2
"""Of the attention to a word's punctuation that is still the word, where no pause follows."""
MAX_PUNCTUATION_FRAMES = 15
"""Of attention to punctuation between two words that follow each other without a pause."""
MAX_PAUSE_SHIFT_FRAMES = 6
"""By which the border of two words may lie off the pause between them."""
_OPENING = frozenset("\"'“‘¿¡([{«「『（-")  # noqa: RUF001 - the very characters that are written


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenWord:
    """The tokens of one word."""

    tokens: tuple[int, ...]
    text: str
    core: int


def split_words(tokenizer: WhisperTokenizer, tokens: Iterable[int], language: str) -> list[TokenWord]:
    """Group text tokens into words: at spaces, or character by character where no spaces are written.

    Punctuation stays with its word; the tokens of all words, in order, are the tokens given.
    """
    words: list[list[tuple[tuple[int, ...], str]]] = []
    for group in _whole_characters(tokenizer, tokens):
        if not words or _begins_word(words[-1][-1][1], group[1], unspaced=language in UNSPACED):
            words.append([group])
        else:
            words[-1].append(group)
    return [_to_word(groups) for groups in _attach_openings(words)]


def time_words(
    words: Sequence[TokenWord], attention: Attention, duration: float, pauses: NDArray[np.bool_] | None = None
) -> list[Word]:
    """Put words in time.

    Args:
        words: The words whose tokens `attention` was computed for.
        attention: Cross-attention of the window.
        duration: Seconds of the window.
        pauses: Marks the frames that belong to no word, shape (frames,).

    Returns:
        The words with times in seconds of the window, in steps of a frame.
    """
    if not words:
        return []
    count = max(1, min(attention.weights.shape[2], round(duration / FRAME_SECONDS)))
    frames = _speech_frames(count, pauses)
    scores = _normalized_attention(attention.weights[:, :, :count])[:, frames]
    rows = np.minimum(trace_starts(-scores) + ONSET_DELAY_FRAMES, len(frames) - 1)
    rows[0] = max(0, rows[0] - ONSET_DELAY_FRAMES)
    firsts = list(accumulate((len(word.tokens) for word in words), initial=0))
    closings = [first + word.core for first, word in zip(firsts, words, strict=False)]
    borders = _place_borders(rows[firsts], rows[closings], frames)
    logprobs = np.log(np.maximum(attention.probabilities, 1e-10))
    timed: list[Word] = []
    for word, at, (start, end) in zip(words, firsts, borders, strict=False):
        first, last = _locate_word(scores[at : at + word.core], frames, start, end)
        confidence = float(np.exp(logprobs[at : at + word.core].mean()))
        timed.append(
            Word(start=first * FRAME_SECONDS, end=(last + 1) * FRAME_SECONDS, text=word.text, confidence=confidence)
        )
    return limit_durations(timed)


def trace_starts(cost: NDArray[np.float64]) -> NDArray[np.int64]:
    """Find the cheapest monotonic path through a matrix by dynamic time warping.

    The path goes from the first cell to the last by steps right, down or both.

    Args:
        cost: Shape (rows, columns).

    Returns:
        The first column of each row on the path, shape (rows,).
    """
    rows, columns = cost.shape
    # Cells of one anti-diagonal do not depend on each other: index (row + column, row).
    skewed = np.full((rows + columns - 1, rows), np.inf)
    for row, line in enumerate(cost):
        skewed[row : row + columns, row] = line
    steps = np.zeros(skewed.shape, np.int8)
    total = np.full((rows + columns + 1, rows + 1), np.inf)
    total[0, 0] = 0.0
    for diagonal, here in enumerate(skewed):
        before = np.stack((total[diagonal, :-1], total[diagonal + 1, :-1], total[diagonal + 1, 1:]))
        steps[diagonal] = before.argmin(axis=0)
        total[diagonal + 2, 1:] = here + before.min(axis=0)
    starts = np.zeros(rows, np.int64)
    row_at, column = rows - 1, columns - 1
    while row_at > 0 or column > 0:
        starts[row_at] = column
        step = steps[row_at + column, row_at]
        row_at, column = row_at - (step != 2), column - (step != 1)
    starts[0] = 0
    return starts


def _speech_frames(count: int, pauses: NDArray[np.bool_] | None) -> NDArray[np.intp]:
    """List the frames that may belong to a word; all of them when the pauses leave nothing."""
    frames = np.ones(count, np.bool_)
    if pauses is not None:
        frames[: len(pauses)] = ~pauses[:count]
    return np.flatnonzero(frames if frames.any() else ~frames)


def _locate_word(scores: NDArray[np.float64], frames: NDArray[np.intp], start: int, end: int) -> tuple[int, int]:
    """Find the first and last frame of a word whose path goes over `frames[start:end]`.

    Where a pause cuts the path, the word is where its tokens attend most.
    """
    span = np.arange(start, max(end, start + 1))
    parts = np.split(span, np.flatnonzero(np.diff(frames[span]) > 1) + 1)
    best = max(parts, key=lambda part: float(scores[:, part].max(initial=-np.inf)))
    return int(frames[best[0]]), int(frames[best[-1]])


def _place_borders(
    starts: NDArray[np.int64], ends: NDArray[np.int64], frames: NDArray[np.intp]
) -> list[tuple[int, int]]:
    """Find where words begin and end, as places in `frames`, by the pauses next to them.

    Args:
        starts: Where the path comes to each word, and to the end; shape (words + 1,).
        ends: Where it comes to the punctuation after each word, or to the next word; shape (words,).
        frames: The frames that belong to no pause.
    """
    starts, ends = starts.copy(), ends.copy()
    pauses = np.flatnonzero(np.diff(frames) > 1) + 1
    for word in range(len(ends)):
        end, following = int(ends[word]), int(starts[word + 1])
        near = pauses[(pauses >= end - MAX_PAUSE_SHIFT_FRAMES) & (pauses <= following + MAX_PAUSE_SHIFT_FRAMES)]
        near = near[near > starts[word]]
        if len(near):
            # Punctuation is no sound: what is heard before the pause is the word.
            pause = int(near[np.abs(near - following).argmin()])
            ends[word], starts[word + 1] = pause, pause
        elif end < following:
            ends[word] = min(end + PUNCTUATION_FRAMES, following)
            # A longer one is a pause that noise fills.
            if following - end <= MAX_PUNCTUATION_FRAMES:
                starts[word + 1] = ends[word]
    return [(int(start), int(end)) for start, end in zip(starts, ends, strict=False)]


def _normalized_attention(raw: NDArray[np.float32]) -> NDArray[np.float64]:
    """Compute how strongly each token attends to each frame, shape (tokens + 1, frames); unit variance over tokens."""
    shifted = np.exp(raw - raw.max(axis=2, keepdims=True))
    weights = shifted / shifted.sum(axis=2, keepdims=True)
    deviation = weights.std(axis=1, keepdims=True)
    weights = (weights - weights.mean(axis=1, keepdims=True)) / np.maximum(deviation, 1e-9)
    half = MEDIAN_FILTER_FRAMES // 2
    if weights.shape[2] > half:
        padded = np.pad(weights, ((0, 0), (0, 0), (half, half)), mode="reflect")
        weights = np.median(np.lib.stride_tricks.sliding_window_view(padded, MEDIAN_FILTER_FRAMES, axis=2), axis=3)
    leads = find_leads(weights.astype(np.float32))
    moved = np.stack([_delay(head, lead) for head, lead in zip(weights, leads, strict=True)])
    return moved.mean(axis=0, dtype=np.float64)


def find_leads(weights: NDArray[np.float32]) -> list[int]:
    """Find by how many frames each head looks ahead of those that look ahead least, by cross-correlation.

    Args:
        weights: Normalised attention, shape (heads, tokens, frames).
    """
    positive = np.maximum(weights, 0.0)
    reach = min(MAX_LEAD_FRAMES, weights.shape[2] - 1)
    shifts = range(-reach, reach + 1)
    leads = [
        shifts[int(np.argmax([float((_delay(head, shift) * positive[0]).sum()) for shift in shifts]))]
        for head in positive
    ]
    # The second least: one head that looks elsewhere must not move all others.
    least = sorted(leads)[min(1, len(leads) - 1)]
    return [max(0, lead - least) for lead in leads]


def _delay(weights: NDArray[np.float32], by: int) -> NDArray[np.float32]:
    """Move attention of shape (tokens, frames) to later frames, or to earlier ones where `by` is negative."""
    columns: NDArray[np.int64] = np.arange(weights.shape[1], dtype=np.int64) - by
    return weights[:, columns.clip(0, weights.shape[1] - 1)]


def _whole_characters(tokenizer: WhisperTokenizer, tokens: Iterable[int]) -> list[tuple[tuple[int, ...], str]]:
    """Group tokens into the smallest runs that are whole characters, with their text."""
    groups: list[tuple[tuple[int, ...], str]] = []
    run: list[int] = []
    for token in tokens:
        run.append(token)
        try:
            text = tokenizer.decode_bytes(run).decode()
        except UnicodeDecodeError:
            continue
        groups.append((tuple(run), text))
        run = []
    if run:
        groups.append((tuple(run), tokenizer.decode(run).replace("\ufffd", "")))
    return groups


def is_punctuation(text: str) -> bool:
    """Tell whether a text has nothing that is said: marks, symbols and spaces; a vowel sign is said."""
    return all(unicodedata.category(letter)[0] in "PSZ" for letter in text)


def _begins_word(previous: str, text: str, *, unspaced: bool) -> bool:
    if text.startswith(" "):
        return True
    if not unspaced or not text or is_punctuation(text):
        return False
    # A name in Latin letters stays whole inside Chinese or Japanese text.
    return not (text[0].isascii() and previous[-1:].isascii() and previous[-1:].isalnum())


def _attach_openings(
    words: Sequence[list[tuple[tuple[int, ...], str]]],
) -> list[list[tuple[tuple[int, ...], str]]]:
    """Attach words of nothing but punctuation to the next word if they open something, else to the one before."""
    attached: list[list[tuple[tuple[int, ...], str]]] = []
    opening: list[tuple[tuple[int, ...], str]] = []
    for groups in words:
        text = "".join(text for _, text in groups).strip()
        if text and text in _OPENING:
            opening += groups
        elif attached and not opening and is_punctuation(text):
            attached[-1] = [*attached[-1], *groups]
        else:
            attached.append([*opening, *groups])
            opening = []
    if opening and attached:
        attached[-1] = [*attached[-1], *opening]
    return attached


def _to_word(groups: Sequence[tuple[tuple[int, ...], str]]) -> TokenWord:
    tokens = tuple(token for ids, _ in groups for token in ids)
    closing = 0
    for ids, text in reversed(groups[1:]):
        if not is_punctuation(text):
            break
        closing += len(ids)
    return TokenWord(tokens=tokens, text="".join(text for _, text in groups).strip(), core=len(tokens) - closing)
