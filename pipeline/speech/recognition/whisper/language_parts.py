"""Languages within a clip: which part of a window is said in which.

Whisper tells one language for half a minute. Here its decoder is shown short stretches of what the encoder made of a
window, and the likeliest path through the languages is found (Viterbi), on which each change costs. Where the language
changes the window is cut at a quiet moment that has most of the one language before it and of the other after it, and
each part is heard by itself. Constants were chosen on the tuning half of `tests.bench.speech_languages`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.intervals import Interval
from pipeline.audio.voice_activity import frame_powers
from pipeline.speech.recognition.chunking import Window
from pipeline.speech.recognition.speech_reader import SAMPLE_RATE, SpeechReader
from pipeline.speech.recognition.whisper.executor import FRAME_SECONDS, Executor
from pipeline.speech.recognition.whisper.word_placement import Part

STRETCH_SECONDS = 2.0
"""From which a language is told."""
STEP_SECONDS = 0.5
"""From one stretch to the next."""
MIN_LOGPROB = -6.0
"""Of a language in a stretch: short ones are told wrongly with much certainty."""
CHANGE_COST, SPEAKER_CHANGE_COST = 1.5, 0.75
"""In nats, where two stretches that do not overlap tell a nat each; the latter where another voice takes over."""
SPEAKER_CHANGE_GAIN = 3.0
"""In nats, of a cut where another voice takes over."""
SURE_PROBABILITY = 0.9
"""Of a language in a stretch, from which on it may be one of the clip's."""
MIN_LANGUAGE_SECONDS = 1.0
"""In a row that are surely a language, before it is one of the clip's."""
FIRST_WINDOWS = 3
"""Of a clip that tell its main language, whatever else is spoken in it."""
CUT_REACH_SECONDS = 1.6
"""By which a cut may lie off the step at which the language changes."""
CUT_STEP_SECONDS = 0.1
"""Between two places for a cut."""
SIDE_SECONDS = 1.5
"""Of sound on each side of a cut that tell whether it parts the languages."""
QUIET_DECIBELS = 10.0
"""By which a place is quieter than the sound around it, and so worth a nat more."""


QUIET_FRAME_SECONDS = 0.04
"""Over which the sound at a place is measured."""


