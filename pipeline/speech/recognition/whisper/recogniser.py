"""Whisper over the windows of a clip: languages, drafts, hallucination filter, and words put in time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from pipeline.audio.intervals import Interval
from pipeline.languages import language_name
from pipeline.speech.recognition.base import DecodedText, RecognitionInput, WindowProgress
from pipeline.speech.recognition.chunking import Window, to_clip_word
from pipeline.speech.recognition.spoken_languages import settle_languages
from pipeline.speech.recognition.whisper.executor import FRAME_SECONDS, Executor, Hypothesis
from pipeline.speech.recognition.whisper.hallucination_filter import decode_with_fallback, token_limit
from pipeline.speech.recognition.whisper.language_parts import LanguageListener
from pipeline.speech.recognition.whisper.missed_speech import drop_cut_word, find_missed, is_sparse
from pipeline.speech.recognition.whisper.word_placement import Part, WordPlacement
from pipeline.types import Word

BATCH_WINDOWS = 4
"""Windows decoded together; each costs about 40 MB."""
LANGUAGE_WINDOWS = 3
"""Windows from which it is told whether a clip is in the language that was asked for."""
MIN_REST_SECONDS = 2.0
"""Of a window after its last word, from which on they are recognised by themselves."""
MAX_LEVELS = 5
"""Times that what was left out is cut out of what was left out."""
MIN_SHORTER_SECONDS = 0.3
"""By which what is heard again is shorter than what it is cut from."""
ENCODED_PROGRESS, DECODED_PROGRESS = 0.45, 0.9
"""Progress within a batch when its windows are encoded, and decoded."""
MIN_OTHER_PROBABILITY = 0.5
"""Of another language, in speech that says nothing in the one around it."""
TOKENS_PER_SECOND = 4.0
"""Usual rate of speech, for the progress within a batch."""
MAX_UNLIKELY_PROBABILITY, MIN_LIKELY_PROBABILITY = 0.05, 0.8
"""Probabilities of the language that was asked for, and of another, from which on a note says so."""


class WhisperRecogniser:
    """A loaded Whisper."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def recognise(self, source: RecognitionInput) -> DecodedText:
        """Recognise the words of a clip; its languages are detected when none is asked for.

        Raises:
            TranscriptionError: The engine failed.
            Cancelled: Raised by `source.report` when the job was stopped.
        """
        return _Run(self._executor, source).decode()


@dataclass(frozen=True, slots=True)
class _Ahead:
    """A window that was recognised before the others were heard."""

    part: Part
    words: list[Word]


