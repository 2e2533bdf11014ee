"""The stage that writes down what is said: speech packed into windows, recognised, words put in time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from pipeline import sound
from pipeline.errors import ModelError, TranscriptionError
from pipeline.models import Models, model_digest
from pipeline.speech.pieces import PAUSE, Window, find_speech, pack, trim_to_speech
from pipeline.speech.whisper_alignment import split_words, time_words
from pipeline.speech.whisper_executor import FRAME, SAMPLE_RATE, Executor, Features, Hypothesis, load_executor
from pipeline.speech.whisper_guards import COMPRESSION, cut_loops, is_silent, settle
from pipeline.speech.whisper_weights import load_converted
from pipeline.stages import Facts, Report, Work
from pipeline.types import Diarization, JsonValue, ModelUse, Recognition, Word

STAGE = "transcribe"
ENGINE = "paddlespeech-whisper"
BATCH = 4
"""Windows decoded together; each costs about 40 MB."""
LANGUAGE_WINDOWS = 3
"""Windows that the language is found on."""
MISSED = 2.0
"""Seconds of speech after the last word; with more, the rest of the window is listened to again."""
UNKNOWN = "und"
"""ISO 639 for a language that cannot be told, as when nobody speaks."""
LOADED = 0.03
ENCODED, DECODED = 0.45, 0.9
"""Share of a batch's time that is over when its windows are encoded, and decoded."""
TOKENS_PER_SECOND = 4.0
"""Usual rate of speech, to tell how far a batch is."""
AUDIBLE = 10 ** (-60 / 20)
"""Peak, linear; a window that stays below it holds no speech."""
QUIET_FRAME = 0.05
"""Seconds over which loudness is taken where a cut has to be found."""


def transcribe_stage(work: Work) -> Facts:
    """Recognise `speech` where `diarization` hears anybody; writes `recognition.json`.

    Raises `TranscriptionError`, a `ModelError`, or `Cancelled` through `report`.
    """
    name, asked = str(work.params["model"]), cast("str | None", work.params.get("language"))
    entry = work.models.entry(name)
    if entry.engine != ENGINE:
        raise ModelError(f"{name} cannot write down speech.", mend="Choose another preset.", detail=entry.engine)
    diarization = _read_diarization(work.inputs["diarization"])
    speech = Speech(work.inputs["speech"])
    spans = find_speech(diarization.segments, speech.duration)
    windows = [w for w in pack(diarization.segments, speech.duration, speech.quietest) if speech.is_audible(w)]
    recognition, models = Recognition(language=asked or UNKNOWN, words=()), list[ModelUse]()
    if windows:
        work.report(0.0, "loading the recogniser")
        executor = _load(work.models, name)
        work.report(LOADED, "listening")
        recognition = Recogniser(executor, speech, windows, spans, work.report).run(asked)
        models.append(
            ModelUse(stage=STAGE, engine=ENGINE, model=name, licence=entry.licence, digest=model_digest(name))
        )
    (work.out / "recognition.json").write_bytes(msgspec.json.encode(recognition))
    work.report(1.0, f"{len(recognition.words)} words")
    return {
        "language": recognition.language,
        "words": len(recognition.words),
        "models": cast("JsonValue", msgspec.to_builtins(models)),
        "windows": len(windows),
    }


