"""Phrases: runs of words that one voice is likely to say.

People change with the end of a sentence or at a pause far more often than inside one, and the recogniser writes down
where sentences end. Inside a sentence they change where the path of speakers does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.speech.alignment.speaker_path import find_speaker_path, may_change
from pipeline.types import Diarization, Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """Words `first` to `past`, the last one not included, and when they are said, in seconds."""

    first: int
    past: int
    start: float
    end: float


def split_phrases(words: Sequence[Word], diarization: Diarization) -> list[Phrase]:
    """Split words after sentences, at interruptions, pauses and changes of speaker."""
    speakers = find_speaker_path(words, diarization)
    cuts = [
        index
        for index, (last, following) in enumerate(pairwise(words), start=1)
        if may_change(last, following) or speakers[index] != speakers[index - 1]
    ]
    edges = [0, *cuts, len(words)]
    return [_make_phrase(words, first, past) for first, past in pairwise(edges) if past > first]


def _make_phrase(words: Sequence[Word], first: int, past: int) -> Phrase:
    own = words[first:past]
    return Phrase(first=first, past=past, start=min(word.start for word in own), end=max(word.end for word in own))
