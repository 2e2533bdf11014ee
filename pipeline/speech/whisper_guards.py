"""Signs that the recogniser made something up, and what is done about it.

The thresholds are those of OpenAI's Whisper (Radford et al. 2022, section 4.5).
"""

import re
from collections.abc import Callable, Sequence

from pipeline.speech.whisper_executor import Hypothesis

COMPRESSION = 2.4
"""Text that zlib makes smaller than this goes round in circles."""
LOGPROB = -1.0
"""Below this mean over the tokens the recogniser was guessing."""
NO_SPEECH = 0.6
"""Above this probability, guesses are taken for silence."""
TEMPERATURES = (0.2, 0.4, 0.6, 0.8)
"""Tried in turn when the likeliest text looks made up."""
LOOP_TOKENS = 40
"""Longest phrase that is looked for as a loop, in tokens."""
_ANNOTATION = re.compile(r"(?:[\[(*♪][^\])*♪]*[\])*♪]\W*)+")
"""Nothing but remarks such as [BLANK_AUDIO], (music) or ♪ ♪."""
LOOP_TIMES = 3
"""A phrase said this often without anything between is a loop."""


def is_silent(found: Hypothesis) -> bool:
    """True when what was found is taken for silence or noise."""
    return (
        not found.text
        or _ANNOTATION.fullmatch(found.text) is not None
        or (found.no_speech > NO_SPEECH and found.logprob < LOGPROB)
    )


def is_doubtful(found: Hypothesis) -> bool:
    """True when another draft is worth its cost."""
    return not is_silent(found) and (found.compression > COMPRESSION or found.logprob < LOGPROB)


def settle(first: Hypothesis, draft: Callable[[float], Hypothesis]) -> Hypothesis:
    """The first text, or a draft at the lowest temperature that looks sound, or the best of all."""
    tried = [first]
    for temperature in TEMPERATURES:
        if not is_doubtful(tried[-1]):
            return tried[-1]
        tried.append(draft(temperature))
    if not is_doubtful(tried[-1]):
        return tried[-1]
    return max(tried, key=lambda found: (found.compression <= COMPRESSION, found.logprob))


def cut_loops(tokens: Sequence[int]) -> list[int]:
    """Text tokens with every phrase that is said three or more times in a row said once."""
    kept: list[int] = []
    at = 0
    while at < len(tokens):
        period = next((p for p in range(1, LOOP_TOKENS + 1) if _repeats(tokens, at, p) >= LOOP_TIMES), 0)
        if not period:
            kept.append(tokens[at])
            at += 1
            continue
        kept.extend(tokens[at : at + period])
        at += period * _repeats(tokens, at, period)
    return kept


def _repeats(tokens: Sequence[int], at: int, period: int) -> int:
    """How often the phrase of `period` tokens at `at` follows itself, itself included."""
    phrase, times = tokens[at : at + period], 1
    while len(phrase) == period and tokens[at + period * times : at + period * (times + 1)] == phrase:
        times += 1
    return times
