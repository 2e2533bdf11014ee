"""The likeliest path from speaker to speaker through the words of a clip, by the time at which each is heard.

Where two people speak at once, the recogniser goes on with the sentence that it is in. So a change of speaker costs
something inside a sentence and nothing after its end or at a pause, and the path of least cost is found (Viterbi 1967,
"Error bounds for convolutional codes and an asymptotically optimum decoding algorithm"). Constants were chosen on the
tuning halves of `tests.bench.speech_seams`, where they lie in the middle of a range with the same errors.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.alignment.sentences import CLOSING_MARKS, OPENING_MARKS, ends_sentence
from pipeline.speech.diarization.segments import Timeline, by_speaker
from pipeline.types import Diarization, Word

SILENT_COST: Final = 2.0
"""Of a word during which its speaker is not heard, and in part of a word that the speaker is heard in part of."""
OVERLAPPED_COST: Final = 0.05
"""Of a word during which somebody else is heard best."""
CHANGE_COST: Final = 0.9
"""Of a change of speaker where people seldom change, which is inside a sentence."""
SPEAKER_PAUSE_SECONDS: Final = 0.25
"""From which on a pause may be that between two speakers."""
MAX_DISTANCE_SECONDS: Final = 1.0
"""From a word in silence to a speaker, above which the distance costs no more."""
MIN_WORD_SECONDS: Final = 0.02
INTERRUPTIONS: Final = ("--", "—", "–")  # noqa: RUF001 - dashes
"""What a recogniser writes where somebody is interrupted."""


def find_speaker_path(words: Sequence[Word], diarization: Diarization) -> list[str]:
    """Find the speaker of each word.

    Args:
        words: In the order in which they were said.
        diarization: When each speaker is heard; somebody must be.

    Returns:
        A label of the diarization for each word.
    """
    if not words:
        return []
    timelines, exclusive = by_speaker(diarization.segments), by_speaker(diarization.exclusive)
    names = list(timelines)
    costs = np.array([[_word_cost(word, timelines[name], exclusive.get(name)) for name in names] for word in words])
    changes = [0.0 if may_change(last, following) else CHANGE_COST for last, following in pairwise(words)]
    path = _find_cheapest_path(costs, changes)
    return [names[state] for state in path]


def may_change(last: Word, following: Word) -> bool:
    """Tell whether people often change between two words: a sentence ends or is interrupted, or there is a pause."""
    paused = following.start - last.end >= SPEAKER_PAUSE_SECONDS or following.start < last.start
    return paused or _is_interrupted(last.text, following.text) or ends_sentence(last.text, following.text)


def _is_interrupted(text: str, following: str) -> bool:
    """Tell whether a dash ends a sentence; one that goes on in lower case or with a number stands inside."""
    after = following.lstrip(OPENING_MARKS)[:1]
    return text.rstrip(CLOSING_MARKS).endswith(INTERRUPTIONS) and not after.islower() and not after.isdigit()


def _word_cost(word: Word, timeline: Timeline, exclusive: Timeline | None) -> float:
    """Compute what it costs to give a word to a speaker."""
    seconds = max(word.end - word.start, MIN_WORD_SECONDS)
    heard = timeline.covered_duration(word.start, word.end) / seconds
    if heard <= 0.0:
        distance = timeline.distance(word.start, word.end) / MAX_DISTANCE_SECONDS
        return SILENT_COST * (1.0 + min(1.0, distance)) + OVERLAPPED_COST
    best = 0.0 if exclusive is None else exclusive.covered_duration(word.start, word.end) / seconds
    return SILENT_COST * (1.0 - heard) + OVERLAPPED_COST * (1.0 - best)


def _find_cheapest_path(costs: NDArray[np.float64], change_costs: Sequence[float]) -> list[int]:
    """Find the states of least cost, of shape (steps, states); a change after step n costs `change_costs[n]`."""
    states = np.arange(costs.shape[1], dtype=np.intp)
    totals = costs[0]
    origins: list[NDArray[np.intp]] = []
    for step, change in zip(costs[1:], change_costs, strict=True):
        cheapest = int(totals.argmin())
        changed = totals[cheapest] + change
        origins.append(np.where(totals <= changed, states, cheapest))
        totals = np.minimum(totals, changed) + step
    path = [int(totals.argmin())]
    for origin in reversed(origins):
        path.append(int(origin[path[-1]]))
    return path[::-1]
