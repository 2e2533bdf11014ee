"""Repeats of a phrase: what the recogniser writes again and again is counted in the sound.

A decoder that has written a phrase three times goes on easily, whether or not anybody does, and its probabilities are
no help, for a loop is all but certain of its next word. But a phrase that is said several times sounds like itself:
the spectrum of its stretch of sound, laid over itself one phrase later, agrees. On clips that were made for this
(`tests.bench.repetition`) the correlation is mostly 0.6 to 1.0 where a phrase is repeated. Steady noise stays below
0.1; beeps repeat themselves as well as a phrase does, so a loop over them is cut only by the words' own confidences.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.float32]
Features: TypeAlias = NDArray[np.float64]
"""Shape (frames, bands)."""

MAX_PHRASE_TOKENS: Final = 40
"""Longest phrase that is looked for."""
MIN_REPEATS: Final = 3
"""A phrase that stands this often without anything between is in question."""
MIN_CORRELATION: Final = 0.55
"""Of the sound with itself one phrase later, where the phrase is said again."""
SURE_CORRELATION: Final = 0.6
"""The same from which the sound overrules a text that looks sound otherwise, or adds what was left out."""
MIN_SUPPORT_SHARE: Final = 0.3
"""Of the highest correlation that the sound has at the text's own period, if the text is right."""
SHORTEST_PERIOD_SHARE: Final = 0.7
"""Of the highest correlation from which a shorter period is taken for the phrase, and the longer for some of them."""
MAX_SKIPPED_FACTOR: Final = 2
"""Times that a text may have to be written out for the repeats that it skipped."""
MIN_PERIOD_SECONDS: Final = 0.15
MAX_PERIOD_SHARE: Final = 0.7
"""Of the stretch; a longer period would leave too little to compare."""
MAX_PAUSE_SHARE: Final = 0.8
"""Of a period that may be a pause, which the last phrase has not; the rest is the inaccuracy of the edges."""
MAX_PERIOD_DRIFT: Final = 0.2
"""Share of a period by which the next repeat may come earlier or later."""
MAX_PHRASE_STRETCH: Final = 1.7
"""By which a phrase and the pause after it may take longer than its first words let expect."""
_HOP_SECONDS, _FRAME_SECONDS = 0.01, 0.025
_BANDS, _RANGE_DECADES = 40, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """A phrase that stands several times in a row."""

    start: int
    """Index of its first token."""
    period: int
    """Tokens of the phrase."""
    times: int

    @property
    def end(self) -> int:
        """Index after its last token."""
        return self.start + self.period * self.times


def find_loops(tokens: Sequence[Hashable]) -> list[Loop]:
    """Find the phrases that stand `MIN_REPEATS` or more times in a row, in order and without overlap.

    Args:
        tokens: What is the same in all repeats of a phrase, such as tokens without case and kind of punctuation.
    """
    loops: list[Loop] = []
    at = 0
    while at < len(tokens):
        for period in range(1, MAX_PHRASE_TOKENS + 1):
            times = _count_in_row(tokens, at, period)
            if times >= MIN_REPEATS:
                loops.append(Loop(start=at, period=period, times=times))
                at = loops[-1].end - 1
                break
        at += 1
    return loops


def write_loops(tokens: Sequence[int], loops: Sequence[Loop], times: Sequence[int]) -> list[int]:
    """Write each loop of a text as often as `times` says.

    Repeats stand as they are, the last of them with its own punctuation; where there are too few, the second is
    written again.
    """
    written: list[int] = []
    at = 0
    for loop, count in zip(loops, times, strict=True):
        first, *others = (tokens[start : start + loop.period] for start in range(loop.start, loop.end, loop.period))
        inner, last = others[:-1], others[-1:]
        added = [(inner or [first])[0]] * (count - loop.times)
        kept = [first] if count <= 1 else [first, *inner[: count - 2], *added, *last]
        written += tokens[at : loop.start]
        written += [token for repeat in kept for token in repeat]
        at = loop.end
    return [*written, *tokens[at:]]


def count_repeats(samples: Samples, rate: int, written: int, *, trusted: bool) -> int:
    """Count how often a phrase is said.

    Args:
        samples: The stretch of sound from its first repeat to its last, shape (frames,).
        rate: Of the samples, in Hz.
        written: How often the text has it.
        trusted: The text looks sound otherwise, so that without any evidence it stands.

    Returns:
        The count; where the sound does not repeat, that of the text if it is trusted, else 1.
    """
    default = written if trusted else 1
    features = _spectrum(samples, rate)
    peaks = _find_periods(features)
    best = max((score for score, _ in peaks), default=0.0)
    if best < MIN_CORRELATION:
        return default
    shortest, longest = 0.85 * len(features) / written, 1.05 * len(features) / (written - 1)
    own = max((score for score, period in peaks if shortest <= period <= longest), default=0.0)
    if own >= MIN_SUPPORT_SHARE * best:
        # Twice the period of a phrase agrees, too: then the text has skipped some.
        finer = [peak for peak in peaks if peak[1] < shortest and peak[0] >= max(own, SURE_CORRELATION)]
        counted = _count_periods(features, max(finer)[1]) if finer and trusted else written
        return counted if written < counted <= MAX_SKIPPED_FACTOR * written else written
    if best < SURE_CORRELATION and trusted:
        return written
    counted = _count_periods(features, _choose_period(peaks, best))
    return counted if best >= SURE_CORRELATION else min(counted, written)