@dataclass(slots=True)
class LanguageListener:
    """Tells the languages of a clip, window after window."""

    executor: Executor
    reader: SpeechReader
    speaker_changes: Sequence[float] = ()
    """Seconds of the clip at which another voice takes over."""
    _known: set[str] = field(default_factory=set[str], init=False)
    _last: str | None = field(default=None, init=False)

    def split(self, windows: Sequence[Part]) -> list[Part]:
        """Cut windows where the language changes.

        Args:
            windows: In order of the clip; their language is not known.
        """
        heard = [self._hear(window) for window in windows]
        codes = self.executor.languages
        for scores in heard:
            self._known |= {codes[index] for index in find_sure(scores)}
        if self._last is None:
            # What all of it sounds like: the stretches of a short clip may be sure of nothing.
            shares = self.executor.detect_language([window.features for window in windows[:FIRST_WINDOWS]])
            self._known.add(max(shares, key=lambda code: shares[code]))
        known = sorted(self._known)
        columns = [codes.index(code) for code in known]
        parts: list[Part] = []
        for window, scores in zip(windows, heard, strict=True):
            first = None if self._last is None else known.index(self._last)
            costs = np.full(len(scores), CHANGE_COST)
            for time in self._changes_in(window.window):
                # The step that begins nearest.
                costs[min(round(time / STEP_SECONDS), len(costs) - 1)] = SPEAKER_CHANGE_COST
            path = trace_languages(scores[:, columns], costs, first)
            parts += self._cut(window, [known[index] for index in path])
            self._last = known[path[-1]]
        return parts

    def others(self, language: str) -> list[str]:
        """List the languages of the clip but one."""
        return sorted(self._known - {language})

    def _hear(self, part: Part) -> NDArray[np.float64]:
        """Compute log-probabilities of the languages at each step of a window, shape (steps, languages)."""
        frames = _count_frames(part)
        width = min(frames, round(STRETCH_SECONDS / FRAME_SECONDS))
        step = STEP_SECONDS / FRAME_SECONDS
        middles = step * (np.arange(max(1, round(frames / step))) + 0.5)
        firsts = np.clip(np.round(middles - width / 2), 0, frames - width).astype(int)
        # Near the ends of a window steps share a stretch.
        distinct, places = np.unique(firsts, return_inverse=True)
        spans = [(int(first), int(first) + width) for first in distinct]
        return self.executor.detect_languages(part.features, spans)[places]

    def _cut(self, part: Part, path: Sequence[str]) -> list[Part]:
        """Cut a window between the steps at which the language changes."""
        changes = [index for index, (last, following) in enumerate(pairwise(path), start=1) if last != following]
        if not changes:
            return [replace(part, language=path[0])]
        bounds = [0, *changes, len(path)]
        cuts = [
            self._find_cut(part, (bounds[place] * STEP_SECONDS, bounds[place + 2] * STEP_SECONDS), index, path)
            for place, index in enumerate(changes)
        ]
        edges = [0.0, *cuts, part.window.duration]
        found: list[Part] = []
        for index, (start, end) in enumerate(pairwise(edges)):
            window = part.window.between(start, end)
            if window is not None:
                features = self.executor.encode(self.reader.read_window(window))
                language = path[0] if index == 0 else path[changes[index - 1]]
                found.append(Part(window=window, features=features, language=language))
        return found

    def _find_cut(self, part: Part, limits: Interval, change: int, path: Sequence[str]) -> float:
        """Find where one language gives way to another, in seconds of the window.

        Args:
            part: The window.
            limits: Where the stretch before begins and the one after ends, in seconds of the window.
            change: The first step of the new language.
            path: The language of each step.
        """
        time, frames = change * STEP_SECONDS, _count_frames(part)
        low, high = max(limits[0], time - CUT_REACH_SECONDS), min(limits[1], time + CUT_REACH_SECONDS)
        taken_over = [change for change in self._changes_in(part.window) if low < change < high]
        places = np.array([*taken_over, *np.arange(low + CUT_STEP_SECONDS, high, CUT_STEP_SECONDS)])
        side = min(round(SIDE_SECONDS / FRAME_SECONDS), frames)
        middles = np.round(places / FRAME_SECONDS).astype(int)
        starts = [*np.clip(middles - side, 0, frames - side), *np.clip(middles, 0, frames - side)]
        spans = [(int(start), int(start) + side) for start in starts]
        columns = [self.executor.languages.index(path[step]) for step in (change - 1, change)]
        scores = np.maximum(self.executor.detect_languages(part.features, spans)[:, columns], MIN_LOGPROB)
        odds = scores[:, 0] - scores[:, 1]
        gains = odds[: len(places)] - odds[len(places) :] + self._measure_quiet(part.window, places)
        gains[: len(taken_over)] += SPEAKER_CHANGE_GAIN
        return float(places[int(gains.argmax())])

    def _changes_in(self, window: Window) -> list[float]:
        """List when another voice takes over inside a window, in its seconds."""
        first, last = window.chunks[0].start, window.chunks[-1].end
        return [window.to_window_time(time) for time in self.speaker_changes if first < time < last]

    def _measure_quiet(self, window: Window, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Measure how much quieter the sound is at each place than around all of them, in nats."""
        samples = self.reader.read_window(window)
        half = round(CUT_STEP_SECONDS * SAMPLE_RATE / 2)
        frame = round(QUIET_FRAME_SECONDS * SAMPLE_RATE)
        levels: list[float] = []
        for place in places:
            middle = round(place * SAMPLE_RATE)
            powers = frame_powers(samples[max(0, middle - half - frame // 2) : middle + half + frame // 2], frame)
            levels.append(10.0 * float(np.log10(powers.min(initial=1.0) + 1e-9)))
        return (np.median(levels) - np.array(levels)) / QUIET_DECIBELS


def _count_frames(part: Part) -> int:
    """Count the frames of the features that have sound."""
    return max(1, min(part.features.shape[1], round(part.window.duration / FRAME_SECONDS)))


def find_sure(scores: NDArray[np.float64]) -> list[int]:
    """Find the languages that are sure for a while.

    Args:
        scores: Log-probabilities, shape (steps, languages).
    """
    sure = scores > np.log(SURE_PROBABILITY)
    least = round(MIN_LANGUAGE_SECONDS / STEP_SECONDS)
    runs = np.array([sure[first : first + least].all(axis=0) for first in range(max(1, len(sure) - least + 1))])
    return [int(index) for index in np.flatnonzero(runs.any(axis=0))]


def trace_languages(scores: NDArray[np.float64], costs: NDArray[np.float64], first: int | None) -> list[int]:
    """Find the likeliest languages, one for each step.

    Args:
        scores: Log-probabilities, shape (steps, languages).
        costs: Of a change before each step, shape (steps,).
        first: The language before the first step; None: none is known.
    """
    share = STEP_SECONDS / STRETCH_SECONDS
    gains = share * np.maximum(scores, MIN_LOGPROB)
    total = np.zeros(scores.shape[1])
    if first is not None:
        total -= np.where(np.arange(len(total)) == first, 0.0, costs[0])
    origins = np.zeros(scores.shape, np.int64)
    for step, (gain, cost) in enumerate(zip(gains, costs, strict=True)):
        changed = int(total.argmax())
        stays = total >= total[changed] - cost
        origins[step] = np.where(stays, np.arange(len(total)), changed)
        total = np.where(stays, total, total[changed] - cost) + gain
    path = [int(total.argmax())]
    for step in range(len(gains) - 1, 0, -1):
        path.append(int(origins[step, path[-1]]))
    return path[::-1]