class Speech:
    """The sound file for speech models, read window by window."""

    def __init__(self, path: Path) -> None:
        self._path = path
        info = sound.info(path)
        if info.sample_rate != SAMPLE_RATE or info.channels != 1:
            raise TranscriptionError(
                "The sound for the recogniser is not 16 kHz mono.",
                detail=f"{path}: {info.sample_rate} Hz, {info.channels} channels",
            )
        self.duration = info.duration

    def read(self, start: float, end: float) -> NDArray[np.float32]:
        """Samples between two times."""
        first = round(start * SAMPLE_RATE)
        return sound.read(self._path, start=first, frames=max(0, round(end * SAMPLE_RATE) - first))[:, 0]

    def render(self, window: Window) -> NDArray[np.float32]:
        """The sound of a window, silence between its pieces included."""
        gap = np.zeros(round(PAUSE * SAMPLE_RATE), np.float32)
        parts: list[NDArray[np.float32]] = []
        for piece in window.pieces:
            parts += [self.read(piece.start, piece.end), gap]
        return np.concatenate(parts[:-1])

    def is_audible(self, window: Window) -> bool:
        """False for digital silence and the like, which the recogniser would put words to."""
        return any(np.abs(self.read(piece.start, piece.end)).max(initial=0.0) > AUDIBLE for piece in window.pieces)

    def quietest(self, start: float, end: float) -> float:
        """The middle of the quietest moment between two times."""
        size = round(QUIET_FRAME * SAMPLE_RATE)
        samples = self.read(start, end)
        powers = np.square(samples[: len(samples) // size * size]).reshape(-1, size).mean(axis=1)
        if len(powers) < 4:
            return (start + end) / 2
        smooth = np.convolve(powers, np.ones(3) / 3, mode="valid")
        return start + (int(smooth.argmin()) + 1.5) * QUIET_FRAME


@dataclass(slots=True)
class Recogniser:
    """One run over the windows of a clip."""

    executor: Executor
    speech: Speech
    windows: Sequence[Window]
    spans: Sequence[tuple[float, float]]
    """Where anybody speaks, as `find_speech` gave it."""
    report: Report
    _language: str = field(default="", init=False)
    _told: tuple[float, str] = field(default=(LOADED, ""), init=False)

    def run(self, language: str | None) -> Recognition:
        """All words of the windows, in the order in which they were said; the language is found when None is given."""
        self._language = language or ""
        words: list[Word] = []
        for first in range(0, len(self.windows), BATCH):
            words += self._recognise(first, self.windows[first : first + BATCH])
        found = self._language if words or language else UNKNOWN
        return Recognition(language=found, words=tuple(words))

    def _recognise(self, first: int, batch: Sequence[Window]) -> Iterator[Word]:
        features: list[Features] = []
        for index, window in enumerate(batch):
            self._tell(first, len(batch), ENCODED * index / len(batch), only=index)
            features.append(self.executor.encode(self.speech.render(window)))
        if not self._language:
            chances = self.executor.detect_language(features[:LANGUAGE_WINDOWS])
            self._language = max(chances, key=lambda code: chances[code])
        expected = max(window.duration for window in batch) * TOKENS_PER_SECOND

        def tick(step: int) -> None:
            self._tell(first, len(batch), ENCODED + (DECODED - ENCODED) * min(1.0, step / expected))

        drafts = self.executor.decode(features, language=self._language, tick=tick)
        for index, (window, feature, draft) in enumerate(zip(batch, features, drafts, strict=True)):
            self._tell(first, len(batch), DECODED + (1.0 - DECODED) * index / len(batch), only=index)
            yield from self._finish(window, feature, draft)

    def _finish(self, window: Window, features: Features, draft: Hypothesis) -> Iterator[Word]:
        """Words of one window, on the clip's clock; what the recogniser left out at its end is tried once more."""
        found = settle(draft, lambda temperature: self._draft(features, temperature))
        yield from self._place(window, features, found)
        last = self._last_time(found)
        rest = window.after(last) if last > 0.0 and not is_silent(found) else None
        while rest and sum(piece.duration for piece in rest.pieces) > MISSED:
            encoded = self.executor.encode(self.speech.render(rest))
            again = settle(self._draft(encoded, 0.0), lambda t, encoded=encoded: self._draft(encoded, t))
            yield from self._place(rest, encoded, again)
            last = self._last_time(again)
            rest = rest.after(last) if last > MISSED and not is_silent(again) else None

    def _draft(self, features: Features, temperature: float) -> Hypothesis:
        """Decode one window by itself; the progress stands still, but a cancel is seen."""
        (found,) = self.executor.decode(
            [features], language=self._language, temperature=temperature, tick=lambda _: self._repeat()
        )
        return found

    def _place(self, window: Window, features: Features, found: Hypothesis) -> Iterator[Word]:
        if is_silent(found):
            return
        tokenizer = self.executor.vocabulary(self._language)
        text = [token for token in found.tokens if token < tokenizer.eos_token_id]
        if found.compression > COMPRESSION:
            text = cut_loops(text)
        words = split_words(tokenizer, text, self._language)
        attention = self.executor.attend(features, text, language=self._language)
        for word in time_words(words, attention, window.duration):
            start, end = trim_to_speech(*window.to_clip_span(word.start, word.end), self.spans)
            if word.text:
                confidence = min(1.0, max(0.0, word.confidence))
                yield Word(start=round(start, 3), end=round(end, 3), text=word.text, confidence=round(confidence, 3))

    def _last_time(self, found: Hypothesis) -> float:
        """The last timestamp, seconds of the window: speech after it was not written down."""
        zero = self.executor.timestamp_begin()
        return max((token - zero for token in found.tokens if token >= zero), default=0) * FRAME

    def _tell(self, first: int, count: int, share: float, *, only: int | None = None) -> None:
        """Report how far a batch of windows is, `share` from 0 to 1; `only` names one window of it."""
        total = len(self.windows)
        which = (
            f"windows {first + 1} to {first + count}"
            if only is None and count > 1
            else f"window {first + 1 + (only or 0)}"
        )
        self._told = (LOADED + (1.0 - LOADED) * (first + count * share) / total, f"{which} of {total}")
        self._repeat()

    def _repeat(self) -> None:
        self.report(*self._told)


def _load(models: Models, name: str) -> Executor:
    def load() -> Executor:
        return load_executor(load_converted(models.home, models=models, name=name), models.wanted_device)

    return models.loaded(name, load)


def _read_diarization(path: Path) -> Diarization:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Diarization)
    except (OSError, msgspec.DecodeError) as error:
        raise TranscriptionError("The list of speakers cannot be read.", detail=f"{path}: {error}") from error
