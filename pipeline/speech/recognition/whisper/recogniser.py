"""Whisper over the windows of a clip: language, drafts, guards, and words put in time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.languages import language_name
from pipeline.speech.recognition.base import UNKNOWN_LANGUAGE, DecodedText, RecognitionInput, WindowProgress
from pipeline.speech.recognition.chunking import Window, trim_to_speech
from pipeline.speech.recognition.pause_detection import find_pauses
from pipeline.speech.recognition.speech_reader import SAMPLE_RATE
from pipeline.speech.recognition.whisper.alignment import TimedWord, split_words, time_words
from pipeline.speech.recognition.whisper.executor import FRAME_SECONDS, Executor, Features, Hypothesis
from pipeline.speech.recognition.whisper.hallucination_filter import (
    MAX_COMPRESSION_RATIO,
    collapse_loops,
    decode_with_fallback,
    drop_annotations,
    is_hallucinated,
    is_silent,
    token_limit,
)
from pipeline.types import Word

BATCH_WINDOWS = 4
"""Windows decoded together; each costs about 40 MB."""
LANGUAGE_WINDOWS = 3
"""Windows that the language is found on."""
MIN_MISSED_SECONDS = 2.0
"""Seconds of speech after the last word; with more, the rest of the window is listened to again."""
LOADED_PROGRESS = 0.03
ENCODED_PROGRESS, DECODED_PROGRESS = 0.45, 0.9
"""Share of a batch's time that is over when its windows are encoded, and decoded."""
TOKENS_PER_SECOND = 4.0
"""Usual rate of speech, to tell how far a batch is."""
MAX_UNLIKELY_PROBABILITY, MIN_LIKELY_PROBABILITY = 0.05, 0.8
"""Probabilities of the language that was asked for, and of another, from which on people are told."""


class WhisperRecogniser:
    """A loaded Whisper."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def run(self, listening: RecognitionInput) -> DecodedText:
        """All words of the windows; the language is found when none is asked for."""
        return _Run(self._executor, listening).result()


@dataclass(slots=True)
class _Run:
    executor: Executor
    listening: RecognitionInput
    pace: WindowProgress = field(init=False)
    language: str = field(default="", init=False)
    notes: list[str] = field(default_factory=list[str], init=False)

    def __post_init__(self) -> None:
        self.pace = WindowProgress(self.listening.report, len(self.listening.windows), LOADED_PROGRESS)

    def result(self) -> DecodedText:
        words: list[Word] = []
        windows = self.listening.windows
        for first in range(0, len(windows), BATCH_WINDOWS):
            words += self._recognise(first, windows[first : first + BATCH_WINDOWS])
        found = self.language if words or self.listening.language else UNKNOWN_LANGUAGE
        return DecodedText(language=found, words=tuple(words), notes=tuple(self.notes))

    def _recognise(self, first: int, batch: Sequence[Window]) -> Iterator[Word]:
        features: list[Features] = []
        for index, window in enumerate(batch):
            self.pace.update(first, len(batch), ENCODED_PROGRESS * index / len(batch), only=index)
            features.append(self.executor.encode(self.listening.reader.read_window(window)))
        if not self.language:
            self._choose_language(self.executor.detect_language(features[:LANGUAGE_WINDOWS]))
        longest = max(window.duration for window in batch)

        def tick(step: int) -> None:
            share = min(1.0, step / (longest * TOKENS_PER_SECOND))
            self.pace.update(first, len(batch), ENCODED_PROGRESS + (DECODED_PROGRESS - ENCODED_PROGRESS) * share)

        drafts = self.executor.decode(features, language=self.language, max_tokens=token_limit(longest), on_token=tick)
        for index, (window, feature, draft) in enumerate(zip(batch, features, drafts, strict=True)):
            self.pace.update(
                first, len(batch), DECODED_PROGRESS + (1.0 - DECODED_PROGRESS) * index / len(batch), only=index
            )
            yield from self._finish(window, feature, draft)

    def _choose_language(self, chances: Mapping[str, float]) -> None:
        """Take the language that was asked for, or the likeliest; say so when the clip sounds like another."""
        likeliest = max(chances, key=lambda code: chances[code])
        asked = self.listening.language
        self.language = asked or likeliest
        if asked and chances.get(asked, 0.0) < MAX_UNLIKELY_PROBABILITY and chances[likeliest] > MIN_LIKELY_PROBABILITY:
            self.notes.append(
                f"The clip sounds like {language_name(likeliest)}, but {language_name(asked)} was asked for."
            )

    def _finish(self, window: Window, features: Features, draft: Hypothesis) -> Iterator[Word]:
        """Words of one window, on the clip's clock; what the recogniser left out at its end is tried once more."""
        found = decode_with_fallback(draft, lambda temperature: self._draft(window, features, temperature))
        words = self._place(window, features, found)
        yield from words
        last = self._last_time(found)
        rest = window.remainder(last) if words and last > 0.0 else None
        while rest and sum(piece.duration for piece in rest.chunks) > MIN_MISSED_SECONDS:
            encoded = self.executor.encode(self.listening.reader.read_window(rest))
            again = self._settled(rest, encoded)
            words = self._place(rest, encoded, again)
            yield from words
            last = self._last_time(again)
            rest = rest.remainder(last) if words and last > MIN_MISSED_SECONDS else None

    def _settled(self, window: Window, features: Features) -> Hypothesis:
        return decode_with_fallback(
            self._draft(window, features, 0.0), lambda temperature: self._draft(window, features, temperature)
        )

    def _draft(self, window: Window, features: Features, temperature: float) -> Hypothesis:
        """Decode one window by itself; the progress stands still, but a cancel is seen."""
        (found,) = self.executor.decode(
            [features],
            language=self.language,
            temperature=temperature,
            max_tokens=token_limit(window.duration),
            on_token=lambda _: self.pace.repeat(),
        )
        return found

    def _place(self, window: Window, features: Features, found: Hypothesis) -> list[Word]:
        """The words of a draft with their times; none when the sound does not bear them out."""
        if is_silent(found):
            return []
        tokenizer = self.executor.vocabulary(self.language)
        text = [token for token in found.tokens if token < tokenizer.eos_token_id]
        if found.compression > MAX_COMPRESSION_RATIO:
            text = collapse_loops(text)
        attention = self.executor.attend(features, text, language=self.language)
        pauses = find_pauses(self.listening.reader.read_window(window), round(FRAME_SECONDS * SAMPLE_RATE))
        timed = time_words(split_words(tokenizer, text, self.language), attention, window.duration, pauses)
        timed = drop_annotations([word for word in timed if word.text])
        # In a language that nobody speaks here no word is borne out; who asked for it gets them all the same.
        if not self.notes and is_hallucinated(found, [word.confidence for word in timed], window.duration):
            return []
        return [self._to_clip(window, word) for word in timed]

    def _to_clip(self, window: Window, word: TimedWord) -> Word:
        start, end = trim_to_speech(*window.to_clip_span(word.start, word.end), self.listening.speech_spans)
        confidence = min(1.0, max(0.0, word.confidence))
        return Word(start=round(start, 3), end=round(end, 3), text=word.text, confidence=round(confidence, 3))

    def _last_time(self, found: Hypothesis) -> float:
        """The last timestamp, seconds of the window: speech after it was not written down."""
        zero = self.executor.timestamp_begin()
        return max((token - zero for token in found.tokens if token >= zero), default=0) * FRAME_SECONDS
