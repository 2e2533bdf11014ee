"""Detection of text that the recogniser invented, and decoding with temperature fallback.

The compression ratio, log-probability and no-speech thresholds are those of OpenAI's Whisper (Radford et al.
2022, section 4.5). The others lie between what noise, rain and music gave (`make bench-speech`: `no_speech`
0.13 to 0.9, mean word probability 0.02 to 0.42) and what speech gave that was clear, soft, under noise at 5 dB
or on a telephone (at most 0.2, mostly below 0.04, and at least 0.80).
"""

import re
from collections.abc import Callable, Sequence

from pipeline.speech.recognition.whisper.executor import Hypothesis
from pipeline.types import Word

MAX_COMPRESSION_RATIO = 2.4
"""Text that zlib makes smaller than this is a loop."""
MIN_MEAN_LOGPROB = -1.0
"""Mean over the tokens below which the recogniser was guessing."""
MAX_NO_SPEECH_PROBABILITY = 0.6
"""Above it, guesses are taken for silence."""
MIN_HOPEFUL_LOGPROB, DOUBTFUL_NO_SPEECH_PROBABILITY = -1.5, 0.1
"""A guess below this mean, with more than this probability that nobody speaks, is taken for silence."""
MIN_WORD_PROBABILITY = 0.35
"""Mean probability of the words against the sound; text below it was made up."""
MIN_DOUBTFUL_WORD_PROBABILITY = 0.65
"""The same where nobody may be speaking, or where words are few."""
MIN_WORDS_PER_SECOND = 0.25
"""Speech has ten times as many."""
MAX_DRAFT_TOKENS = 224
"""Half of Whisper's context."""
MAX_TOKENS_PER_SECOND, SPARE_TOKENS = 18.0, 24
"""More than anybody says, in any script, with timestamps: what goes on beyond it is a loop."""
FALLBACK_TEMPERATURES = (0.2, 0.4, 0.6, 0.8)
"""Tried in turn when the likeliest text looks made up."""
_ANNOTATION = re.compile(r"(?:[\[(*♪][^\])*♪]*[\])*♪]\W*)+")
"""Nothing but remarks such as [BLANK_AUDIO], (music) or ♪ ♪."""
MAX_ANNOTATION_WORDS = 5


def is_silent(found: Hypothesis) -> bool:
    """Tell whether a draft is taken for silence or noise."""
    return (
        not found.text
        or _ANNOTATION.fullmatch(found.text) is not None
        or (found.no_speech > MAX_NO_SPEECH_PROBABILITY and found.logprob < MIN_MEAN_LOGPROB)
        or (found.no_speech > DOUBTFUL_NO_SPEECH_PROBABILITY and found.logprob < MIN_HOPEFUL_LOGPROB)
    )


def is_hallucinated(found: Hypothesis, confidences: Sequence[float], duration: float, *, doubted: bool = False) -> bool:
    """Tell whether the sound does not bear out the words of a draft.

    Args:
        found: The draft.
        confidences: Probabilities of its words against the sound.
        duration: Seconds of its window.
        doubted: Something else tells that nobody may be speaking.
    """
    if not confidences:
        return True
    mean = sum(confidences) / len(confidences)
    suspect = (
        doubted
        or found.no_speech > DOUBTFUL_NO_SPEECH_PROBABILITY
        or len(confidences) < MIN_WORDS_PER_SECOND * duration
    )
    return mean < (MIN_DOUBTFUL_WORD_PROBABILITY if suspect else MIN_WORD_PROBABILITY)


def token_limit(duration: float) -> int:
    """Compute the longest draft, in tokens, that a window of `duration` seconds can hold."""
    return min(MAX_DRAFT_TOKENS, SPARE_TOKENS + round(MAX_TOKENS_PER_SECOND * duration))


def drop_annotations(words: Sequence[Word]) -> list[Word]:
    """Drop annotations such as [MUSIC PLAYING] or (laughs), which nobody says."""
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
    """Tell whether another draft, at a higher temperature, is worth its cost."""
    return not is_silent(found) and (found.compression > MAX_COMPRESSION_RATIO or found.logprob < MIN_MEAN_LOGPROB)


def decode_with_fallback(first: Hypothesis, draft: Callable[[float], Hypothesis]) -> Hypothesis:
    """Decode again at rising temperatures for as long as a draft looks made up.

    Where nobody may be speaking, one more draft is enough: noise looks no better at the fourth.

    Args:
        first: The draft at temperature 0.
        draft: Makes a draft at a temperature.

    Returns:
        The first draft that looks sound, else the best of all.
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
