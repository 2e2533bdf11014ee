"""Whisper over the windows of a clip: language, drafts, hallucination filter, and words put in time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from pipeline.languages import language_name
from pipeline.speech.recognition.base import UNKNOWN_LANGUAGE, DecodedText, RecognitionInput, WindowProgress
from pipeline.speech.recognition.chunking import Window, to_clip_word
from pipeline.speech.recognition.pause_detection import find_pauses
from pipeline.speech.recognition.speech_reader import SAMPLE_RATE
from pipeline.speech.recognition.whisper.alignment import TokenWord, split_words, time_words
from pipeline.speech.recognition.whisper.border_refinement import refine_borders
from pipeline.speech.recognition.whisper.executor import FRAME_SECONDS, Executor, Features, Hypothesis
from pipeline.speech.recognition.whisper.hallucination_filter import (
    MAX_COMPRESSION_RATIO,
    SPARE_TOKENS,
    decode_with_fallback,
    drop_annotations,
    is_hallucinated,
    is_silent,
    token_limit,
)
from pipeline.speech.recognition.whisper.repetition import (
    Loop,
    count_following,
    count_repeats,
    find_loops,
    write_loops,
)
from pipeline.types import Word

BATCH_WINDOWS = 4
"""Windows decoded together; each costs about 40 MB."""
LANGUAGE_WINDOWS = 3
"""Windows from which the language is detected."""
MIN_MISSED_SECONDS = 2.0
"""Speech after the last word from which the rest of a window is recognised again."""
ENCODED_PROGRESS, DECODED_PROGRESS = 0.45, 0.9
"""Progress within a batch when its windows are encoded, and decoded."""
TOKENS_PER_SECOND = 4.0
"""Usual rate of speech, for the progress within a batch."""
MAX_UNLIKELY_PROBABILITY, MIN_LIKELY_PROBABILITY = 0.05, 0.8
"""Probabilities of the language that was asked for, and of another, from which on a note says so."""


class WhisperRecogniser:
    """A loaded Whisper."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def recognise(self, source: RecognitionInput) -> DecodedText:
        """Recognise the words of a clip; the language is detected when none is asked for.

        Raises:
            TranscriptionError: The engine failed.
            Cancelled: Raised by `source.report` when the job was stopped.
        """
        return _Run(self._executor, source).decode()


