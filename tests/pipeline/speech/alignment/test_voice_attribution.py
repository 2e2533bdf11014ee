"""Phrases go to whom they sound like."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.alignment.voice_attribution import attribute_by_voice
from pipeline.speech.diarization.pyannote_pipeline import SpeakerCount
from pipeline.types import Diarization, SpeakerSegment, Word

RATE = 16_000
Span = tuple[float, float, str]


def encode(stretches: NDArray[np.float32], /) -> NDArray[np.float32]:
    return np.stack([encode_one(samples) for samples in stretches])


def encode_one(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """A voice is a level here: each has a direction of its own, and its phrases lie around that."""
    levels = np.round(np.abs(samples) * 10).astype(int)
    voice = np.array([(levels == level).mean() for level in range(1, 9)])
    other = np.random.default_rng(len(samples) + round(1000 * float(samples[0]))).normal(size=40)
    return np.concatenate((voice, 0.45 * other / np.linalg.norm(other))).astype(np.float32)


def sound(*spans: Span, seconds: float = 30.0) -> NDArray[np.float32]:
    samples = np.zeros(round(seconds * RATE), np.float32)
    for start, end, name in spans:
        samples[round(start * RATE) : round(end * RATE)] = int(name[1:]) / 10
    return samples


def diarization(*spans: Span) -> Diarization:
    segments = tuple(SpeakerSegment(start=start, end=end, speaker=name) for start, end, name in spans)
    return Diarization(
        speakers=tuple(dict.fromkeys(name for _, _, name in spans)), segments=segments, exclusive=segments
    )


def sentence(start: float, end: float, count: int) -> list[Word]:
    edges = np.linspace(start, end, count + 1)
    return [
        Word(start=first, end=last, text="Word" + "." * (place == count - 1), confidence=1.0)
        for place, (first, last) in enumerate(pairwise(edges))
    ]


def attribute(
    words: list[Word], heard: Diarization, samples: NDArray[np.float32], count: SpeakerCount | None = None
) -> tuple[list[str], Diarization]:
    spoken, voices = attribute_by_voice(words, heard, samples, encode, count or SpeakerCount(), lambda fraction: None)
    assert [each.word for each in spoken] == words
    return [each.speaker for each in spoken], voices


TRUTH: tuple[Span, ...] = (
    *((0, 3, "S1"), (3.1, 6, "S3"), (6.1, 7, "S5"), (7.1, 10, "S1"), (10.1, 13, "S3"), (13.1, 16, "S5")),
    *((16.1, 17, "S1"), (17.1, 20, "S3")),
)
FOUR: tuple[Span, ...] = tuple(
    (2.0 * place, 2.0 * place + 1.2 + 0.06 * place, f"S{1 + 2 * (place % 4)}") for place in range(12)
)
"""Each three times, and no phrase as long as another, since here those of one voice would be one recording."""


def said(truth: Sequence[Span]) -> tuple[list[Word], list[str]]:
    """Sentences of two words a second, and whose each word is."""
    counts = [max(2, round(2 * (end - start))) for start, end, _ in truth]
    words = [word for (start, end, _), count in zip(truth, counts, strict=True) for word in sentence(start, end, count)]
    return words, [name for (_, _, name), count in zip(truth, counts, strict=True) for _ in range(count)]


WORDS, SPEAKERS = said(TRUTH)


def same(found: Sequence[str], speakers: Sequence[str]) -> bool:
    """Tell whether the labels stand for the speakers one to one."""
    return len({*zip(found, speakers, strict=True)}) == len(set(speakers)) == len(set(found))


def test_a_reply_that_the_diarization_joins_to_another_voice_is_kept() -> None:
    # The replies at 6.1 and 16.1 were taken for the voice before them.
    joined = diarization(
        *((0, 3, "S1"), (3.1, 7, "S2"), (7.1, 10, "S1"), (10.1, 13, "S2"), (13.1, 17, "S3"), (17.1, 20, "S2"))
    )
    found, voices = attribute(WORDS, joined, sound(*TRUTH))
    assert same(found, SPEAKERS)
    starts = [segment.start for segment in voices.segments]
    assert any(abs(start - 6.05) < 0.06 for start in starts)
    assert any(abs(start - 16.05) < 0.06 for start in starts)
    assert set(voices.speakers) == set(found)


def test_a_voice_that_the_diarization_did_not_tell_from_another_is_found() -> None:
    merged = diarization(*((start, end, "S1" if name == "S7" else name) for start, end, name in FOUR))
    words, speakers = said(FOUR)
    found, voices = attribute(words, merged, sound(*FOUR))
    assert same(found, speakers)
    assert len(voices.speakers) == len(set(speakers))


def test_two_voices_stay_two() -> None:
    """On the telephone a voice differs from itself as much as from the other one."""
    merged = diarization(*((start, end, "S1" if name == "S5" else name) for start, end, name in TRUTH))
    found, _ = attribute(WORDS, merged, sound(*TRUTH))
    assert len(set(found)) == len(merged.speakers)


def test_who_speaks_into_a_phrase_without_a_word_keeps_their_stretch() -> None:
    into = diarization(*TRUTH, (4.0, 4.6, "S1"))
    _, voices = attribute(WORDS, into, sound(*TRUTH))
    first, (inside,) = voices.segments[0], [segment for segment in voices.segments if segment.start == 4.0]
    assert inside.speaker == first.speaker


def test_a_person_who_says_how_many_speak_is_believed() -> None:
    heard = diarization(*TRUTH)
    found, voices = attribute(WORDS, heard, sound(*TRUTH), SpeakerCount(exact=2))
    assert len(set(found)) == len(voices.speakers) == 2


def test_one_voice_stays_one() -> None:
    alone = diarization((0, 20, "S1"))
    found, voices = attribute(WORDS, alone, sound(*TRUTH))
    assert (set(found), voices) == ({"S1"}, alone)


def test_what_is_too_short_to_tell_goes_by_time() -> None:
    heard = diarization((0, 3, "S1"), (3.1, 6, "S3"))
    samples = sound((0, 3, "S1"), (3.1, 6, "S3"))
    words = [*sentence(0, 3, 6), *sentence(3.1, 3.2, 1), *sentence(3.5, 6, 6)]
    found, _ = attribute(words, heard, samples)
    assert found == [found[0]] * 6 + [found[-1]] * 7
    assert found[0] != found[-1]


def test_stretches_without_words_keep_their_usual_speaker() -> None:
    truth = (*TRUTH, (22.0, 24.0, "S3"))
    heard = diarization(*truth)
    found, voices = attribute(WORDS, heard, sound(*truth))
    (laugh,) = [segment for segment in voices.segments if segment.start == 22.0]
    assert laugh.speaker == found[SPEAKERS.index("S3")]


def test_no_voice_at_all() -> None:
    for names in ((), ("S1", "S2")):
        heard = Diarization(speakers=names, segments=(), exclusive=())
        found, voices = attribute(sentence(0, 1, 2), heard, sound())
        assert (found, voices.segments) == (["S1", "S1"], ())
