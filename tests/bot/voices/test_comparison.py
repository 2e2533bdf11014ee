"""Voices are compared by the calibration of the voice-book, and by how often people took matches back."""

import math
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from bot.exceptions import RefusedError
from bot.voices.book import EnrolledVoice
from bot.voices.comparison import ClipVoice, ClipVoices, check_enrolment, compare, join, only_voice, read_voices
from pipeline.speech.speakers.matching import (
    CALIBRATION_OFFSET,
    CALIBRATION_SLOPE,
    MIN_NAMING_PROBABILITY,
    Voice,
    VoiceBook,
)
from tests.bot.world import make_result
from worker.store import Store


def vector(degrees: float) -> tuple[float, ...]:
    return (math.cos(math.radians(degrees)), math.sin(math.radians(degrees)), 0.0)


def cosine_for(probability: float) -> float:
    """The cosine at which the calibration gives a probability."""
    return (math.log(probability / (1 - probability)) - CALIBRATION_OFFSET) / CALIBRATION_SLOPE


def at(probability: float) -> tuple[float, ...]:
    return vector(math.degrees(math.acos(cosine_for(probability))))


def known(confirmed: int = 0, denied: int = 0) -> EnrolledVoice:
    return EnrolledVoice(user_id="1", vector=vector(0), seconds=10.0, confirmed=confirmed, denied=denied)


def clip(*voices: tuple[float, ...], seconds: float = 10.0) -> ClipVoices:
    listed = [ClipVoice(name=f"S{number}", vector=each, seconds=seconds) for number, each in enumerate(voices)]
    return ClipVoices(model="m", digest="d", voices=tuple(listed))


@pytest.mark.parametrize(
    ("probability", "counts", "expected"),
    [
        (0.99, (0, 0), True),
        (MIN_NAMING_PROBABILITY + 0.01, (0, 0), True),
        (MIN_NAMING_PROBABILITY - 0.01, (0, 0), False),
        (0.51, (0, 0), False),
        (0.49, (0, 0), None),
        (MIN_NAMING_PROBABILITY + 0.01, (0, 1), False),
        (0.85, (0, 1), True),
        (0.85, (0, 4), False),
        (0.85, (16, 4), True),
    ],
)
def test_how_sure_a_match_is(probability: float, counts: tuple[int, int], expected: bool | None) -> None:
    found = compare(clip(at(probability)), {"1": known(*counts)})
    assert {speaker: each.sure for speaker, each in found.items()} == ({} if expected is None else {"S0": expected})


def test_nobody_is_surely_two_speakers() -> None:
    found = compare(clip(at(0.9), at(0.95)), {"1": known()})
    assert found["S1"].sure
    assert not (found.get("S0") and found["S0"].sure)


def test_nobody_enrols_with_too_little_or_with_the_voice_of_another() -> None:
    heard = clip(vector(0))
    check_enrolment(heard, heard.voices[0], "1", {"1": known()})
    with pytest.raises(RefusedError, match="somebody else"):
        check_enrolment(heard, heard.voices[0], "2", {"1": known()})
    short = clip(vector(90), seconds=4.9)
    with pytest.raises(RefusedError, match="Too little"):
        check_enrolment(short, short.voices[0], "2", {"1": known()})


def test_a_recording_has_one_voice_of_weight() -> None:
    own = ClipVoice(name="S0", vector=vector(0), seconds=20.0)
    stray = ClipVoice(name="S1", vector=vector(90), seconds=2.0)
    both = ClipVoices(model="m", digest="d", voices=(stray, own))
    assert only_voice(both) == own
    with pytest.raises(RefusedError, match="Several voices"):
        only_voice(ClipVoices(model="m", digest="d", voices=(own, msgspec.structs.replace(stray, seconds=3.0))))
    with pytest.raises(RefusedError, match="Too little"):
        only_voice(ClipVoices(model="m", digest="d", voices=()))


def test_more_speech_moves_a_voice_by_its_length() -> None:
    joined = join(known(confirmed=3), ClipVoice(name="S0", vector=vector(90), seconds=10.0))
    assert joined.seconds == 20.0
    assert np.allclose(joined.vector, vector(45), atol=1e-5)
    assert joined.confirmed == 3


async def test_what_the_worker_writes_is_read(store: Store, tmp_path: Path) -> None:
    book = VoiceBook(model="m", digest="d", voices=(Voice(name="S0", vector=vector(0), seconds=7.5),))
    (tmp_path / "voices.json").write_bytes(msgspec.json.encode(book))
    kept = await store.put(tmp_path / "voices.json", name="voices-embeddings.json")
    read = await read_voices(replace(make_result(), voices=kept), store)
    assert read is not None
    assert read.find("S0") == ClipVoice(name="S0", vector=vector(0), seconds=7.5)
    assert read.find("S1") is None
