"""Hears each stretch of speech once more on its own, and tells the voices apart anew by that.

pyannote names voices per window of 10 s; where a window takes two people for one, whole stretches
between two pauses get the wrong name, and the vectors of such windows draw two people together.
Vectors of the stretches themselves do not mix people, so they are clustered again (average linkage
of cosine distances). pyannote is told to split voices rather than to join them, since it is the
splits that cut the stretches. On the tuning half of `tests.bench.speech_set` that halves the DER.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.pyannote_pipeline import SAMPLE_RATE, Count, Voices
from pipeline.speech.segments import by_speaker
from pipeline.types import SpeakerSegment

SHORTEST = 0.4
"""Seconds of one voice alone; less says too little about whose it is."""
SHORTEST_WITNESS = 0.8
"""Seconds from which a stretch has a say in how many people there are."""
LONGEST = 8.0
"""Seconds that are heard of a long stretch."""
THRESHOLD = 0.34
"""Mean cosine distance above which stretches are of two people; chosen on the tuning half."""
LEAST_SPEECH = 1.5
"""Seconds heard of a person; less is a noise or a cry of somebody who is known."""
MUCH_SPEECH = 6.0
"""Seconds heard of a voice from which its vector is beyond doubt; who says less must sound more different."""
MOST_WITNESSES = 4000
"""Longer stretches first, so that the table of distances stays under 64 MB on hours of talk."""

Vector = NDArray[np.float32]
Embed = Callable[[Vector], Vector]
Tell = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A segment with what was heard of its voice alone."""

    segment: SpeakerSegment
    heard: float
    """Seconds."""
    vector: Vector | None
    """Of length 1; None where too little is heard."""


def reconsider(voices: Voices, samples: Vector, embed: Embed, tell: Tell, count: Count) -> Voices:
    """The same stretches, each with the name of the nearest of the voices found anew.

    `samples` is the clip at 16 kHz, shape (frames,); `tell` is called with the part done and may raise.
    Where too little is heard to tell, pyannote's own answer stands; where fewer people can be told apart
    than are asked for, as many as can be.
    """
    stretches: list[Stretch] = []
    for index, segment in enumerate(voices.segments):
        tell(index / len(voices.segments))
        stretches.append(_listen(segment, voices.segments, samples, embed))
    found = find_people(stretches, count)
    if not found:
        return voices
    renamed = _named(stretches, found)
    timelines = by_speaker(voices.segments)
    places = {id(segment): new for segment, new in zip(voices.segments, renamed, strict=True)}
    exclusive: list[SpeakerSegment] = []
    for segment in voices.exclusive:
        around = timelines.get(segment.speaker)
        own = next(iter(around.within(segment.start, segment.end)), None) if around is not None else None
        exclusive.append(segment if own is None else replace(segment, speaker=places[id(own)].speaker))
    return Voices(segments=tuple(renamed), exclusive=tuple(exclusive), vectors=found)


def find_people(stretches: Sequence[Stretch], count: Count) -> Mapping[str, Vector]:
    """The mean vector of each person, by label; empty where the stretches cannot tell."""
    from scipy.cluster import hierarchy  # pyright: ignore[reportMissingTypeStubs]

    able = [stretch for stretch in stretches if stretch.vector is not None and stretch.heard >= SHORTEST_WITNESS]
    able = sorted(able, key=lambda stretch: -stretch.heard)[:MOST_WITNESSES]
    if not able:
        return {}
    vectors = np.stack([cast("Vector", stretch.vector) for stretch in able])
    heard = np.array([stretch.heard for stretch in able])
    if len(able) == 1:
        return _means(vectors, heard, [np.array([True])])
    tree: NDArray[np.float64] = cast("Any", hierarchy).linkage(vectors, "average", metric="cosine")
    # The chosen threshold first, then cuts ever further from it, until the number of people fits best.
    cuts = np.append(tree[:, 2], -1.0)  # below every distance: each stretch is somebody else
    heights = np.append(THRESHOLD, cuts[np.argsort(np.abs(cuts - THRESHOLD))])
    best: tuple[int, list[NDArray[np.bool_]]] | None = None
    for height in heights:
        labels: NDArray[np.int64] = cast("Any", hierarchy).fcluster(tree, height, criterion="distance")
        labels = _join_small(labels, vectors, heard, height)
        seconds = np.bincount(labels, weights=heard)
        people = np.flatnonzero(seconds >= LEAST_SPEECH)
        people = people if len(people) else np.array([np.argmax(seconds)])
        off = _off(len(people), count)
        if best is None or off < best[0]:
            best = (off, [labels == label for label in people])
        if not off:
            break
    return {} if best is None else _means(vectors, heard, best[1])