@dataclass(slots=True)
class _Run:
    """The state of one clip's recognition."""

    executor: Executor
    source: RecognitionInput
    progress: WindowProgress = field(init=False)
    language: str = field(default="", init=False)
    notes: list[str] = field(default_factory=list[str], init=False)

    def __post_init__(self) -> None:
        self.progress = WindowProgress(self.source.report, len(self.source.windows))

    def decode(self) -> DecodedText:
        words: list[Word] = []
        windows = self.source.windows
        for first in range(0, len(windows), BATCH_WINDOWS):
            words += self._recognise_batch(first, windows[first : first + BATCH_WINDOWS])
        language = self.language if words or self.source.language else UNKNOWN_LANGUAGE
        return DecodedText(language=language, words=tuple(words), notes=tuple(self.notes))

    def _recognise_batch(self, first: int, batch: Sequence[Window]) -> Iterator[Word]:
        features: list[Features] = []
        for index, window in enumerate(batch):
            self.progress.update(first, len(batch), ENCODED_PROGRESS * index / len(batch), only=index)
            features.append(self.executor.encode(self.source.reader.read_window(window)))
        if not self.language:
            self._choose_language(self.executor.detect_language(features[:LANGUAGE_WINDOWS]))
        longest = max(window.duration for window in batch)

        def on_token(step: int) -> None:
            share = min(1.0, step / (longest * TOKENS_PER_SECOND))
            self.progress.update(first, len(batch), ENCODED_PROGRESS + (DECODED_PROGRESS - ENCODED_PROGRESS) * share)

        drafts = self.executor.decode(
            features, language=self.language, max_tokens=token_limit(longest), on_token=on_token
        )
        for index, (window, feature, draft) in enumerate(zip(batch, features, drafts, strict=True)):
            share = DECODED_PROGRESS + (1.0 - DECODED_PROGRESS) * index / len(batch)
            self.progress.update(first, len(batch), share, only=index)
            yield from self._finish_window(window, feature, draft)

    def _choose_language(self, probabilities: Mapping[str, float]) -> None:
        """Take the language that was asked for, or the likeliest; note when the clip sounds like another."""
        likeliest = max(probabilities, key=lambda code: probabilities[code])
        asked = self.source.language
        self.language = asked or likeliest
        unlikely = asked and probabilities.get(asked, 0.0) < MAX_UNLIKELY_PROBABILITY
        if asked and unlikely and probabilities[likeliest] > MIN_LIKELY_PROBABILITY:
            self.notes.append(
                f"The clip sounds like {language_name(likeliest)}, but {language_name(asked)} was asked for."
            )

    def _finish_window(self, window: Window, features: Features, draft: Hypothesis) -> Iterator[Word]:
        """Yield the words of one window; what the recogniser left out at its end is recognised once more."""
        found = decode_with_fallback(draft, lambda temperature: self._draft(window, features, temperature))
        words = self._place_words(window, features, found)
        yield from words
        last = self._last_timestamp(found)
        rest = window.remainder(last) if words and last > 0.0 else None
        while rest and sum(chunk.duration for chunk in rest.chunks) > MIN_MISSED_SECONDS:
            encoded = self.executor.encode(self.source.reader.read_window(rest))
            again = self._decode_alone(rest, encoded)
            words = self._place_words(rest, encoded, again)
            yield from words
            last = self._last_timestamp(again)
            rest = rest.remainder(last) if words and last > MIN_MISSED_SECONDS else None

    def _decode_alone(self, window: Window, features: Features) -> Hypothesis:
        def draft(temperature: float) -> Hypothesis:
            return self._draft(window, features, temperature)

        return decode_with_fallback(draft(0.0), draft)

    def _draft(self, window: Window, features: Features, temperature: float) -> Hypothesis:
        """Decode one window by itself; the progress stands still, but a cancel takes effect."""
        (found,) = self.executor.decode(
            [features],
            language=self.language,
            temperature=temperature,
            max_tokens=token_limit(window.duration),
            on_token=lambda _: self.progress.repeat(),
        )
        return found

    def _place_words(self, window: Window, features: Features, found: Hypothesis) -> list[Word]:
        """Put the words of a draft in time; none when the sound does not bear them out."""
        if is_silent(found):
            return []
        tokenizer = self.executor.vocabulary(self.language)
        text = [token for token in found.tokens if token < tokenizer.eos_token_id]
        loops = find_loops(text)
        suspect = found.compression > MAX_COMPRESSION_RATIO
        once = write_loops(text, loops, [1] * len(loops)) if suspect else text
        timed = self._time_words(window, features, once)
        # In a language that nobody speaks here no word is borne out; who asked for it gets them all the same.
        if not self.notes and is_hallucinated(found, [word.confidence for word in timed], window.duration):
            return []
        counts = [self._count_repeats(window, features, text, loop, trusted=not suspect) for loop in loops]
        counted = write_loops(text, loops, counts)
        if counted != once:
            timed = self._time_words(window, features, counted)
        return [to_clip_word(word, window, self.source.speech_spans) for word in timed]

    def _time_words(self, window: Window, features: Features, text: Sequence[int]) -> list[Word]:
        """Put the words of a text in time, on the window's clock."""
        timed = self._align(window, features, split_words(self.executor.vocabulary(self.language), text, self.language))
        return drop_annotations([word for word in timed if word.text])

    def _align(self, window: Window, features: Features, words: Sequence[TokenWord]) -> list[Word]:
        text = [token for word in words for token in word.tokens]
        attention = self.executor.attend(features, text, language=self.language)
        samples = self.source.reader.read_window(window)
        pauses = find_pauses(samples, round(FRAME_SECONDS * SAMPLE_RATE))
        return refine_borders(time_words(words, attention, window.duration, pauses), samples)

    def _count_repeats(
        self, window: Window, features: Features, text: Sequence[int], loop: Loop, *, trusted: bool
    ) -> int:
        """Count the repeats of a loop in the stretch of sound where the text has it."""
        words = split_words(self.executor.vocabulary(self.language), text, self.language)
        starts = list(accumulate((len(word.tokens) for word in words), initial=0))
        inside = [
            word
            for word, start, end in zip(self._align(window, features, words), starts, starts[1:], strict=False)
            if start < loop.end and end > loop.start
        ]
        first, last = min(word.start for word in inside), max(word.end for word in inside)
        sound = self.source.reader.read_window(window)[round(first * SAMPLE_RATE) :]
        end = round((last - first) * SAMPLE_RATE)
        counted = count_repeats(sound[:end], SAMPLE_RATE, loop.times, trusted=trusted)
        rest = len(text) - loop.end
        if counted == loop.times and rest <= loop.period:
            # The end of the text may be the phrase once more, with a full stop of its own.
            counted += max(0, count_following(sound, SAMPLE_RATE, end) - (rest > 0))
        seconds = window.duration - first if counted > loop.times else last - first
        return max(1, min(counted, (token_limit(seconds) - SPARE_TOKENS) // loop.period))

    def _last_timestamp(self, found: Hypothesis) -> float:
        """Find the last timestamp, in seconds of the window; speech after it was not written down."""
        zero = self.executor.timestamp_begin()
        return max((token - zero for token in found.tokens if token >= zero), default=0) * FRAME_SECONDS
