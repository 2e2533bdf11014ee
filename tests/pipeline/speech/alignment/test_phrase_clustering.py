"""Phrases are told apart by sound, and there are as many speakers as the diarization found, or one more."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.speech.alignment.phrase_clustering import cluster_phrases
from pipeline.speech.diarization.clustering import Dendrogram, WeightedSegments, merge_embeddings, weigh_segments
from pipeline.speech.diarization.pyannote_pipeline import SpeakerCount
from pipeline.speech.diarization.single_speaker_segments import SingleSpeakerSegment
from pipeline.types import Diarization, SpeakerSegment

PHRASE_SECONDS = 2.0


def voice(person: str, seed: int, noise: float = 0.3) -> NDArray[np.float32]:
    """A vector of length 1 near a person's own."""
    own = np.random.default_rng([ord(person), 7]).standard_normal(192)
    off = np.random.default_rng([ord(person), 8, seed]).standard_normal(192)
    vector = own + noise * off
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def phrases(order: str) -> list[SingleSpeakerSegment]:
    """One after another, where each letter is a person and a dot a reply that is too short to tell."""
    return [
        SingleSpeakerSegment(
            segment=SpeakerSegment(
                start=PHRASE_SECONDS * place,
                end=PHRASE_SECONDS * place + (0.3 if person == "." else PHRASE_SECONDS),
                speaker=str(place),
            ),
            embedding=None if person == "." else voice(person, place),
        )
        for place, person in enumerate(order)
    ]


def diarization(order: str) -> Diarization:
    """Whom the diarization heard during each phrase."""
    heard = tuple(
        SpeakerSegment(start=PHRASE_SECONDS * place, end=PHRASE_SECONDS * (place + 1), speaker=person)
        for place, person in enumerate(order)
    )
    return Diarization(speakers=tuple(dict.fromkeys(order)), segments=heard, exclusive=heard)


def cluster(order: str, heard: str, count: SpeakerCount | None = None) -> str:
    """Who is found, as letters in order of appearance; a dot is nobody."""
    found = cluster_phrases(phrases(order), diarization(heard), count or SpeakerCount())
    names = dict.fromkeys(name for name in found if name is not None)
    letters = {None: ".", **{name: "ABCDEFGH"[place] for place, name in enumerate(names)}}
    return "".join(letters[name] for name in found)


def test_a_phrase_under_another_speakers_label_goes_to_its_own() -> None:
    assert cluster("ABCABCABC", "ABCABBABC") == "ABCABCABC"


def test_somebody_who_was_missed_is_found() -> None:
    assert cluster("ABCDABCDABCD", "ABCAABCAABCA") == "ABCDABCDABCD"


@pytest.mark.parametrize("order", ["ABCABCABCD", "ABCDABCABCD"])
def test_few_phrases_that_sound_different_make_nobody_more(order: str) -> None:
    assert len(set(cluster(order, order.replace("D", "A")))) == 3


def test_fewer_are_enough_among_short_replies() -> None:
    assert cluster("ABCDA.B.CABCD", "ABCAAABBCABCA") == "ABCDA.B.CABCD"


def test_one_speaker_under_two_labels_is_one() -> None:
    assert cluster("ABCABCABC", "ABCABDABD") == "ABCABCABC"


def test_two_stay_two() -> None:
    """On the telephone a voice differs from itself as much as from the other one."""
    assert len(set(cluster("ABCABCABC", "ABAABAABA"))) == 2
    assert len(set(cluster("AAAAAA", "ABABAB"))) == 2


@pytest.mark.parametrize(
    ("count", "people"),
    [
        *((SpeakerCount(max=3), 3), (SpeakerCount(max=2), 2), (SpeakerCount(exact=2), 2)),
        *((SpeakerCount(min=4), 4), (SpeakerCount(min=6), 6), (SpeakerCount(max=9), 4)),
    ],
)
def test_what_the_person_said_about_their_number_holds(count: SpeakerCount, people: int) -> None:
    assert len(set(cluster("ABCDABCDABCD", "ABCAABCAABCA", count))) == people