def _join_small(
    labels: NDArray[np.int64], vectors: Vector, heard: NDArray[np.float64], least: float
) -> NDArray[np.int64]:
    """The labels, groups of little speech joined to the nearest larger one closer than the distance `least`.

    Noise throws single stretches far from their own voice, so that their mean distance to all of its
    stretches is large; that to its mean vector is not.
    """
    joined = labels.copy()
    seconds = np.bincount(labels, weights=heard)
    kept: list[int] = []
    for label in sorted(set(labels.tolist()), key=lambda label: -seconds[label]):
        if kept and seconds[label] < MUCH_SPEECH:
            own = _mean(vectors, heard, labels == label)
            distances = [1.0 - float(_mean(vectors, heard, joined == other) @ own) for other in kept]
            if min(distances) < least:
                joined[labels == label] = kept[int(np.argmin(distances))]
                continue
        kept.append(label)
    return joined


def _off(people: int, count: Count) -> int:
    """By how many people a number lies outside of what is known."""
    least, most = count.exact or count.least or 1, count.exact or count.most or people
    return max(least - people, people - most, 0)


def _means(vectors: Vector, heard: NDArray[np.float64], people: Sequence[NDArray[np.bool_]]) -> dict[str, Vector]:
    return {f"V{number}": _mean(vectors, heard, group) for number, group in enumerate(people)}


def _mean(vectors: Vector, heard: NDArray[np.float64], group: NDArray[np.bool_]) -> Vector:
    return _unit(np.average(vectors[group], axis=0, weights=heard[group]))


def _named(stretches: Sequence[Stretch], people: Mapping[str, Vector]) -> list[SpeakerSegment]:
    """Each stretch with the nearest person; one too short to tell follows its neighbour of the same old name."""
    names = [
        None
        if stretch.vector is None
        else max(people, key=lambda label, own=stretch.vector: float(people[label] @ own))
        for stretch in stretches
    ]
    anchors: dict[str, list[tuple[float, str]]] = {}
    for stretch, name in zip(stretches, names, strict=True):
        if name is not None:
            anchors.setdefault(stretch.segment.speaker, []).append((stretch.segment.start, name))
    named: list[SpeakerSegment] = []
    for stretch, name in zip(stretches, names, strict=True):
        near = anchors.get(stretch.segment.speaker, [(0.0, next(iter(people)))])
        start = stretch.segment.start
        label = name or min(near, key=lambda anchor: abs(anchor[0] - start))[1]
        named.append(replace(stretch.segment, speaker=label))
    return named


def _listen(segment: SpeakerSegment, others: Sequence[SpeakerSegment], samples: Vector, embed: Embed) -> Stretch:
    start, end = _longest_alone(segment, others)
    end = min(end, start + LONGEST)
    heard = np.ascontiguousarray(samples[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)])
    vector = None
    if len(heard) >= SHORTEST * SAMPLE_RATE:
        vector = _unit(embed(heard))
    usable = vector is not None and bool(np.isfinite(vector).all())
    return Stretch(segment=segment, heard=len(heard) / SAMPLE_RATE, vector=vector if usable else None)


def _unit(vector: Vector) -> Vector:
    """At length 1; not finite for a vector that says nothing."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return (vector / np.linalg.norm(vector)).astype(np.float32)


def _longest_alone(segment: SpeakerSegment, others: Sequence[SpeakerSegment]) -> tuple[float, float]:
    """The longest part of a segment in which nobody else is heard."""
    cuts = [
        (other.start, other.end)
        for other in others
        if other.speaker != segment.speaker and other.start < segment.end and other.end > segment.start
    ]
    best, reached = (segment.start, segment.start), segment.start
    for start, end in [*sorted(cuts), (segment.end, segment.end)]:
        if start - reached > best[1] - best[0]:
            best = (reached, start)
        reached = max(reached, end)
    return best
