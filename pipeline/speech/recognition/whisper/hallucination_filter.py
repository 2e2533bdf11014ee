"""Signs that the recogniser made something up, and what is done about it.

`COMPRESSION`, `LOGPROB`, `NO_SPEECH` are those of OpenAI's Whisper (Radford et al. 2022, section 4.5).
The others lie between what noise, rain and music gave (`make bench-speech`: `no_speech` 0.13 to 0.9,
words borne out with 0.02 to 0.42) and what speech gave that was clear, soft, under noise at 5 dB or
on a telephone (at most 0.2, mostly below 0.04, and at least 0.80).
"""

import re
from collections.abc import Callable, Sequence

from pipeline.speech.recognition.whisper.executor import Hypothesis
from pipeline.types import Word

MAX_COMPRESSION_RATIO = 2.4
"""Text that zlib makes smaller than this goes round in circles."""
MIN_MEAN_LOGPROB = -1.0
"""Below this mean over the tokens the recogniser was guessing."""
MAX_NO_SPEECH_PROBABILITY = 0.6
"""Above this probability, guesses are taken for silence."""
MIN_HOPEFUL_LOGPROB, DOUBTFUL_NO_SPEECH_PROBABILITY = -1.5, 0.1
"""A guess below this mean, where there may be nobody with more than this probability, is not tried again."""
MIN_WORD_PROBABILITY = 0.35
"""Mean probability of the words read back against the sound; text below it was made up."""
MIN_DOUBTFUL_WORD_PROBABILITY = 0.65
"""The same where nobody may be speaking, or where words are few."""
MIN_WORDS_PER_SECOND = 0.25
"""Words a second; speech has ten times as many."""
MAX_DRAFT_TOKENS = 224
"""Tokens; half of Whisper's memory."""
MAX_TOKENS_PER_SECOND, SPARE_TOKENS = 18.0, 24
"""More than anybody says, in any script, with timestamps: what goes on beyond it goes round in circles."""
FALLBACK_TEMPERATURES = (0.2, 0.4, 0.6, 0.8)
"""Tried in turn when the likeliest text looks made up."""
MAX_LOOP_TOKENS = 40
"""Longest phrase that is looked for as a loop, in tokens."""
_ANNOTATION = re.compile(r"(?:[\[(*♪][^\])*♪]*[\])*♪]\W*)+")
"""Nothing but remarks such as [BLANK_AUDIO], (music) or ♪ ♪."""
MAX_ANNOTATION_WORDS = 5
"""Words."""
MIN_LOOP_REPEATS = 3
"""A phrase said this often without anything between is a loop."""


def is_silent(found: Hypothesis) -> bool:
    """True when what was found is taken for silence or noise."""
    return (
        not found.text
        or _ANNOTATION.fullmatch(found.text) is not None
        or (found.no_speech > MAX_NO_SPEECH_PROBABILITY and found.logprob < MIN_MEAN_LOGPROB)
        or (found.no_speech > DOUBTFUL_NO_SPEECH_PROBABILITY and found.logprob < MIN_HOPEFUL_LOGPROB)
    )


def is_hallucinated(found: Hypothesis, confidences: Sequence[float], duration: float) -> bool:
    """True when the words of a draft, read back against its `duration` seconds of sound, are not borne out by it."""
    if not confidences:
        return True
    mean = sum(confidences) / len(confidences)
    suspect = found.no_speech > DOUBTFUL_NO_SPEECH_PROBABILITY or len(confidences) < MIN_WORDS_PER_SECOND * duration
    return mean < (MIN_DOUBTFUL_WORD_PROBABILITY if suspect else MIN_WORD_PROBABILITY)


def token_limit(duration: float) -> int:
    """The longest draft, in tokens, that a window of so many seconds can be worth."""
    return min(MAX_DRAFT_TOKENS, SPARE_TOKENS + round(MAX_TOKENS_PER_SECOND * duration))


def drop_annotations(words: Sequence[Word]) -> list[Word]:
    """The words without remarks such as [MUSIC PLAYING] or (laughs), which nobody says."""
    kept: list[Word] = []
    at = 0
    while at < len(words):
        texts = (" ".join(word.text for word in words[at:end]) for end in range(at + 1, at + 1 + MAX_ANNOTATION_WORDS))
        length = next((n for n, text in enumerate(texts, start=1) if _ANNOTATION.fullmatch(text)), 0)
        if not length:
            kept.append(words[at])
        at += max(1, length)
    return kept


def needs_fallback(found: Hypothesis) -> bool:
    """True when another draft is worth its cost."""
    return not is_silent(found) and (found.compression > MAX_COMPRESSION_RATIO or found.logprob < MIN_MEAN_LOGPROB)


def decode_with_fallback(first: Hypothesis, draft: Callable[[float], Hypothesis]) -> Hypothesis:
    """The first text, or a draft at the lowest temperature that looks sound, or the best of all.

    Where there may be nobody, one more draft is enough: noise looks no better at the fourth.
    """
    tried = [first]
    for temperature in (
        FALLBACK_TEMPERATURES[:1] if first.no_speech > DOUBTFUL_NO_SPEECH_PROBABILITY else FALLBACK_TEMPERATURES
    ):
        if not needs_fallback(tried[-1]):
            return tried[-1]
        tried.append(draft(temperature))
    if not needs_fallback(tried[-1]):
        return tried[-1]
    return max(tried, key=lambda found: (found.compression <= MAX_COMPRESSION_RATIO, found.logprob))


def collapse_loops(tokens: Sequence[int]) -> list[int]:
    """Text tokens with every phrase that is said three or more times in a row said once."""
    kept: list[int] = []
    at = 0
    while at < len(tokens):
        period = next((p for p in range(1, MAX_LOOP_TOKENS + 1) if _repeats(tokens, at, p) >= MIN_LOOP_REPEATS), 0)
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
