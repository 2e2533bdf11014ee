"""Refinement of the borders between words that follow each other without a pause, by the sound itself.

The decoder's attention says to about 50 ms where one word passes into the next. Nearby, the border is where the
spectrum before differs most from the spectrum after.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.recognition.whisper.weights import compute_mel_filters
from pipeline.types import Word

SAMPLE_RATE = 16_000
HOP = 80
"""Samples between two spectra; 5 ms."""
WIDTH = 400
"""Samples of a spectrum; 25 ms."""
SIDE_HOPS = 12
"""Spectra on each side of a border that are compared; 60 ms."""
REACH_SECONDS = 0.1
"""By which a border is moved at most."""
BORDER_DEVIATION_SECONDS = 0.05
"""Standard deviation of the attention's borders."""
MIN_WORD_SECONDS = 0.04
"""That is left of a word on each side of its border."""
MAX_GAP_SECONDS = 0.021
"""Between two words that follow each other without a pause; a frame of the attention."""
ONSET_SECONDS, RELEASE_SECONDS = 0.03, 0.015
"""From a border or a pause to the beginning of the next word, and from the end of the last one to the border: the sound
changes before the next word's first phoneme is there. Chosen on the tuning half of `tests.bench.recognition_times`."""


def refine_borders(words: Sequence[Word], samples: NDArray[np.float32]) -> list[Word]:
    """Move the borders of words that touch to where the sound changes.

    Args:
        words: In order of time, in seconds of the window.
        samples: The window at 16 kHz, shape (samples,).
    """
    change = _measure_change(samples)
    starts, ends = [word.start for word in words], [word.end for word in words]
    for index, (last, following) in enumerate(pairwise(words)):
        if abs(following.start - last.end) <= MAX_GAP_SECONDS:
            border = _find_border(change, starts[index], (last.end + following.start) / 2, following.end)
            if border is not None:
                ends[index], starts[index + 1] = border - RELEASE_SECONDS, border
    return [
        replace(word, start=max(start, min(start + ONSET_SECONDS, end - MIN_WORD_SECONDS / 2)), end=max(start, end))
        for word, start, end in zip(words, starts, ends, strict=True)
    ]


def _find_border(change: NDArray[np.float64], start: float, middle: float, end: float) -> float | None:
    """Find the border near `middle` between a word that starts at `start` and one that ends at `end`, in seconds."""
    low = max(start + MIN_WORD_SECONDS, middle - REACH_SECONDS)
    high = min(end - MIN_WORD_SECONDS, middle + REACH_SECONDS)
    hops = np.arange(int(np.ceil(low * SAMPLE_RATE / HOP)), min(int(high * SAMPLE_RATE / HOP) + 1, len(change)))
    if not len(hops):
        return None
    times = hops * HOP / SAMPLE_RATE
    likelihood = change[hops] - ((times - middle) / BORDER_DEVIATION_SECONDS) ** 2 / 2
    return float(times[likelihood.argmax()])


def _measure_change(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Measure how the spectrum changes at each hop, in standard deviations of the window, shape (hops,)."""
    count = len(samples) // HOP
    if not count:
        return np.zeros(0)
    padded = np.pad(samples.astype(np.float64), (WIDTH // 2, WIDTH))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WIDTH)[: count * HOP : HOP]
    powers = np.abs(np.fft.rfft(frames * np.hanning(WIDTH), axis=1)) ** 2
    bands = np.log10(np.maximum(powers @ compute_mel_filters().T, 1e-8))
    sums = np.cumsum(np.pad(bands, ((SIDE_HOPS + 1, SIDE_HOPS), (0, 0)), mode="edge"), axis=0)
    means = (sums[SIDE_HOPS:] - sums[:-SIDE_HOPS]) / SIDE_HOPS
    change = np.linalg.norm(means[:count] - means[SIDE_HOPS : SIDE_HOPS + count], axis=1)
    return (change - change.mean()) / max(float(change.std()), 1e-9)
