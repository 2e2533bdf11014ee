"""Refinement of word times by the edges of speech.

A recogniser says to a few tenths of a second when a word is heard; the diarization knows to a few hundredths
when a voice begins and ends. A word is cut back to its speaker's segment, and the first and last word of a
segment reach its edges when they miss them by more than the edges themselves are off.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.audio.intervals import overlap
from pipeline.speech.alignment.speaker_attribution import SpokenWord
from pipeline.speech.diarization.segments import Timeline, by_speaker
from pipeline.types import SpeakerSegment, Word

MIN_EXTENSION_SECONDS = 0.12
"""Nearer to an edge a word's own time is the better one: the diarization begins about 0.06 s before the sound."""
MAX_EXTENSION_SECONDS = 0.4
"""By which a word may be made longer to reach an edge."""
MIN_CONTAINED_SHARE = 0.3
"""Fraction of a word that must lie in a segment before it is cut to it."""


def snap_words(words: Sequence[SpokenWord], segments: Sequence[SpeakerSegment]) -> list[SpokenWord]:
    """Refine the times of words; the order stays."""
    timelines = by_speaker(segments)
    containers = [_find_segment(spoken, timelines) for spoken in words]
    snapped: list[SpokenWord] = []
    for index, (spoken, segment) in enumerate(zip(words, containers, strict=True)):
        if segment is None:
            snapped.append(spoken)
            continue
        first = index == 0 or containers[index - 1] != segment
        last = index + 1 == len(containers) or containers[index + 1] != segment
        snapped.append(replace(spoken, word=_snap_word(spoken.word, segment, first=first, last=last)))
    return snapped


def _find_segment(spoken: SpokenWord, timelines: Mapping[str, Timeline]) -> SpeakerSegment | None:
    """Find the segment of the word's speaker that holds most of the word."""
    word, timeline = spoken.word, timelines.get(spoken.speaker)
    if timeline is None:
        return None
    shared = {
        segment: overlap((word.start, word.end), (segment.start, segment.end))
        for segment in timeline.overlapping(word.start, word.end)
    }
    best = max(shared, key=lambda segment: shared[segment], default=None)
    return best if best is not None and shared[best] >= MIN_CONTAINED_SHARE * (word.end - word.start) else None


def _snap_word(word: Word, segment: SpeakerSegment, *, first: bool, last: bool) -> Word:
    start, end = max(word.start, segment.start), min(word.end, segment.end)
    if first and MIN_EXTENSION_SECONDS < start - segment.start <= MAX_EXTENSION_SECONDS:
        start = segment.start
    if last and MIN_EXTENSION_SECONDS < segment.end - end <= MAX_EXTENSION_SECONDS:
        end = segment.end
    return replace(word, start=start, end=end)
