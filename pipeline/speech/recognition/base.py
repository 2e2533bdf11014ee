"""What every recogniser is to the transcription stage: windows of speech in, timed words out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.graph.stage import ProgressCallback
from pipeline.speech.recognition.chunking import Window
from pipeline.speech.recognition.speech_reader import SpeechReader
from pipeline.types import Word

UNKNOWN_LANGUAGE = "und"
"""ISO 639 for a language that cannot be told, as when nobody speaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognitionInput:
    """One clip to be written down."""

    reader: SpeechReader
    windows: Sequence[Window]
    speech_spans: Sequence[tuple[float, float]]
    """Where anybody speaks, as `find_speech` gave it."""
    report: ProgressCallback
    language: str | None
    """ISO 639-1; None: it is found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedText:
    """The words of a clip in the order in which they were said, on its clock."""

    language: str
    words: tuple[Word, ...]
    notes: tuple[str, ...] = ()
    """Sentences for people."""


class Recogniser(Protocol):
    """A loaded engine."""

    def recognise(self, listening: RecognitionInput) -> DecodedText:
        """Write down a clip; raises `TranscriptionError`, or `Cancelled` through `report`."""
        ...


class WindowProgress:
    """How far a run over the windows of a clip is, told to the job and repeated while a step is long."""

    def __init__(self, report: ProgressCallback, total: int, begun: float) -> None:
        self._report, self._total, self._begun = report, total, begun
        self._told: tuple[float, str] = (begun, "listening")

    def update(self, first: int, count: int, share: float, *, only: int | None = None) -> None:
        """`share`, 0 to 1, of `count` windows from `first` on is done; `only` names one window of them."""
        which = (
            f"windows {first + 1} to {first + count}"
            if only is None and count > 1
            else f"window {first + 1 + (only or 0)}"
        )
        self._told = (
            self._begun + (1.0 - self._begun) * (first + count * share) / self._total,
            f"{which} of {self._total}",
        )
        self.repeat()

    def repeat(self) -> None:
        """Tell the same again, so that a cancel is seen."""
        self._report(*self._told)