def test_the_diarization_tells_what_the_sound_does_not() -> None:
    """A phrase halfway between two voices goes to the one that the diarization heard."""
    halfway = voice("A", 1) + voice("B", 1)
    made = [
        SingleSpeakerSegment(segment=each.segment, embedding=each.embedding if place < 9 else halfway / np.sqrt(2))
        for place, each in enumerate(phrases("ABCABCABCA"))
    ]
    for label in "AB":
        found = cluster_phrases(made, diarization("ABCABCABC" + label), SpeakerCount())
        assert found[9] == found["ABC".index(label)]


def test_phrases_too_short_to_tell_are_nobodys() -> None:
    silent = [SingleSpeakerSegment(segment=each.segment, embedding=None) for each in phrases("ABC")]
    assert cluster_phrases(silent, diarization("ABC"), SpeakerCount()) == [None] * 3


def by_chance(seed: int) -> tuple[list[SingleSpeakerSegment], Diarization, SpeakerCount]:
    """Up to 40 phrases of up to six voices, more or less alike, a third of which the diarization labelled anyhow."""
    chance = np.random.default_rng(seed)
    voices = chance.normal(size=(int(chance.integers(1, 7)), 32))
    voices /= np.linalg.norm(voices, axis=1, keepdims=True)
    noise, scale, labels = chance.choice([0.3, 0.6, 0.9, 1.2]), chance.choice([0.5, 1.0, 2.0]), chance.integers(2, 8)
    made: list[SingleSpeakerSegment] = []
    heard: list[SpeakerSegment] = []
    at = 0.0
    for place in range(int(chance.integers(3, 40))):
        end, speaker, off = at + 0.35 + chance.random() * scale, chance.integers(len(voices)), chance.normal(size=32)
        vector = voices[speaker] + noise * off / np.linalg.norm(off)
        segment = SpeakerSegment(start=at, end=end, speaker=str(place))
        made.append(
            SingleSpeakerSegment(segment=segment, embedding=(vector / np.linalg.norm(vector)).astype(np.float32))
        )
        label = chance.integers(labels) if chance.random() < 0.3 else speaker % labels
        heard.append(SpeakerSegment(start=at, end=end, speaker=f"L{label}"))
        at = end + 0.05
    lowest = int(chance.integers(1, 6))
    counts = [SpeakerCount(), SpeakerCount(min=lowest), SpeakerCount(max=lowest)]
    counts.append(SpeakerCount(min=lowest, max=lowest + int(chance.integers(0, 3))))
    names = tuple(dict.fromkeys(each.speaker for each in heard))
    found = Diarization(speakers=names, segments=tuple(heard), exclusive=tuple(heard))
    return made, found, counts[int(chance.integers(4))]


@pytest.mark.parametrize("seed", [13, 653, 1694, 2049, 2189, 5337, *range(100, 160)])
def test_the_number_stays_within_what_is_known_where_it_can(seed: int) -> None:
    made, heard, count = by_chance(seed)
    people = len({name for name in cluster_phrases(made, heard, count) if name is not None})
    weighted = weigh_segments(made)
    assert weighted is not None
    lowest, highest = count.min or 1, count.max or len(made)
    reachable = len(np.unique(weighted.merge().cut(count)))
    assert lowest <= people <= highest or not lowest <= reachable <= highest
    assert people <= max(len(heard.speakers), lowest) + 1
    if count == SpeakerCount():
        assert people >= min(2, len(heard.speakers), reachable)


def test_many_labels_take_one_clustering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of two hours takes seconds."""
    clusterings: list[int] = []

    def merge(self: WeightedSegments) -> Dendrogram:
        clusterings.append(len(self.clustered))
        return merge_embeddings(self.sums, self.precisions, self.seconds)

    monkeypatch.setattr(WeightedSegments, "merge", merge)
    assert cluster("ABC" * 12, "".join(chr(ord("A") + place) for place in range(36))) == "ABC" * 12
    assert len(clusterings) == 1
