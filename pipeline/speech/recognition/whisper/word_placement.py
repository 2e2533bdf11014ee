"""Words of a draft, put in time, with its loops written as often as the sound repeats them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.recognition.chunking import Window
from pipeline.speech.recognition.pause_detection import find_pauses
from pipeline.speech.recognition.speech_reader import SAMPLE_RATE, SpeechReader
from pipeline.speech.recognition.whisper.alignment import TokenWord, is_punctuation, split_words, time_words
from pipeline.speech.recognition.whisper.border_refinement import refine_borders
from pipeline.speech.recognition.whisper.counting import write_counts
from pipeline.speech.recognition.whisper.executor import FRAME_SECONDS, Executor, Features, Hypothesis
from pipeline.speech.recognition.whisper.hallucination_filter import (
    MAX_COMPRESSION_RATIO,
    MAX_DRAFT_TOKENS,
    SPARE_TOKENS,
    drop_annotations,
    is_hallucinated,
    is_silent,
    token_limit,
)
from pipeline.speech.recognition.whisper.missed_speech import find_missed, find_torn
from pipeline.speech.recognition.whisper.repetition import (
    Loop,
    count_following,
    count_repeats,
    count_said,
    find_loops,
    write_loops,
)
from pipeline.types import Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A window, or what of it is said in one language."""

    window: Window
    features: Features
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WordPlacement:
    """Puts words in time."""

    executor: Executor
    reader: SpeechReader

    def place(self, part: Part, found: Hypothesis, *, believed: bool = False, doubted: bool = False) -> list[Word]:
        """Put the words of a draft in time, on the clock of its window; none when the sound does not bear them out.

        Args:
            part: What was heard.
            found: The draft.
            believed: The words are wanted even where the sound does not bear them out.
            doubted: They must be borne out as well as where nobody may be speaking.
        """
        if is_silent(found):
            return []
        tokenizer = self.executor.vocabulary(part.language)
        text = [token for token in found.tokens if token < tokenizer.eos_token_id]
        text = write_counts(tokenizer, text, part.language, MAX_DRAFT_TOKENS)
        loops = find_loops(find_sounds(text, [tokenizer.decode(token) for token in text]))
        suspect = found.compression > MAX_COMPRESSION_RATIO
        once = write_loops(text, loops, [1] * len(loops)) if suspect else text
        timed = self._time_words(part, once)
        confidences = [word.confidence for word in timed]
        if not believed and is_hallucinated(found, confidences, part.window.duration, doubted=doubted):
            return []
        counts = [self._count_repeats(part, text, loop, trusted=not suspect) for loop in loops]
        counted = write_loops(text, loops, counts)
        timed = timed if counted == once else self._time_words(part, counted)
        if not find_torn(timed, find_missed(timed, self.find_pauses(part.window))):
            return timed
        again = self._repeat_torn(part, counted)
        return timed if again == counted else self._time_words(part, again)

    def find_pauses(self, window: Window) -> NDArray[np.bool_]:
        """Mark the frames of a window in which nothing is heard, shape (frames,)."""
        return find_pauses(self.reader.read_window(window), round(FRAME_SECONDS * SAMPLE_RATE))

    def _time_words(self, part: Part, text: Sequence[int]) -> list[Word]:
        timed = self._align(part, split_words(self.executor.vocabulary(part.language), text, part.language))
        return drop_annotations([word for word in timed if word.text])

    def _align(self, part: Part, words: Sequence[TokenWord]) -> list[Word]:
        text = [token for word in words for token in word.tokens]
        attention = self.executor.attend(part.features, text, language=part.language)
        timed = time_words(words, attention, part.window.duration, self.find_pauses(part.window))
        return refine_borders(timed, self.reader.read_window(part.window))

    def _repeat_torn(self, part: Part, text: Sequence[int]) -> list[int]:
        """Write sentences that were laid over several times that they are said as often as the sound has them."""
        words = split_words(self.executor.vocabulary(part.language), text, part.language)
        starts = list(accumulate((len(word.tokens) for word in words), initial=0))
        placed = self._align(part, words)
        samples = self.reader.read_window(part.window)
        loops, counts = list[Loop](), list[int]()
        for torn in find_torn(placed, find_missed(placed, self.find_pauses(part.window))):
            start, end = placed[torn.first].start, placed[torn.past - 1].end
            period = starts[torn.past] - starts[torn.first]
            sound = samples[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]
            certain = max(1, round((torn.whole_until - start) * SAMPLE_RATE))
            said = count_said(sound, SAMPLE_RATE, certain, torn.share)
            loops.append(Loop(start=starts[torn.first], period=period, times=1))
            counts.append(max(1, min(said, (token_limit(end - start) - SPARE_TOKENS) // period)))
        return write_loops(text, loops, counts)

    def _count_repeats(self, part: Part, text: Sequence[int], loop: Loop, *, trusted: bool) -> int:
        """Count the repeats of a loop in the stretch of sound where the text has it."""
        words = split_words(self.executor.vocabulary(part.language), text, part.language)
        starts = list(accumulate((len(word.tokens) for word in words), initial=0))
        inside = [
            word
            for word, start, end in zip(self._align(part, words), starts, starts[1:], strict=False)
            if start < loop.end and end > loop.start
        ]
        first, last = min(word.start for word in inside), max(word.end for word in inside)
        sound = self.reader.read_window(part.window)[round(first * SAMPLE_RATE) :]
        end = round((last - first) * SAMPLE_RATE)
        counted = count_repeats(sound[:end], SAMPLE_RATE, loop.times, trusted=trusted)
        rest = len(text) - loop.end
        if counted == loop.times and rest <= loop.period:
            # The end of the text may be the phrase once more, with a full stop of its own.
            counted += max(0, count_following(sound, SAMPLE_RATE, end) - (rest > 0))
        seconds = part.window.duration - first if counted > loop.times else last - first
        return max(1, min(counted, (token_limit(seconds) - SPARE_TOKENS) // loop.period))


def find_sounds(tokens: Sequence[int], texts: Sequence[str]) -> list[int | str]:
    """Find what is heard of each token: no case, and of the mark behind a word nothing but that there is one."""
    sounds: list[int | str] = []
    spoken = False
    for token, text in zip(tokens, texts, strict=True):
        is_part = "\ufffd" in text
        if not is_part and is_punctuation(text):
            sounds.append("" if spoken else token)
            spoken = False
        else:
            sounds.append(token if is_part else text.casefold())
            spoken = True
    return sounds
