"""Hears each stretch of speech once more on its own, and tells by that whose it is.

The segmentation names voices within windows of 10 s, and `stitching` follows them from window to window; who
is heard again later, or was taken for somebody else, is told by what the voices sound like.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from pipeline.speech.diarization.clustering import cluster_segments
from pipeline.speech.diarization.plda import Embedding
from pipeline.speech.diarization.pyannote_pipeline import DiarizationOutput, SpeakerCount
from pipeline.speech.diarization.single_speaker_segments import (
    Embed,
    OnFraction,
    SingleSpeakerSegment,
    find_single_speaker_segments,
)
from pipeline.types import SpeakerSegment

LabelledSegments = Sequence[tuple[SingleSpeakerSegment, str]]


def resegment(
    voices: DiarizationOutput, samples: Embedding, embed: Embed, tell: OnFraction, count: SpeakerCount
) -> DiarizationOutput:
    """The same speech, cut at changes of speaker, each part with the name of who is found to speak.

    `samples` is the clip at 16 kHz, shape (frames,); `tell` is called with the part done and may raise.
    Where too little is heard to tell, the first answer stands.
    """
    stretches = find_single_speaker_segments(voices.segments, samples, embed, tell)
    names = cluster_segments(stretches, count)
    named = [(stretch, f"V{name}") for stretch, name in zip(stretches, names, strict=True) if name is not None]
    if not named:
        return voices
    by_voice: dict[str, list[tuple[SingleSpeakerSegment, str]]] = {}
    for stretch, name in named:
        by_voice.setdefault(stretch.segment.speaker, []).append((stretch, name))
    return DiarizationOutput(
        segments=_relabel(voices.segments, by_voice, named), exclusive=_relabel(voices.exclusive, by_voice, named)
    )


def _relabel(
    segments: Sequence[SpeakerSegment], by_voice: Mapping[str, LabelledSegments], named: LabelledSegments
) -> tuple[SpeakerSegment, ...]:
    """The segments cut where another person's stretch of the same voice begins; lists of stretches in order of time."""
    found: list[SpeakerSegment] = []
    for segment in segments:
        own = by_voice.get(segment.speaker, named)
        around = _within(own, segment) or [_nearest(own, segment)]
        start = segment.start
        for (stretch, name), after in zip(around, [*around[1:], None], strict=True):
            end = segment.end
            if after is not None:
                end = min(segment.end, (stretch.segment.end + after[0].segment.start) / 2)
            if end > start:
                found.append(SpeakerSegment(start=start, end=end, speaker=name))
                start = end
    return tuple(sorted(found, key=lambda part: (part.start, part.end)))


def _within(named: LabelledSegments, segment: SpeakerSegment) -> LabelledSegments:
    """The stretches that share time with the segment; those of one voice share none with one another."""
    first = bisect_left(named, segment.start, key=lambda each: each[0].segment.end)
    past = bisect_left(named, segment.end, key=lambda each: each[0].segment.start)
    return [each for each in named[first:past] if each[0].segment.end > segment.start]


def _nearest(named: LabelledSegments, segment: SpeakerSegment) -> tuple[SingleSpeakerSegment, str]:
    """What is nearest in time: a voice too short to tell is most likely heard right before or after."""
    return min(
        named,
        key=lambda each: max(each[0].segment.start - segment.end, segment.start - each[0].segment.end),
    )
