"""Subtitle cues cut from a transcript; `pipeline.export.subtitles.style` tells what good ones are."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise, takewhile
from typing import Final

from pipeline.export.escaping import clean
from pipeline.export.subtitles.line_breaking import (
    LineFiller,
    TextBox,
    break_lines,
    count_columns,
    ends_clause,
    text_box,
)
from pipeline.export.subtitles.style import SubtitleStyle
from pipeline.languages import reads_right_to_left
from pipeline.speech.alignment.sentences import binds_next, ends_sentence
from pipeline.types import Speaker, Transcript, Turn, Word

MAX_PAUSE_SECONDS: Final = 1.0
"""Seconds of silence inside a turn that end a cue."""
SHORT_PAUSE_SECONDS: Final = 0.4
"""Seconds of silence at which a cue may well end."""
MIN_CUE_SECONDS: Final = 0.02
"""Seconds; two of ASS's hundredths."""
BOUND_CUT_COST: Final = 4.0
"""Of a cue that ends between an abbreviation and its word, where a cue costs 1."""
MIN_TRIMMED_SECONDS: Final = 0.2
"""Seconds that must be left of a cue before it gives the gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """Lines that are shown from `start` to `end` seconds."""

    start: float
    end: float
    speaker: Speaker
    lines: tuple[str, ...]
    named: bool
    """True where a format without colours or voices has to say who speaks; the first line has room for `label`."""
    right_to_left: bool = False
    """The direction of the turn that the lines are of."""


def speaker_label(speaker: Speaker, page: TextBox) -> str:
    """Return the name before what is said, at most half a line wide."""
    name = clean(speaker.name)
    widths = accumulate(count_columns(sign) for sign in name)
    short = name[: sum(1 for _ in takewhile(lambda width: width <= page.columns // 2 - 2, widths))]
    if short != name:
        short = f"{short[:-1].rstrip()}…"
    return f"{short}: " if short else ""


def cut_cues(transcript: Transcript, style: SubtitleStyle) -> list[Cue]:
    """Cut a transcript into cues in order of time.

    Cues of one speaker never overlap; voices that overlap have cues that do.
    """
    page = text_box(style, transcript.language)
    speakers = {speaker.id: speaker for speaker in transcript.speakers}
    cues: list[Cue] = []
    last = ""
    turns = sorted(transcript.turns, key=lambda turn: turn.start)
    for turn, mixed in zip(turns, _overlapping_turns(turns), strict=True):
        leftward = reads_right_to_left(turn.text, transcript.language)
        lead = count_columns(speaker_label(speakers[turn.speaker], page))
        for index, words in enumerate(
            _group_words(turn, style, page, lead if turn.speaker != last else 0, lead * mixed)
        ):
            named = mixed or (index == 0 and turn.speaker != last)
            texts = [clean(word.text) for word in words]
            lines = break_lines(texts, page, lead if named else 0)
            end = max(word.end for word in words)
            cues.append(
                Cue(
                    start=words[0].start,
                    end=end,
                    speaker=speakers[turn.speaker],
                    lines=lines,
                    named=bool(named),
                    right_to_left=leftward,
                )
            )
        last = turn.speaker if not mixed else ""
    return _set_times(sorted(cues, key=lambda cue: (cue.start, cue.end)), style, page, transcript.duration)


def _overlapping_turns(turns: Sequence[Turn]) -> list[bool]:
    """For each turn, in order of start, tell whether another speaker's turn overlaps it."""
    mixed = [False] * len(turns)
    going: list[int] = []
    for index, turn in enumerate(turns):
        going = [other for other in going if turns[other].end > turn.start]
        for other in going:
            if turns[other].speaker != turn.speaker:
                mixed[other] = mixed[index] = True
        going.append(index)
    return mixed


def _group_words(turn: Turn, style: SubtitleStyle, page: TextBox, first_lead: int, lead: int) -> Iterator[list[Word]]:
    """Group a turn's words into the cues that cost least: few, and ending where sentences, clauses or breaths do."""
    words = [word for word in turn.words if clean(word.text)]
    costs = [0.0, *[float("inf")] * len(words)]
    starts = [0] * (len(words) + 1)
    for first in range(len(words)):
        filling = LineFiller(page, lead if first else max(lead, first_lead))
        inside = 0.0
        for past in range(first + 1, len(words) + 1):
            word = words[past - 1]
            filling.add(clean(word.text))
            if past > first + 1 and not _fits(words[first : past - 1], word, filling, style, page):
                break
            cost = costs[first] + 1.0 + inside + _end_cost(words, first, past, style)
            if cost < costs[past]:
                costs[past], starts[past] = cost, first
            inside += 0.3 * ends_sentence(word.text, words[past].text if past < len(words) else "")
    bounds = [len(words)]
    while bounds[-1]:
        bounds.append(starts[bounds[-1]])
    bounds.reverse()
    for first, past in pairwise(bounds):
        yield words[first:past]


def _fits(group: Sequence[Word], word: Word, filling: LineFiller, style: SubtitleStyle, page: TextBox) -> bool:
    return (
        filling.lines <= page.lines
        and word.end - group[0].start <= style.max_duration
        and word.start - group[-1].end <= MAX_PAUSE_SECONDS
    )


def _end_cost(words: Sequence[Word], first: int, past: int, style: SubtitleStyle) -> float:
    """Rate how bad it is to end a cue before the word `past`."""
    if past == len(words):
        return 0.0
    last, following = words[past - 1], words[past]
    hurried = 0.8 if following.start - words[first].start < style.min_duration else 0.0
    if binds_next(last.text, following.text):
        return hurried + BOUND_CUT_COST
    if ends_sentence(last.text, following.text):
        return hurried
    paused = following.start - last.end >= SHORT_PAUSE_SECONDS
    return hurried + (0.3 if paused or ends_clause(last.text, following.text) else 0.7)


def _set_times(cues: Sequence[Cue], style: SubtitleStyle, page: TextBox, duration: float) -> list[Cue]:
    """Let cues stay long enough to be read where there is room, and end before their speaker's next one begins."""
    started = _separate_starts(cues)
    starts = [cue.start for cue in started]
    following: dict[str, float] = {}
    shown: list[Cue] = []
    for cue in reversed(started):
        own = following.get(cue.speaker.id, float("inf"))
        place = bisect_right(starts, cue.start)
        room = min(starts[place] - style.gap if place < len(starts) else float("inf"), max(duration, cue.end))
        columns = sum(count_columns(line) for line in cue.lines)
        reading = min(max(style.min_duration, columns / page.speed), style.max_duration)
        end = max(cue.end, min(cue.start + reading, room), cue.start + MIN_CUE_SECONDS)
        if end > own - style.gap:
            end = own - style.gap if own - style.gap >= cue.start + MIN_TRIMMED_SECONDS else min(end, own)
        shown.append(replace(cue, end=end))
        following[cue.speaker.id] = cue.start
    return shown[::-1]


def _separate_starts(cues: Sequence[Cue]) -> list[Cue]:
    """Move cues of one speaker so that they start at least `MIN_CUE_SECONDS` apart."""
    last: dict[str, float] = {}
    moved: list[Cue] = []
    for cue in cues:
        start = max(cue.start, last.get(cue.speaker.id, -1.0) + MIN_CUE_SECONDS)
        last[cue.speaker.id] = start
        moved.append(replace(cue, start=start))
    return sorted(moved, key=lambda cue: cue.start)
