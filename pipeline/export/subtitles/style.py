"""How subtitles are laid out; data only, so that the bot can offer it.

The numbers are the common ground of two guides. Netflix Timed Text Style Guides: 42 characters a line
(16 for Chinese, Japanese and Korean), two lines, 17 characters a second (Chinese 9, Japanese 4,
Korean 12), at least 5/6 s, at most 7 s, two frames between cues. BBC Subtitle Guidelines: two lines,
160 to 180 words a minute, at least about a second for the shortest line.
"""

from dataclasses import dataclass

LINE_CHARS = 42
WIDE_LINE_CHARS = 16
READING_SPEED_CHARS_PER_SECOND = 17.0
MIN_LINE_LENGTH, MAX_LINE_LENGTH = 8, 200
MIN_READING_SPEED, MAX_READING_SPEED = 2.0, 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitleStyle:
    """The numbers by which a transcript is cut into cues."""

    line_length: int | None = None
    """Characters; None: as is usual for the language."""
    lines: int = 2
    reading_speed: float | None = None
    """Characters a second, for which a cue stays where there is room; None: as is usual for the language."""
    min_duration: float = 1.0
    """Seconds that a cue stays where there is room."""
    max_duration: float = 7.0
    """Seconds."""
    gap: float = 0.08
    """Seconds without text between two cues of one speaker, where there is room."""
    mark_uncertain: float | None = None
    """Mark words that were heard with less confidence than this, from 0 to 1; None: none."""
