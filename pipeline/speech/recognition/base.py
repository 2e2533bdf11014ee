"""The interface of a recogniser: windows of speech in, timed words out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.audio.intervals import Interval
from pipeline.graph.stage import ProgressCallback
from pipeline.speech.recognition.chunking import Window
from pipeline.speech.recognition.draft import Draft
from pipeline.speech.recognition.speech_reader import SpeechReader
from pipeline.types import Word

UNKNOWN_LANGUAGE = "und"
"""ISO 639 for a language that cannot be told, as when nobody speaks."""
LOADED_PROGRESS = 0.03
"""Progress of the stage once the recogniser is loaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognitionInput:
    """One clip whose words are wanted."""

    reader: SpeechReader
    windows: Sequence[Window]
    speech_spans: Sequence[Interval]
    """Seconds in which anybody speaks, as `find_speech_spans` gave them."""
    speaker_changes: Sequence[float] = ()
    """Seconds at which another voice takes over, in order; the language may change there, too."""
    report: ProgressCallback
    language: str | None
    """ISO 639-1; None: it is detected."""
    draft: Draft
    """Told the words as they come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedText:
    """The words of a clip in the order in which they were said, on its clock."""

    language: str
    words: tuple[Word, ...]
    notes: tuple[str, ...] = ()
    """Sentences for people."""


class Recogniser(Protocol):
    """A loaded engine."""

    def recognise(self, source: RecognitionInput) -> DecodedText:
        """Recognise the words of a clip.

        Raises:
            TranscriptionError: The engine failed, or does not know the language.
            Cancelled: Raised by `source.report` when the job was stopped.
        """
        ...


class WindowProgress:
    """Progress of a run over the windows of a clip, reported to the job."""

    def __init__(self, report: ProgressCallback, total: int) -> None:
        self._report, self._total = report, total
        self._last: tuple[float, str] = (LOADED_PROGRESS, "listening")

    def update(self, first: int, count: int, share: float, *, only: int | None = None) -> None:
        """Report that `share`, 0 to 1, of `count` windows from `first` on is done; `only` names one of them."""
        which = (
            f"windows {first + 1} to {first + count}"
            if only is None and count > 1
            else f"window {first + 1 + (only or 0)}"
        )
        done = (first + count * share) / self._total
        self._last = (LOADED_PROGRESS + (1.0 - LOADED_PROGRESS) * done, f"{which} of {self._total}")
        self.repeat()

    def repeat(self) -> None:
        """Report the same again, so that a cancel takes effect."""
        self._report(*self._last)
