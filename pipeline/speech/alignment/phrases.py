"""Phrases: runs of words that one voice is likely to say.

People change with the end of a sentence or at a pause far more often than inside one, and the recogniser writes down
where sentences end. The diarization hears a change too, but in a quick exchange not to a word; so its changes cut a
sentence only where enough is left on both sides to tell whose it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.speech.alignment.sentences import ends_sentence
from pipeline.speech.diarization.segments import Timeline, by_speaker
from pipeline.types import Diarization, Word

PHRASE_PAUSE_SECONDS = 0.3
"""From which on a pause may be that between two speakers."""
MIN_SIDE_SECONDS = 0.5
"""Of a sentence on each side of a change of speaker inside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """Words `first` to `past`, the last one not included, and when they are said, in seconds."""

    first: int
    past: int
    start: float
    end: float


def split_phrases(words: Sequence[Word], diarization: Diarization) -> list[Phrase]:
    """Split words after sentences, at pauses and at changes of speaker."""
    exclusive = by_speaker(diarization.exclusive)
    phrases: list[Phrase] = []
    for sentence in _split_sentences(words):
        first = sentence.first
        for cut in range(first + 1, sentence.past):
            last, following = words[cut - 1], words[cut]
            sides = last.end - words[first].start, words[sentence.past - 1].end - following.start
            if min(sides) >= MIN_SIDE_SECONDS and _find_speaker(last, exclusive) != _find_speaker(following, exclusive):
                phrases.append(_make_phrase(words, first, cut))
                first = cut
        phrases.append(_make_phrase(words, first, sentence.past))
    return phrases


def _split_sentences(words: Sequence[Word]) -> list[Phrase]:
    cuts = [
        index
        for index, (last, following) in enumerate(pairwise(words), start=1)
        if ends_sentence(last.text, following.text)
        or following.start - last.end >= PHRASE_PAUSE_SECONDS
        or following.start < last.start
    ]
    edges = [0, *cuts, len(words)]
    return [_make_phrase(words, first, past) for first, past in pairwise(edges) if past > first]


def _make_phrase(words: Sequence[Word], first: int, past: int) -> Phrase:
    own = words[first:past]
    return Phrase(first=first, past=past, start=min(word.start for word in own), end=max(word.end for word in own))


def _find_speaker(word: Word, timelines: Mapping[str, Timeline]) -> str | None:
    covered = {name: timeline.covered_duration(word.start, word.end) for name, timeline in timelines.items()}
    best = max(covered, key=lambda name: covered[name], default=None)
    return best if best is not None and covered[best] > 0.0 else None
