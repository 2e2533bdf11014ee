"""Who speaks when, and who says what."""

from dataclasses import dataclass

from msgspec import UNSET, UnsetType


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerSegment:
    """A stretch in which one speaker is heard; stretches may overlap."""

    start: float
    end: float
    speaker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diarization:
    """Who is heard when; `exclusive` has no overlap and serves to place words."""

    speakers: tuple[str, ...]
    segments: tuple[SpeakerSegment, ...]
    exclusive: tuple[SpeakerSegment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One recognised word; punctuation stays with its word."""

    start: float
    end: float
    text: str
    confidence: float
    """0 to 1."""
    heard: str | UnsetType = UNSET
    """The words that were recognised where a glossary put this one, with their punctuation; unset: this word."""
    language: str | UnsetType = UNSET
    """ISO 639-1, where it is another than the transcript's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """What an engine heard, before it is given to speakers."""

    language: str
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """A voice in the clip and the name people see."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one speaker says until another goes on or a long pause comes."""

    start: float
    end: float
    speaker: str
    text: str
    overlap: bool
    """True when another speaker is heard at the same time."""
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerStem:
    """The track of one speaker."""

    speaker: str
    """The speaker's id."""
    file: str
    """Name of the artefact, such as `stems/speaker-1.flac`; it holds nothing that people wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedStretch:
    """A stretch of the vocals that goes to one speaker, or in equal shares to several who speak at once."""

    start: float
    end: float
    speakers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerShares:
    """How the vocals are shared out; the layout of `speaker-stems.json`."""

    fade: float
    """Seconds from one stretch's shares to the next one's, half of them before the border."""
    stretches: tuple[SharedStretch, ...]
    """One after the other, from the beginning of the vocals to their end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A stretch of a long recording that has a topic of its own."""

    start: float
    end: float
    title: str
    """Its most telling words; empty where there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """Who said what; the layout of `transcript.json`."""

    language: str
    duration: float
    speakers: tuple[Speaker, ...]
    turns: tuple[Turn, ...]
    chapters: tuple[Chapter, ...] | UnsetType = UNSET
    """One after the other without gaps; unset: the recording is short, has one topic, or was never divided."""

    @property
    def topics(self) -> tuple[Chapter, ...]:
        """The chapters; none where there are none."""
        return () if isinstance(self.chapters, UnsetType) else self.chapters
