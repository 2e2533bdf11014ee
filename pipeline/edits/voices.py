"""When each speaker is heard, after words were given to others."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeAlias

from pipeline.audio.intervals import Interval, subtract
from pipeline.types import Diarization, SpeakerSegment, Transcript, Word

_Said: TypeAlias = set[tuple[float, float]]


def follow_voices(voices: Diarization, before: Transcript, after: Transcript) -> Diarization:
    """Let the times of speakers follow the words that an edit gave, took out or added; all others stay.

    Args:
        voices: Of the transcript before.
        before: The transcript that `voices` belong to.
        after: The edited one.
    """
    had, has = _said(before), _said(after)
    taken = _runs(before, has)
    speakers = tuple(speaker.id for speaker in after.speakers)
    segments = [
        replace(segment, start=start, end=end)
        for segment in voices.segments
        # A voice is heard a little before and after its words; of somebody who is gone that is nobody's.
        if segment.speaker in speakers
        for start, end in subtract([(segment.start, segment.end)], taken.get(segment.speaker, []))
    ]
    segments += [
        SpeakerSegment(start=start, end=end, speaker=speaker)
        for speaker, runs in _runs(after, had).items()
        for start, end in runs
        if end > start
    ]
    ordered = tuple(sorted(segments, key=lambda segment: (segment.start, segment.end)))
    return Diarization(speakers=speakers, segments=ordered, exclusive=())


def _said(transcript: Transcript) -> dict[str, _Said]:
    said: dict[str, _Said] = {}
    for turn in transcript.turns:
        said.setdefault(turn.speaker, set()).update((word.start, word.end) for word in turn.words)
    return said


def _runs(transcript: Transcript, other: dict[str, _Said]) -> dict[str, list[Interval]]:
    """List, by speaker, the stretches of words that are not that speaker's in another transcript."""
    runs: dict[str, list[Interval]] = {}
    for turn in transcript.turns:
        known = other.get(turn.speaker, set())
        runs.setdefault(turn.speaker, []).extend(_stretches(turn.words, known))
    return runs


def _stretches(words: tuple[Word, ...], known: _Said) -> Iterator[Interval]:
    run: list[Word] = []
    for word in words:
        if (word.start, word.end) not in known:
            run.append(word)
        elif run:
            yield run[0].start, max(each.end for each in run)
            run = []
    if run:
        yield run[0].start, max(each.end for each in run)
