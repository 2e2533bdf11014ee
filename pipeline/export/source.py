"""What every writer of an export format is given."""

from dataclasses import dataclass
from functools import cached_property

from pipeline.export.cues import Cue, cut_cues
from pipeline.export.style import SubtitleStyle
from pipeline.types import Diarization, Speaker, Transcript

NO_SPEECH = "(no speech)"
NO_SPEAKER = Speaker(id="", name="")


@dataclass(frozen=True, kw_only=True)
class ExportSource:
    """A transcript, when each speaker is heard, and the look of its subtitles."""

    transcript: Transcript
    voices: Diarization
    style: SubtitleStyle

    @cached_property
    def cues(self) -> list[Cue]:
        """Return the transcript as subtitle cues; one that says so where nobody speaks."""
        end = max(min(self.transcript.duration, 5.0), 0.1)
        silent = Cue(start=0.0, end=end, speaker=NO_SPEAKER, lines=(NO_SPEECH,), named=False)
        return cut_cues(self.transcript, self.style) or [silent]
