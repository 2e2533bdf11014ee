"""Word times made better by the edges of speech.

A recogniser says to a few tenths of a second when a word is heard; the diarization knows
to a few hundredths when a voice begins and ends. A word is cut back to its speaker's
stretch, and the first and last word of a stretch reach its edges when they nearly do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.speech.alignment.speaker_attribution import SpokenWord
from pipeline.speech.diarization.segments import Timeline, by_speaker
from pipeline.types import SpeakerSegment, Word

MAX_EXTENSION_SECONDS = 0.4
"""Seconds that a word may be stretched to an edge."""
MIN_CONTAINED_SHARE = 0.3
"""Part of a word that must lie in a stretch before it is cut to it."""


def snap_words(words: Sequence[SpokenWord], segments: Sequence[SpeakerSegment]) -> list[SpokenWord]:
    """The same words in the same order with better times."""
    voices = by_speaker(segments)
    homes = [_find_segment(spoken, voices) for spoken in words]
    snapped: list[SpokenWord] = []
    for index, (spoken, home) in enumerate(zip(words, homes, strict=True)):
        if home is None:
            snapped.append(spoken)
            continue
        first = index == 0 or homes[index - 1] != home
        last = index + 1 == len(homes) or homes[index + 1] != home
        snapped.append(replace(spoken, word=_snap_word(spoken.word, home, first=first, last=last)))
    return snapped


def _find_segment(spoken: SpokenWord, voices: Mapping[str, Timeline]) -> SpeakerSegment | None:
    """The stretch of its speaker that holds most of the word."""
    word, timeline = spoken.word, voices.get(spoken.speaker)
    if timeline is None:
        return None
    shared = {
        segment: min(word.end, segment.end) - max(word.start, segment.start)
        for segment in timeline.overlapping(word.start, word.end)
    }
    best = max(shared, key=lambda segment: shared[segment], default=None)
    return best if best is not None and shared[best] >= MIN_CONTAINED_SHARE * (word.end - word.start) else None


def _snap_word(word: Word, home: SpeakerSegment, *, first: bool, last: bool) -> Word:
    start, end = max(word.start, home.start), min(word.end, home.end)
    if first and start - home.start <= MAX_EXTENSION_SECONDS:
        start = home.start
    if last and home.end - end <= MAX_EXTENSION_SECONDS:
        end = home.end
    return replace(word, start=start, end=end)
