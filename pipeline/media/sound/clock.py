"""The sound of a clip on the clip's clock: silence where nothing was sent or nothing could be decoded.

Samples are put where their time stamps say, from the clip's first picture or sample on. Where the stamps start
again, as in recordings that were joined, the sound goes on. What was filled is read from ffmpeg's log.
"""

import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MIN_GAP_S = 0.02
"""Seconds by which stamps and samples may differ before one is put right: more than the jitter of stamps."""
RESTART_S = 0.5
"""Seconds by which stamps go back where a clock starts again; less is overlap."""

_CONTINUE_FILTER = (
    f"asetpts=expr='st(0,if(lt(PTS+ld(0),ld(1)-{RESTART_S}/TB),ld(1)-PTS,ld(0)));st(1,PTS+ld(0)+S/SR/TB);PTS+ld(0)'"
)
"""Variable 0 is what is added to the stamps, variable 1 where the next frame should start."""
_STRAY_MARGIN_S = 0.01
_SWING_WINDOW_S = 1.0
"""Seconds within which stamps that go back and forth are jitter and no gaps."""
_MIN_STEP_S = 0.005
"""Seconds by which a stamp must differ from the end of the frame before to be looked at."""
_SWING_MARGIN_S = 0.005
_MAX_TOLERANCE_S = 0.3

_FRAME = re.compile(r"\[Parsed_ashowinfo\S* @ \S+\] n:\s*\d+ pts:\s*\S+ pts_time:(\S+) .* rate:(\d+) nb_samples:(\d+) ")
_DECODING_ERROR = re.compile(r"\[(dec:|aist#)\S*.*\] (Error submitting packet to decoder|Decoding error)")
_MAX_NOTED_GAPS = 3
_MIN_TOLD_GAP_S = 0.1
_MIN_TOLD_ERRORS = 3
"""A sound that was cut out of a longer one often begins with one or two packets that need what came before."""
_MIN_TOLD_LOSS_S = 0.25
"""Seconds at the end of a sound, more than what an encoder fills up its last packet with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch of the sound that silence stands for; seconds on the clip's clock."""

    start: float
    end: float

    @property
    def duration(self) -> float:
        """Return its seconds."""
        return self.end - self.start


def clock_filter(tolerance: float = MIN_GAP_S) -> str:
    """Build ffmpeg's filters that put samples where they belong, with a line in the log for each frame.

    Args:
        tolerance: Seconds by which stamps and samples may differ before one is put right.
    """
    return f"{_CONTINUE_FILTER},ashowinfo,aresample=async=1:first_pts=0:min_hard_comp={tolerance:.6f}"


def steady_filter(strays: Sequence[float]) -> str:
    """Build ffmpeg's filter that lets frames with wrong stamps (seconds) follow those before them."""
    stray = "+".join(f"between(T,{stamp - _STRAY_MARGIN_S:.6f},{stamp + _STRAY_MARGIN_S:.6f})" for stamp in strays)
    return f"asetpts=expr='st(0,if({stray},ld(1),PTS));st(1,ld(0)+S/SR/TB);ld(0)'"


class StampJitter:
    """Measures by how much stamps go back and forth, as those of live recordings do, and not only forward."""

    def __init__(self) -> None:
        self.swing = 0.0
        """Seconds; 0 where there is no jitter to speak of."""
        self._offset = 0.0
        self._recent: deque[tuple[float, float]] = deque()

    def take_step(self, time: float, step: float) -> None:
        """Follow a frame that begins at a time, `step` seconds after the end of the one before."""
        before = self._offset
        self._offset += step
        if abs(step) < _MIN_STEP_S:
            return
        self._recent += ((time, before), (time, self._offset))
        while self._recent[0][0] < time - _SWING_WINDOW_S:
            self._recent.popleft()
        lowest = highest = self._recent[0][1]
        fell = rose = 0.0
        for _, offset in self._recent:
            lowest, highest = min(lowest, offset), max(highest, offset)
            fell, rose = max(fell, highest - offset), max(rose, offset - lowest)
        if min(fell, rose) > MIN_GAP_S:
            self.swing = max(self.swing, min(fell, rose))