def count_said(samples: Samples, rate: int, certain: int, share: float) -> int:
    """Count how often a phrase is said that the text has once; 1 where the sound does not surely repeat itself.

    Args:
        samples: The stretch of sound that the phrase was laid over, shape (frames,).
        rate: Of the samples, in Hz.
        certain: Samples at the beginning in which it is said for certain; music that repeats itself is no voice.
        share: Of the phrase's words that are said in these. By them it is known about how long the phrase is: where two
            voices take turns, the sound repeats itself only with every second one.
    """
    features = _spectrum(samples, rate)
    peaks = _find_periods(features)
    best = max((score for score, _ in peaks), default=0.0)
    if best < SURE_CORRELATION:
        return 1
    period, width = _choose_period(peaks, best), max(1, round(certain / rate / _HOP_SECONDS))
    if period > MAX_PHRASE_STRETCH * width / share:
        return 1
    width = min(width, len(features) - period)
    if _correlate(features[:width], features[period : period + width]) < MIN_CORRELATION:
        return 1
    return _count_periods(features, period)


def count_following(samples: Samples, rate: int, end: int) -> int:
    """Count the repeats that go on after those that the text has.

    Args:
        samples: The sound from the first repeat on, shape (frames,).
        rate: Of the samples, in Hz.
        end: Where the text's repeats end, in samples.
    """
    features, at = _spectrum(samples, rate), round(end / rate / _HOP_SECONDS)
    peaks = _find_periods(features[:at])
    best = max((score for score, _ in peaks), default=0.0)
    if best < SURE_CORRELATION:
        return 0
    period = _choose_period(peaks, best)
    count = 0
    while at + (1.0 - MAX_PERIOD_DRIFT) * period <= len(features):
        nearest, farthest = round((1.0 - MAX_PERIOD_DRIFT) * period), round((1.0 + MAX_PERIOD_DRIFT) * period)
        width = min(period, len(features) - at)
        score, delay = max(
            (_correlate(features[at - delay :][:width], features[at:][:width]), delay)
            for delay in range(nearest, min(farthest, at) + 1)
        )
        if score < MIN_CORRELATION:
            break
        count, at = count + 1, at + delay
    return count


def _count_periods(features: Features, period: int) -> int:
    return max(1, ceil(len(features) / period - (1.0 - MAX_PAUSE_SHARE)))


def _choose_period(peaks: Sequence[tuple[float, int]], best: float) -> int:
    return min(period for score, period in peaks if score >= SHORTEST_PERIOD_SHARE * best)


def _correlate(first: Features, second: Features) -> float:
    norm = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / max(norm, 1e-9))


def _find_periods(features: Features) -> list[tuple[float, int]]:
    """Return (correlation, frames) of each delay at which the sound agrees with itself better than around it."""
    first, last = round(MIN_PERIOD_SECONDS / _HOP_SECONDS), round(MAX_PERIOD_SHARE * len(features))
    scores: list[float] = []
    for delay in range(first, last):
        scores.append(_correlate(features[:-delay], features[delay:]))
    return [
        (scores[index], first + index)
        for index in range(1, len(scores) - 1)
        if scores[index - 1] <= scores[index] > scores[index + 1]
    ]


def _spectrum(samples: Samples, rate: int) -> Features:
    """Compute the logarithmic mel spectrum without its mean, shape (frames, bands)."""
    hop, width = round(_HOP_SECONDS * rate), round(_FRAME_SECONDS * rate)
    if len(samples) < width + hop:
        return np.zeros((0, _BANDS))
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), width)[::hop] * np.hanning(width)
    power = np.abs(np.fft.rfft(frames)) ** 2
    highest = 2595.0 * np.log10(1.0 + rate / 1400.0)
    edges = [700.0 * (10.0 ** (highest * band / (_BANDS + 1) / 2595.0) - 1.0) for band in range(_BANDS + 2)]
    low, middle, high = (np.array(edges[first : first + _BANDS])[:, None] for first in range(3))
    bins = np.fft.rfftfreq(width, 1.0 / rate).astype(np.float64)
    filters = np.clip(np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle)), 0.0, None)
    bands = np.log10(np.maximum(power @ filters.T, 1e-10))
    bands = np.maximum(bands, bands.max() - _RANGE_DECADES)
    return bands - bands.mean(axis=0)


def _count_in_row(tokens: Sequence[Hashable], at: int, period: int) -> int:
    """Count how often the phrase of `period` tokens at `at` stands in a row."""
    phrase, times = tokens[at : at + period], 1
    while len(phrase) == period and tokens[at + period * times : at + period * (times + 1)] == phrase:
        times += 1
    return times
