"""Speech that a draft leaves out, by what its words cover of the sound.

Whisper skips what it takes for a repeat, and what is said in a language that it was not told. Then its words stand at
one end of the window, or are spread over all of it. Constants were chosen on the tuning halves of
`tests.bench.speech_verbatim`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.intervals import Interval
from pipeline.audio.voice_activity import find_runs
from pipeline.speech.recognition.whisper.alignment import is_punctuation
from pipeline.speech.recognition.whisper.executor import FRAME_SECONDS
from pipeline.speech.recognition.whisper.word_durations import SENTENCE_END, count_spoken
from pipeline.types import Word

WORD_MARGIN_SECONDS = 0.25
"""Around a word that counts as covered by it; its times are not exact."""
MIN_MISSED_SECONDS = 0.8
"""Of sound that no word covers, without a pause, before it is heard again."""
EDGE_SECONDS = 0.15
"""Of sound before and after missed speech that is heard with it."""
MIN_WORDS_PER_SECOND = 1.0
"""Of sound that is no pause; slow speech has twice as many."""
MAX_CUT_WORD_SECONDS, MAX_CUT_GAP_SECONDS = 0.1, 0.1
"""Of a word whose beginning a cut has left to the part before it, and from that to the whole word."""
MIN_SPARSE_SECONDS = 2.5
"""Of sound that is no pause, before too few words say anything."""


def find_missed(words: Sequence[Word], pauses: NDArray[np.bool_]) -> list[Interval]:
    """Find the stretches between, before and after words in which there is sound, in seconds of the window.

    Args:
        words: On the window's clock.
        pauses: Marks the frames of the window in which nothing is heard, shape (frames,).
    """
    covered = np.zeros(len(pauses), np.bool_)
    for word in words:
        first = max(0, round((word.start - WORD_MARGIN_SECONDS) / FRAME_SECONDS))
        covered[first : round((word.end + WORD_MARGIN_SECONDS) / FRAME_SECONDS)] = True
    missed: list[Interval] = []
    for first, past in find_runs(~covered):
        heard = np.flatnonzero(~pauses[first:past]) + int(first)
        if len(heard) * FRAME_SECONDS >= MIN_MISSED_SECONDS:
            start, end = int(heard[0]) * FRAME_SECONDS, int(heard[-1] + 1) * FRAME_SECONDS
            missed.append((max(0.0, start - EDGE_SECONDS), min(len(pauses) * FRAME_SECONDS, end + EDGE_SECONDS)))
    return missed


@dataclass(frozen=True, slots=True, kw_only=True)
class TornSentence:
    """A sentence with missed speech between two of its words."""

    first: int
    """Index of its first word."""
    past: int
    """Index after its last word."""
    whole_until: float
    """Where the missed speech begins, in seconds."""
    share: float
    """Of its words that begin before that."""


def find_torn(words: Sequence[Word], missed: Sequence[Interval]) -> list[TornSentence]:
    """Find the sentences that missed speech tears apart.

    Args:
        words: In order of time; a sentence ends at its punctuation.
        missed: Stretches of missed speech, on the same clock.
    """
    firsts = [0, *(place + 1 for place, word in enumerate(words[:-1]) if word.text.endswith(SENTENCE_END))]
    torn: list[TornSentence] = []
    for first, past in pairwise([*firsts, len(words)]):
        for start, end in missed:
            before = sum(word.start < start for word in words[first:past])
            after = any(word.end > end for word in words[first:past])
            if before and after:
                torn.append(TornSentence(first=first, past=past, whole_until=start, share=before / (past - first)))
                break
    return torn


def drop_cut_word(words: Sequence[Word], following: Sequence[Word]) -> list[Word]:
    """Drop the last word of a part where it is the beginning of the word that the next part has whole.

    Args:
        words: Of a part, on the clip's clock.
        following: Of the part after it.
    """
    if words and following:
        beginning, whole = (find_letters(word.text) for word in (words[-1], following[0]))
        is_short = words[-1].end - words[-1].start <= MAX_CUT_WORD_SECONDS
        touches = following[0].start - words[-1].end <= MAX_CUT_GAP_SECONDS
        if is_short and touches and beginning and whole.startswith(beginning):
            return list(words[:-1])
    return list(words)


def find_letters(text: str) -> str:
    """Return what is said of a word, without case."""
    return "".join(letter for letter in text.casefold() if not is_punctuation(letter))


def is_sparse(words: Sequence[Word], pauses: NDArray[np.bool_]) -> bool:
    """Tell whether there are too few words for the sound, so that the times of those that are there tell nothing."""
    seconds = float((~pauses).sum()) * FRAME_SECONDS
    said = sum(count_spoken(word.text) for word in words)
    return seconds >= MIN_SPARSE_SECONDS and said < MIN_WORDS_PER_SECOND * seconds
