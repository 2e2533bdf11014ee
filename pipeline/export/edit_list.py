"""Writer for an edit decision list (CMX 3600), with an event for each turn, by which editors find who says what."""

from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final

from pipeline.export.escaping import clean
from pipeline.export.source import ExportSource

USUAL_RATE: Final = 25.0
"""Of a sound without a picture."""
MIN_RATE, MAX_RATE = 10.0, 120.0
"""Frames a second; another declared rate is that of a single picture or a clock, and counts as none."""
DROP_RATES: Final = (30_000 / 1001, 60_000 / 1001)
"""At which time code leaves numbers out, so that it keeps to the clock (SMPTE ST 12-1)."""
RATE_TOLERANCE: Final = 0.001
"""Of a rate, relative: a container's rate is an average."""
MAX_COMMENT_CHARS: Final = 160
MAX_NAME_CHARS: Final = 60


@dataclass(frozen=True, slots=True)
class TimeCode:
    """How frames are counted."""

    rate: float
    """Frames a second."""
    drop: bool

    @classmethod
    def of(cls, frame_rate: float | None) -> "TimeCode":
        """Return how the frames of a picture are counted; None: there is none."""
        if frame_rate is None or not MIN_RATE <= frame_rate <= MAX_RATE:
            return cls(USUAL_RATE, drop=False)
        for rate in DROP_RATES:
            if abs(frame_rate / rate - 1) < RATE_TOLERANCE / 4:
                return cls(rate, drop=True)
        return cls(frame_rate, drop=False)

    @property
    def base(self) -> int:
        """Numbers of a second."""
        return round(self.rate)

    def frame(self, seconds: float) -> int:
        """Return the frame that is shown at a time."""
        return max(0, round(seconds * self.rate))

    def label(self, frame: int) -> str:
        """Return the time code of a frame, within a day."""
        if self.drop:
            dropped = 2 * self.base // 30
            tens, rest = divmod(frame, self.base * 600 - 9 * dropped)
            # The first minute of ten keeps all its numbers.
            minutes = max(rest - dropped, 0) // (self.base * 60 - dropped)
            frame += dropped * (9 * tens + minutes)
        seconds, frames = divmod(frame, self.base)
        minutes, seconds = divmod(seconds, 60)
        sign = ";" if self.drop else ":"
        return f"{minutes // 60 % 24:02}:{minutes % 60:02}:{seconds:02}{sign}{frames:02}"


def write_edl(source: ExportSource, path: Path) -> None:
    """Write the list; where turns overlap, an event ends as the next begins, and a comment has its own end."""
    transcript = source.marked
    code = TimeCode.of(source.frame_rate)
    names = {speaker.id: clean(speaker.name)[:MAX_NAME_CHARS] for speaker in transcript.speakers}
    lines = ["TITLE: TRANSCRIPT", f"FCM: {'DROP FRAME' if code.drop else 'NON-DROP FRAME'}", ""]
    turns = sorted(transcript.turns, key=lambda turn: turn.start)
    # Of turns that begin in the same frame, each begins a frame after the other.
    begins = list(accumulate((code.frame(turn.start) for turn in turns), lambda last, begin: max(begin, last + 1)))
    ends = [max(code.frame(turn.end), begin + 1) for turn, begin in zip(turns, begins, strict=True)]
    shown = [min(end, after) for end, after in zip(ends, [*begins[1:], *ends[-1:]], strict=True)]
    track = "AA" if source.frame_rate is None else "B"
    for number, turn in enumerate(turns):
        first, last = code.label(begins[number]), code.label(shown[number])
        lines += [
            f"{number + 1:03}  AX       {track:<5} C        {first} {last} {first} {last}",
            f"* LOC: {first} GREEN   {names[turn.speaker]}",
            f"* COMMENT: {names[turn.speaker]}: {_shorten(clean(turn.text))}",
        ]
        if shown[number] < ends[number]:
            lines.append(f"* COMMENT: SPEAKS UNTIL {code.label(ends[number])}")
    lines += ["", f"* COMMENT: {code.rate:.3f} FRAMES PER SECOND"]
    path.write_text("\r\n".join(lines) + "\r\n", encoding="utf-8", newline="")


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_COMMENT_CHARS else f"{text[: MAX_COMMENT_CHARS - 3].rstrip()}..."
