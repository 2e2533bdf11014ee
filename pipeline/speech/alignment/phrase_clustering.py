"""Clustering of phrases into speakers.

What a phrase sounds like tells its speaker, and so, a little, does the speaker whom the diarization heard meanwhile:
it heard more of the sound around. How many speakers there are, the diarization knows best, for phrases are short; but
where replies are as short as in a quick exchange it may have missed somebody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.diarization import plda
from pipeline.speech.diarization.clustering import Labels, WeightedSegments, weigh_segments
from pipeline.speech.diarization.pyannote_pipeline import SpeakerCount
from pipeline.speech.diarization.segments import Timeline, by_speaker
from pipeline.speech.diarization.single_speaker_segments import SingleSpeakerSegment
from pipeline.types import Diarization

LABEL_WEIGHT: Final = 0.15
"""Length of the part of a phrase's vector that says whom the diarization heard; its embedding has length 1."""
MIN_DOUBTED_SPEAKERS: Final = 3
"""From which number on voices more or less than the diarization found are looked for. Two people on a telephone differ
less than either does from time to time, so two stay two."""
SAME_VOICE_RATIO: Final = 0.42
"""Log-likelihood ratio, as `plda` computes it, of the two voices that are most alike, above which they are one."""
MIN_MISSED_SECONDS: Final = 2.8
"""Of the shorter of these two, below which it is somebody who laughs or shouts."""
MIN_MISSED_PHRASES: Final = 3
"""Likewise."""
MIN_MISSED_PHRASES_OF_QUICK: Final = 2
"""The same of a quick exchange, in which the diarization misses more."""
SHORT_SECONDS, MIN_QUICK_SHARE = 0.6, 0.12
"""A quick exchange is one in which this part of the phrases is shorter."""
MAX_OVERLAP_SHARE: Final = 0.4
"""Of a phrase in which others are heard, above which it says nothing about how many speakers there are."""


def cluster_phrases(
    phrases: Sequence[SingleSpeakerSegment], diarization: Diarization, count: SpeakerCount
) -> list[int | None]:
    """Give each phrase to a speaker.

    Args:
        phrases: With their embeddings.
        diarization: When each speaker is heard.
        count: What the person said about the number of speakers.

    Returns:
        A cluster for each phrase; None where it is too short to tell.
    """
    timelines = by_speaker(diarization.segments)
    unclear = {index for index, phrase in enumerate(phrases) if _is_overlapped(phrase, timelines)}
    weighted = weigh_segments(phrases, unclear=unclear, features=_label_features(phrases, diarization))
    if weighted is None:
        return [None] * len(phrases)
    short = sum(phrase.seconds < SHORT_SECONDS for phrase in phrases)
    quick = short >= MIN_QUICK_SHARE * len(phrases)
    labels = _cut(weighted, count, len(diarization.speakers), quick=quick)
    return weighted.assign(labels, len(phrases))


def _cut(weighted: WeightedSegments, count: SpeakerCount, found: int, *, quick: bool) -> Labels:
    """Cluster into as many speakers as the diarization found, into one more who was missed, or into fewer."""
    tree = weighted.merge()
    if count.exact is not None:
        return tree.cut(count)
    known = max(found, count.min or 1) if count.max is None else min(max(found, count.min or 1), count.max)
    if known >= MIN_DOUBTED_SPEAKERS and known != count.max:
        labels = tree.cut(SpeakerCount(exact=known + 1))
        min_phrases = MIN_MISSED_PHRASES_OF_QUICK if quick else MIN_MISSED_PHRASES
        if _size(labels) == known + 1 and _is_missed(_find_closest(weighted, labels), min_phrases):
            return labels
    fewest = max(count.min or 1, min(known, MIN_DOUBTED_SPEAKERS - 1))
    labels = tree.cut(SpeakerCount(exact=known))
    if _size(labels) < fewest:
        # Fewer than asked for is what is left where small clusters are merged; another number may fit.
        labels = tree.cut(SpeakerCount(min=fewest, max=count.max))
    while _size(labels) > fewest and _find_closest(weighted, labels).ratio > SAME_VOICE_RATIO:
        fewer = tree.cut(SpeakerCount(exact=_size(labels) - 1))
        if not fewest <= _size(fewer) < _size(labels):
            break
        labels = fewer
    return labels


def _size(labels: Labels) -> int:
    return len(np.unique(labels))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """The two clusters that are most alike."""

    ratio: float
    """Log-likelihood ratio of their being one speaker's."""
    phrases: int
    """Of that which has fewer."""
    seconds: float
    """Of that which has fewer."""


def _find_closest(weighted: WeightedSegments, labels: Labels) -> _Pair:
    ratios = plda.pairwise_ratios(*weighted.totals(labels))
    pair = np.unravel_index(int(ratios.argmax()), ratios.shape)
    own = [weighted.seconds[weighted.clustered[labels == np.unique(labels)[place]]] for place in pair]
    return _Pair(
        ratio=float(ratios[pair]),
        phrases=min(len(seconds) for seconds in own),
        seconds=min(float(seconds.sum()) for seconds in own),
    )


def _is_missed(pair: _Pair, min_phrases: int) -> bool:
    """Tell whether two clusters are two speakers of whom the diarization missed one."""
    enough = pair.phrases >= min_phrases and pair.seconds >= MIN_MISSED_SECONDS
    return enough and pair.ratio <= SAME_VOICE_RATIO


def _is_overlapped(phrase: SingleSpeakerSegment, timelines: Mapping[str, Timeline]) -> bool:
    heard = sum(timeline.covered_duration(phrase.segment.start, phrase.segment.end) for timeline in timelines.values())
    return heard > (1.0 + MAX_OVERLAP_SHARE) * phrase.seconds


def _label_features(phrases: Sequence[SingleSpeakerSegment], diarization: Diarization) -> list[NDArray[np.float32]]:
    """Write down whom the diarization heard during each phrase, shape (speakers,) each."""
    exclusive = by_speaker(diarization.exclusive)
    features: list[NDArray[np.float32]] = []
    for phrase in phrases:
        seconds = np.array(
            [timeline.covered_duration(phrase.segment.start, phrase.segment.end) for timeline in exclusive.values()],
            np.float32,
        )
        features.append(LABEL_WEIGHT * seconds / max(float(seconds.sum()), 1e-9))
    return features
