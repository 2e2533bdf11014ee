"""What `transcript.json` and `result.json` hold after edits: the new beside the original."""

from dataclasses import dataclass

from pipeline.types.media import Artefact
from pipeline.types.result import Result
from pipeline.types.speech import Speaker, SpeakerSegment, Transcript, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginalTranscript:
    """A transcript as recognised, from which edits are applied again."""

    speakers: tuple[Speaker, ...]
    turns: tuple[Turn, ...]
    voices: tuple[SpeakerSegment, ...] = ()
    """When each speaker is heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedTranscript(Transcript):
    """The layout of `transcript.json` after edits."""

    original: OriginalTranscript | None = None
    """None: nobody has edited it."""

    def current(self) -> Transcript:
        """Return it as edited."""
        return Transcript(
            language=self.language,
            duration=self.duration,
            speakers=self.speakers,
            turns=self.turns,
            chapters=self.chapters,
        )

    def before(self) -> Transcript:
        """Return it as recognised."""
        kept = self.original
        if kept is None:
            return self.current()
        return Transcript(language=self.language, duration=self.duration, speakers=kept.speakers, turns=kept.turns)


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginalResult:
    """What edits replaced in a result."""

    speakers: tuple[Speaker, ...]
    artefacts: tuple[Artefact, ...]
    """Those whose bytes are others now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedResult(Result):
    """The layout of `result.json` after edits."""

    original: OriginalResult | None = None
    """None: nobody has edited it."""
