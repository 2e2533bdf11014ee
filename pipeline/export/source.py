"""What every writer of an export format is given."""

from dataclasses import dataclass, replace
from functools import cached_property

from pipeline.export.subtitles.cues import Cue, cut_cues
from pipeline.export.subtitles.style import SubtitleStyle
from pipeline.speech.alignment.sentences import UNCERTAIN
from pipeline.speech.alignment.text import join_words
from pipeline.types import Diarization, Speaker, Transcript, Turn

NO_SPEECH = "(no speech)"
NO_SPEAKER = Speaker(id="", name="")


@dataclass(frozen=True, kw_only=True)
class ExportSource:
    """A transcript, when each speaker is heard, and the look of its subtitles."""

    transcript: Transcript
    voices: Diarization
    style: SubtitleStyle
    frame_rate: float | None = None
    """Of the clip's picture; None: it has none, or none is known."""

    @cached_property
    def marked(self) -> Transcript:
        """Return the transcript with its uncertain words marked, where that is wished for."""
        below = self.style.mark_uncertain
        return self.transcript if below is None else mark_uncertain(self.transcript, below)

    @cached_property
    def cues(self) -> list[Cue]:
        """Return the transcript as subtitle cues; one that says so where nobody speaks."""
        end = max(min(self.transcript.duration, 5.0), 0.1)
        silent = Cue(start=0.0, end=end, speaker=NO_SPEAKER, lines=(NO_SPEECH,), named=False)
        return cut_cues(self.marked, self.style) or [silent]


def mark_uncertain(transcript: Transcript, below: float) -> Transcript:
    """Mark words whose confidence is less than `below`, from 0 to 1."""
    return replace(transcript, turns=tuple(_mark(turn, below, transcript.language) for turn in transcript.turns))


def _mark(turn: Turn, below: float, language: str) -> Turn:
    if all(word.confidence >= below for word in turn.words):
        return turn
    words = tuple(
        word if word.confidence >= below else replace(word, text=f"{word.text}{UNCERTAIN}") for word in turn.words
    )
    return replace(turn, words=words, text=join_words((word.text for word in words), language))
