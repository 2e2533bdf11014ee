"""A transcript cut into subtitle cues.

Two lines of at most 42 characters, at most 7 seconds, at least one second where there is
room: the common ground of the Netflix timed-text guide and the BBC subtitle guidelines.
"""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pipeline.types import Speaker, Transcript, Turn, Word

LINE: Final = 42
"""Characters in a line."""
LINES: Final = 2
LONGEST: Final = 7.0
"""Seconds."""
SHORTEST: Final = 1.0
"""Seconds that a cue stays when nothing follows it closely."""
PAUSE: Final = 1.0
"""Seconds of silence inside a turn that end a cue."""
SENTENCE_ENDS: Final = (".", "?", "!", "…", "。", "？", "！")  # noqa: RUF001 - Chinese marks are meant
ROOMY: Final = 0.6
"""A sentence end closes a cue that is filled at least this far."""
UNSPACED: Final = frozenset({"zh", "ja", "th", "lo", "my", "bo"})
"""Languages written without spaces between words."""
_LOOKALIKES: Final = str.maketrans(
    {"<": "‹", ">": "›", "{": "(", "}": ")", "\\": "∖", "\n": " ", "\r": " "}  # noqa: RUF001 - they are meant to look alike
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """What is shown from `start` to `end` seconds; lines are separated by a line feed."""

    start: float
    end: float
    speaker: Speaker
    text: str


def cut_cues(transcript: Transcript) -> list[Cue]:
    """All cues in order of time; those of one speaker never overlap."""
    speakers = {speaker.id: speaker for speaker in transcript.speakers}
    gap = "" if transcript.language in UNSPACED else " "
    cues = [
        _cue(words, speakers[turn.speaker], gap)
        for turn in transcript.turns
        for words in _groups(turn, gap)
        if words and turn.speaker in speakers
    ]
    return _with_time_to_read(sorted(cues, key=lambda cue: (cue.start, cue.end)))


def plain(text: str) -> str:
    """The text without characters that subtitle formats read as commands."""
    return " ".join(text.translate(_LOOKALIKES).split())


def _groups(turn: Turn, gap: str) -> Iterator[list[Word]]:
    group: list[Word] = []
    for word in turn.words:
        if group and _is_full(group, word, gap):
            yield group
            group = []
        group.append(word)
    yield group


def _is_full(group: Sequence[Word], word: Word, gap: str) -> bool:
    text = gap.join(item.text for item in group)
    return (
        len(_wrap(f"{text}{gap}{word.text}", gap)) > LINES
        or word.end - group[0].start > LONGEST
        or word.start - group[-1].end > PAUSE
        or (len(text) >= ROOMY * LINE and text.endswith(SENTENCE_ENDS))
    )


def _wrap(text: str, gap: str) -> list[str]:
    return textwrap.wrap(text, LINE // 2 if not gap else LINE) or [""]


def _cue(words: Sequence[Word], speaker: Speaker, gap: str) -> Cue:
    text = plain(gap.join(word.text for word in words))
    lines = _wrap(text, gap)
    if len(lines) == LINES and gap:
        # Two lines of like length are read quicker than a long and a short one.
        lines = textwrap.wrap(text, max(len(text) // 2 + 4, len(max(text.split(), key=len))))
        lines = lines if len(lines) == LINES and max(map(len, lines)) <= LINE else _wrap(text, gap)
    return Cue(
        start=words[0].start, end=max(words[-1].end, words[0].start + 0.1), speaker=speaker, text="\n".join(lines)
    )


def _with_time_to_read(cues: Sequence[Cue]) -> list[Cue]:
    """Let short cues stay until the next one of anybody; end each before its speaker's next."""
    shown: list[Cue] = []
    for index, cue in enumerate(cues):
        after = next((other.start for other in cues[index + 1 :] if other.start > cue.start), float("inf"))
        own = next((other.start for other in cues[index + 1 :] if other.speaker.id == cue.speaker.id), float("inf"))
        longer = max(cue.end, min(cue.start + SHORTEST, after))
        shown.append(replace(cue, end=max(min(longer, own), cue.start + 0.01)))
    return shown