@dataclass(slots=True)
class _Run:
    """The state of one clip's recognition."""

    executor: Executor
    source: RecognitionInput
    progress: WindowProgress = field(init=False)
    placement: WordPlacement = field(init=False)
    listener: LanguageListener = field(init=False)
    notes: list[str] = field(default_factory=list[str], init=False)

    def __post_init__(self) -> None:
        self.progress = WindowProgress(self.source.report, len(self.source.windows))
        self.placement = WordPlacement(executor=self.executor, reader=self.source.reader)
        self.listener = LanguageListener(self.executor, self.source.reader, self.source.speaker_changes)

    def decode(self) -> DecodedText:
        words: list[Word] = []
        windows = self.source.windows
        for first in range(0, len(windows), BATCH_WINDOWS):
            words += self._recognise_batch(first, windows[first : first + BATCH_WINDOWS])
        spoken = settle_languages(words, self.source.language)
        return DecodedText(language=spoken.language, words=spoken.words, notes=tuple(self.notes))

    def _recognise_batch(self, first: int, batch: Sequence[Window]) -> Iterator[Word]:
        # People soon read something where the first window of a long clip does not wait for the others.
        ahead = self._hear_ahead(batch) if first == 0 and 1 < len(batch) < len(self.source.windows) else None
        parts = [] if ahead is None else [replace(ahead.part, language=self.source.language or "")]
        for index in range(len(parts), len(batch)):
            self.progress.update(first, len(batch), ENCODED_PROGRESS * index / len(batch), only=index)
            features = self.executor.encode(self.source.reader.read_window(batch[index]))
            parts.append(Part(window=batch[index], features=features, language=self.source.language or ""))
        if self.source.language is None:
            parts = self.listener.split(parts)
        elif first == 0:
            self._compare_language(self.source.language, parts[:LANGUAGE_WINDOWS])
        if ahead is not None and self._holds(ahead, parts[0]):
            yield from ahead.words
            parts = parts[1:]
        yield from self._recognise_group(first, len(batch), parts)

    def _hear_ahead(self, batch: Sequence[Window]) -> _Ahead:
        """Recognise the first window of a batch before the others are heard, in the language that it sounds like."""
        self.progress.update(0, len(batch), 0.0, only=0)
        features = self.executor.encode(self.source.reader.read_window(batch[0]))
        shares = {} if self.source.language else self.executor.detect_language([features])
        language = self.source.language or max(shares, key=lambda code: shares[code])
        part = Part(window=batch[0], features=features, language=language)
        words = self._finish_part(part, self._draft(part, 0.0))
        self.source.draft.add(words, language)
        return _Ahead(part=part, words=words)

    def _holds(self, ahead: _Ahead, part: Part) -> bool:
        """Tell whether a window would be recognised again as it was, now that the others are known."""
        same = part.window == ahead.part.window and part.language == ahead.part.language
        return same and bool(ahead.words) and not self.notes

    def _recognise_group(self, first: int, count: int, parts: Sequence[Part]) -> Iterator[Word]:
        """Recognise parts of `count` windows from `first` on, which are decoded together."""
        last: list[Word] = []
        for index, (part, draft) in enumerate(zip(parts, self._draft_parts(first, count, parts), strict=True)):
            share = DECODED_PROGRESS + (1.0 - DECODED_PROGRESS) * index / len(parts)
            self.progress.update(first, count, share)
            words = self._finish_part(part, draft)
            # Nothing may be a language that was told wrongly.
            for language in () if words else self.listener.others(part.language):
                other = replace(part, language=language)
                words = words or self._finish_part(other, self._draft(other, 0.0))
            self.source.draft.add(words, part.language)
            yield from drop_cut_word(last, words)
            last = words
        yield from last

    def _compare_language(self, asked: str, parts: Sequence[Part]) -> None:
        """Note when the clip sounds like another language than the one that was asked for."""
        probabilities = self.executor.detect_language([part.features for part in parts])
        likeliest = max(probabilities, key=lambda code: probabilities[code])
        unlikely = probabilities.get(asked, 0.0) < MAX_UNLIKELY_PROBABILITY
        if unlikely and probabilities[likeliest] > MIN_LIKELY_PROBABILITY:
            self.notes.append(
                f"The clip sounds like {language_name(likeliest)}, but {language_name(asked)} was asked for."
            )

    def _draft_parts(self, first: int, count: int, parts: Sequence[Part]) -> list[Hypothesis]:
        """Decode the parts of `count` windows, those of one language together."""
        drafts: dict[int, Hypothesis] = {}
        for language in dict.fromkeys(part.language for part in parts):
            places = [place for place, part in enumerate(parts) if part.language == language]
            for start in range(0, len(places), BATCH_WINDOWS):
                group = places[start : start + BATCH_WINDOWS]
                longest = max(parts[place].window.duration for place in group)
                done = len(drafts) / len(parts)
                step_share = (DECODED_PROGRESS - ENCODED_PROGRESS) * len(group) / len(parts)

                def on_token(
                    step: int, longest: float = longest, done: float = done, whole: float = step_share
                ) -> None:
                    share = min(1.0, step / (longest * TOKENS_PER_SECOND))
                    begun = ENCODED_PROGRESS + (DECODED_PROGRESS - ENCODED_PROGRESS) * done
                    self.progress.update(first, count, begun + whole * share)

                found = self.executor.decode(
                    [parts[place].features for place in group],
                    language=language,
                    max_tokens=token_limit(longest),
                    on_token=on_token,
                )
                drafts |= dict(zip(group, found, strict=True))
        return [drafts[place] for place in range(len(parts))]

    def _finish_part(self, part: Part, draft: Hypothesis, level: int = 0) -> list[Word]:
        """Return the words of one part; what the recogniser left out is recognised by itself.

        Args:
            part: What is heard.
            draft: The likeliest text of it.
            level: How often what was left out has been cut out before.
        """
        found = decode_with_fallback(draft, lambda temperature: self._draft(part, temperature))
        timed = self.placement.place(part, found, believed=bool(self.notes), doubted=level > 0)
        words = self._on_clip(part, timed)
        if not timed or level >= MAX_LEVELS:
            return words
        pauses = self.placement.find_pauses(part.window)
        if is_sparse(timed, pauses):
            halves = [word for half in self._halve(part.window) for word in self._hear_again(part, half, level)]
            return max(words, halves, key=len)
        heard = self._heard_until(part, found, timed)
        missed = [span for span in find_missed(timed, pauses) if span[0] < heard]
        rest = part.window.duration - max(heard, *(end for _, end in missed), timed[-1].end)
        if heard > 0.0 and rest > MIN_REST_SECONDS:
            missed.append((part.window.duration - rest, part.window.duration))
        for start, end in missed:
            before = sum(word.start < start for word in timed)
            again = self._hear_again(part, (start, end), level)
            place = len(words) - (len(timed) - before)
            words[place:place] = again
        return words

    def _hear_again(self, part: Part, span: Interval, level: int) -> list[Word]:
        """Recognise a span of a part, in seconds of its window, by itself."""
        window = part.window.between(*span)
        if window is None or window.duration > part.window.duration - MIN_SHORTER_SECONDS:
            return []
        features = self.executor.encode(self.source.reader.read_window(window))
        again = Part(window=window, features=features, language=part.language)
        words = self._finish_part(again, self._draft(again, 0.0), level + 1)
        if words or self.source.language is not None:
            return words
        # What says nothing in the language around it may be a sentence in another.
        shares = self.executor.detect_language([features])
        likeliest = max(shares, key=lambda code: shares[code])
        if likeliest == part.language or shares[likeliest] < MIN_OTHER_PROBABILITY:
            return []
        other = replace(again, language=likeliest)
        return self._finish_part(other, self._draft(other, 0.0), level + 1)

    def _halve(self, window: Window) -> tuple[Interval, Interval]:
        """Cut a window at the quietest moment near its middle."""
        third = window.duration / 3
        start, end = window.to_clip_time(third), window.to_clip_time(2 * third)
        middle = window.to_window_time(self.source.reader.find_quietest(start, end))
        return (0.0, middle), (middle, window.duration)

    def _on_clip(self, part: Part, words: Sequence[Word]) -> list[Word]:
        placed = (to_clip_word(word, part.window, self.source.speech_spans) for word in words)
        return [replace(word, language=part.language) for word in placed]

    def _draft(self, part: Part, temperature: float) -> Hypothesis:
        """Decode one part by itself; the progress stands still, but a cancel takes effect."""
        (found,) = self.executor.decode(
            [part.features],
            language=part.language,
            temperature=temperature,
            max_tokens=token_limit(part.window.duration),
            on_token=lambda _: self.progress.repeat(),
        )
        return found

    def _heard_until(self, part: Part, found: Hypothesis, timed: Sequence[Word]) -> float:
        """Find where the text of a draft ends, in seconds of the window; speech after it was not written down."""
        zero = self.executor.timestamp_begin()
        stamps = [place for place, token in enumerate(found.tokens) if token >= zero]
        last = (found.tokens[stamps[-1]] - zero) * FRAME_SECONDS if stamps else 0.0
        end = self.executor.vocabulary(part.language).eos_token_id
        unfinished = any(token < end for token in found.tokens[stamps[-1] + 1 if stamps else 0 :])
        # What is written after the last timestamp is heard there, too; else it would be written twice.
        return max(last, timed[-1].end) if unfinished and timed else last
