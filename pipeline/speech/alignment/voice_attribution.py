"""Attribution of phrases to speakers by what the voices sound like.

In a quick exchange the segmentation, which tells three voices apart within 10 s, joins short replies to what stands
before or after them. The words say where phrases begin and end, so each phrase is embedded on its own, and
phrases are clustered as segments are in the diarization.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.alignment.phrase_clustering import cluster_phrases
from pipeline.speech.alignment.phrases import Phrase, split_phrases
from pipeline.speech.alignment.speaker_attribution import SpokenWord, attribute_words
from pipeline.speech.diarization.pyannote_pipeline import SpeakerCount
from pipeline.speech.diarization.segments import by_speaker, close_gaps
from pipeline.speech.diarization.single_speaker_segments import OnFraction, find_single_speaker_segments
from pipeline.speech.speakers.embedding_model import SpeakerEncoder
from pipeline.types import Diarization, SpeakerSegment, Word

MIN_OWN_SHARE: Final = 0.8
"""Of the most that a label of the diarization covers of a phrase, from which on another label, which is usually the
phrase's speaker, is taken for the one that heard it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """A stretch of a phrase and the speaker whose it is."""

    phrase: int
    start: float
    end: float
    speaker: str


def attribute_by_voice(
    words: Sequence[Word],
    diarization: Diarization,
    samples: NDArray[np.float32],
    encoder: SpeakerEncoder,
    count: SpeakerCount,
    report: OnFraction,
) -> tuple[list[SpokenWord], Diarization]:
    """Give each word to a speaker, and the stretches of speech likewise.

    Args:
        words: In the order in which they were said.
        diarization: When each speaker is heard.
        samples: The clip at 16 kHz, shape (samples,).
        encoder: The embedding model.
        count: What the person said about the number of speakers.
        report: Called with the fraction that is done.

    Returns:
        The words with their speakers, and the diarization with the labels of these speakers.
    """
    if len(diarization.speakers) <= 1 or not diarization.segments:
        return attribute_words(words, diarization), diarization
    phrases = split_phrases(words, diarization)
    spans = _find_voices(phrases, diarization, samples, encoder, count, report)
    if not spans:
        return attribute_words(words, diarization), diarization
    relabelled = _relabel(diarization, spans)
    by_time = attribute_words(words, relabelled)
    own: dict[int, list[_Span]] = {}
    for span in spans:
        own.setdefault(span.phrase, []).append(span)
    spoken = list(by_time)
    for number, phrase in enumerate(phrases):
        for index in range(phrase.first, phrase.past):
            middle = (words[index].start + words[index].end) / 2
            nearest = min(
                own.get(number, ()), key=lambda span: max(span.start - middle, middle - span.end), default=None
            )
            if nearest is not None:
                spoken[index] = SpokenWord(word=words[index], speaker=nearest.speaker)
    return spoken, relabelled


def _find_voices(
    phrases: Sequence[Phrase],
    diarization: Diarization,
    samples: NDArray[np.float32],
    encoder: SpeakerEncoder,
    count: SpeakerCount,
    report: OnFraction,
) -> list[_Span]:
    """Find the speaker of each phrase that is long enough to tell, under labels of their own, in order of time."""
    segments = [
        SpeakerSegment(start=phrase.start, end=phrase.end, speaker=str(number)) for number, phrase in enumerate(phrases)
    ]
    found = find_single_speaker_segments(segments, samples, encoder, report)
    return [
        _Span(phrase=int(each.segment.speaker), start=each.segment.start, end=each.segment.end, speaker=f"V{cluster}")
        for each, cluster in zip(found, cluster_phrases(found, diarization, count), strict=True)
        if cluster is not None
    ]


def _relabel(diarization: Diarization, spans: Sequence[_Span]) -> Diarization:
    """Give the diarization's stretches to the speakers of the phrases in them.

    A phrase says whose the stretches are of the label that heard it. Another label that is heard meanwhile is
    somebody who speaks into it.
    """
    timelines = by_speaker(diarization.segments)
    coverage = [
        {label: timeline.covered_duration(span.start, span.end) for label, timeline in timelines.items()}
        for span in spans
    ]
    shared: dict[str, dict[str, float]] = {label: {} for label in timelines}
    for span, covered in zip(spans, coverage, strict=True):
        for label, seconds in covered.items():
            shared[label][span.speaker] = shared[label].get(span.speaker, 0.0) + seconds
    usual = {label: max(by_name, key=lambda name: by_name[name]) for label, by_name in shared.items()}
    own: dict[str, list[_Span]] = {}
    for span, covered in zip(spans, coverage, strict=True):
        own.setdefault(_find_label(span, covered, usual), []).append(span)

    def relabel(segments: Sequence[SpeakerSegment], *, exclusive: bool) -> tuple[SpeakerSegment, ...]:
        parts = [
            part
            for segment in segments
            for part in _cut_segment(segment, own.get(segment.speaker, ()), usual[segment.speaker])
        ]
        return tuple(close_gaps(parts, 0.0, exclusive=exclusive))

    segments = relabel(diarization.segments, exclusive=False)
    return Diarization(
        speakers=tuple(dict.fromkeys(segment.speaker for segment in segments)),
        segments=segments,
        exclusive=relabel(diarization.exclusive, exclusive=True),
    )


def _find_label(span: _Span, covered: Mapping[str, float], usual: Mapping[str, str]) -> str:
    """Find the label that heard a phrase: of those that cover as much of it, the one that is usually its speaker."""
    enough = MIN_OWN_SHARE * max(covered.values())
    return max(covered, key=lambda label: (covered[label] >= enough and usual[label] == span.speaker, covered[label]))


def _cut_segment(segment: SpeakerSegment, spans: Sequence[_Span], usual: str) -> list[SpeakerSegment]:
    """Cut a segment between the phrases in it; one in which there is none goes to the label's usual speaker."""
    # Spans are of one phrase alone, so they do not overlap.
    first = bisect_right(spans, segment.start, key=lambda span: span.end)
    inside = list(takewhile(lambda span: span.start < segment.end, islice(spans, first, None)))
    if not inside:
        return [SpeakerSegment(start=segment.start, end=segment.end, speaker=usual)]
    parts: list[SpeakerSegment] = []
    start = segment.start
    for span, following in zip(inside, [*inside[1:], None], strict=True):
        end = segment.end if following is None else min(segment.end, (span.end + following.start) / 2)
        if end > start:
            parts.append(SpeakerSegment(start=start, end=end, speaker=span.speaker))
            start = end
    return parts