class FrameLog:
    """Follows the frames that `clock_filter` logs.

    Args:
        origin: Seconds on the clip's clock of the log's time 0.
        tolerance: That of the filter, seconds.
    """

    def __init__(self, origin: float = 0.0, tolerance: float = MIN_GAP_S) -> None:
        self.gaps: list[Gap] = []
        self.decoding_errors = 0
        """Packets that could not be decoded."""
        self._origin = origin
        self._tolerance = tolerance
        self._next: float | None = None
        self._stamped: float | None = None
        self._jitter = StampJitter()

    def take_line(self, line: str) -> bool:
        """Take a line of ffmpeg's log and tell whether it was about a frame."""
        frame = _FRAME.match(line)
        if frame is None:
            self.decoding_errors += _DECODING_ERROR.match(line) is not None
            return False
        start, duration = self._origin + float(frame[1]), int(frame[3]) / int(frame[2])
        expected = self._origin if self._next is None else self._next
        if start - expected > (MIN_GAP_S if self._next is None else self._tolerance):
            self.gaps.append(Gap(start=expected, end=start))
        if self._stamped is not None:
            self._jitter.take_step(start, start - self._stamped)
        self._stamped = start + duration
        on_time = self._next is not None and abs(start - expected) <= self._tolerance
        self._next = (expected if on_time else start) + duration
        return True

    @property
    def wanted_tolerance(self) -> float:
        """Return the tolerance (seconds) with which jitter of the stamps neither fills in nor takes away sound."""
        swing = self._jitter.swing
        return min(_MAX_TOLERANCE_S, swing + _SWING_MARGIN_S) if swing else self._tolerance

    @property
    def leaps(self) -> bool:
        """Tell whether stamps leap so far ahead that they may be wrong."""
        return any(gap.duration > RESTART_S for gap in self.gaps)

    @property
    def end(self) -> float:
        """Return where the last frame ends, in seconds."""
        return self._next or 0.0


def note_gaps(log: FrameLog, start: float, end: float, *, damaged: bool = False) -> tuple[str, ...]:
    """Say in sentences for people what is missing of the sound between two times.

    Args:
        log: What was decoded.
        start: Seconds.
        end: Seconds at which the sound should end.
        damaged: Whether the file is known to hold what is no sound.
    """
    notes: list[str] = []
    cut = (Gap(start=max(start, gap.start), end=min(end, gap.end)) for gap in log.gaps)
    gaps = [gap for gap in cut if gap.duration > MIN_GAP_S]
    late = gaps.pop(0).duration if gaps and gaps[0].start == 0.0 else 0.0
    if late >= _MIN_TOLD_GAP_S:
        notes.append(f"The sound begins {_seconds(late)} after the picture; silence stands in front of it.")
    lost = end - log.end
    told = sum(gap.duration for gap in gaps) >= _MIN_TOLD_GAP_S
    if told:
        what = "could not be decoded" if log.decoding_errors or damaged else "is not in the file"
        notes.append(f"{_places(gaps)} {what}; silence stands there.")
    if lost > _MIN_TOLD_LOSS_S:
        notes.append(f"The last {_seconds(lost)} of the sound could not be decoded.")
    elif log.decoding_errors >= _MIN_TOLD_ERRORS and not told:
        notes.append("Parts of the sound are damaged and could not be decoded.")
    return tuple(notes)


def note_places(places: Sequence[float], start: float, end: float) -> tuple[str, ...]:
    """Say at which seconds the sound is damaged, where nobody can tell how much of it is missing."""
    found = [place for place in places if start <= place < end]
    if not found:
        return ()
    told = ", ".join(dict.fromkeys(format_time(place) for place in found[:_MAX_NOTED_GAPS]))
    more = f" and {len(found) - _MAX_NOTED_GAPS} more places" if len(found) > _MAX_NOTED_GAPS else ""
    return (f"The sound is damaged at {told}{more}; some of it may be missing there.",)


def format_time(seconds: float) -> str:
    """Format a time on the clip's clock for people: `0:05`, `1:02:03`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _places(gaps: Iterable[Gap]) -> str:
    """Name the longest gaps, in the order of time, and the sum of all."""
    found = sorted(gaps, key=lambda gap: gap.start)
    named = sorted(sorted(found, key=lambda gap: -gap.duration)[:_MAX_NOTED_GAPS], key=lambda gap: gap.start)
    told = ", ".join(f"{_seconds(gap.duration)} at {format_time(gap.start)}" for gap in named)
    if len(found) == len(named):
        return told.replace(" at ", " of the sound at ", 1)
    return f"{_seconds(sum(gap.duration for gap in found))} of the sound in {len(found)} places ({told}, ...)"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 0.1 else f"{seconds:.2f} s"
