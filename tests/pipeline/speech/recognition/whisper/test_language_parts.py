"""Languages within a clip, told from what a decoder makes of short stretches."""

from pathlib import Path
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.audio import io as audio_io
from pipeline.speech.recognition.chunking import pack_windows
from pipeline.speech.recognition.speech_reader import SAMPLE_RATE, SpeechReader
from pipeline.speech.recognition.whisper.executor import FRAME_SECONDS, Executor
from pipeline.speech.recognition.whisper.language_parts import (
    CHANGE_COST,
    SPEAKER_CHANGE_COST,
    STEP_SECONDS,
    LanguageListener,
    find_sure,
    trace_languages,
)
from pipeline.speech.recognition.whisper.word_placement import Part
from pipeline.types import SpeakerSegment


def scores(*stretches: tuple[float, list[float]]) -> NDArray[np.float64]:
    """Log-probabilities of three languages, for so many seconds each."""
    rows = [np.log(shares) for seconds, shares in stretches for _ in range(round(seconds / STEP_SECONDS))]
    return np.array(rows)


def trace(found: NDArray[np.float64], first: int | None) -> list[int]:
    return trace_languages(found, np.full(len(found), CHANGE_COST), first)


EN, IT, UNSURE = [0.98, 0.01, 0.01], [0.01, 0.98, 0.01], [0.4, 0.5, 0.1]


def test_the_language_changes_where_the_sound_says_so() -> None:
    path = trace(scores((6, EN), (4, IT), (5, EN)), None)
    assert path == [0] * 12 + [1] * 8 + [0] * 10


def test_one_doubtful_stretch_changes_nothing() -> None:
    assert trace(scores((5, EN), (0.5, IT), (2, UNSURE), (5, EN)), None) == [0] * 25


def test_a_window_goes_on_in_the_language_before_it() -> None:
    assert trace(scores((1.5, UNSURE)), 0) == [0, 0, 0]
    assert trace(scores((1.5, UNSURE)), None) == [1, 1, 1]
    assert trace(scores((6, IT)), 0) == [1] * 12


def test_where_another_voice_takes_over_less_is_needed() -> None:
    found = scores((3, EN), (1.5, [0.1, 0.7, 0.2]), (3, EN))
    costs = np.full(len(found), CHANGE_COST)
    assert trace_languages(found, costs, None) == [0] * 15
    costs[[6, 9]] = SPEAKER_CHANGE_COST / 2
    assert trace_languages(found, costs, None) == [0] * 6 + [1] * 3 + [0] * 6


def test_a_language_is_one_of_the_clips_once_it_is_sure_for_a_while() -> None:
    assert find_sure(scores((0.5, EN), (0.5, IT), (2, UNSURE))) == []
    assert find_sure(scores((3, EN), (1, UNSURE), (2, IT))) == [0, 1]
    assert find_sure(scores((0.5, EN))) == [0]


class Ear:
    """An executor whose features hold the language of each frame."""

    languages = ("en", "it", "hr")

    def encode(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        frames = np.zeros((1, 1500, 1), np.float32)
        seen = samples[:: round(FRAME_SECONDS * SAMPLE_RATE)]
        frames[0, : len(seen), 0] = seen
        return frames

    def detect_languages(self, features: NDArray[np.float32], spans: list[tuple[int, int]]) -> NDArray[np.float64]:
        italian = np.array([(features[0, first:past, 0] > 0.5).mean() for first, past in spans])
        shares = np.stack([0.98 * (1 - italian), 0.98 * italian, np.full(len(spans), 0.02)], axis=1)
        return np.log(np.maximum(shares, 1e-4))

    def detect_language(self, features: list[NDArray[np.float32]]) -> dict[str, float]:
        heard = np.concatenate([each[0, :, 0] for each in features])
        italian = float((heard > 0.5).sum() / (heard > 0).sum())
        return {"en": 1 - italian, "it": italian, "hr": 0.0}


def split(folder: Path, *said: tuple[float, str]) -> list[tuple[float, float, str]]:
    """Languages of a clip in which each is said for so many seconds."""
    samples = np.concatenate([np.full(round(s * SAMPLE_RATE), {"en": 0.3, "it": 0.7}[code]) for s, code in said])
    audio_io.write(folder / "speech.flac", samples.astype(np.float32)[:, None], SAMPLE_RATE, subtype="PCM_16")
    reader, ear = SpeechReader(folder / "speech.flac"), Ear()
    windows = pack_windows([SpeakerSegment(start=0.0, end=reader.duration, speaker="A")], reader.duration, max)
    listener = LanguageListener(cast("Executor", ear), reader)
    parts = [Part(window=each, features=ear.encode(reader.read_window(each)), language="") for each in windows]
    return [(part.window.chunks[0].start, part.window.chunks[-1].end, part.language) for part in listener.split(parts)]


def test_a_window_is_cut_where_the_language_changes(tmp_path: Path) -> None:
    found = split(tmp_path, (8.0, "en"), (3.0, "it"), (6.0, "en"))
    assert [language for *_, language in found] == ["en", "it", "en"]
    assert [start for start, *_ in found] == [0.0, pytest.approx(8.0, abs=0.11), pytest.approx(11.0, abs=0.11)]
    assert [end for _, end, _ in found[:2]] == [start for start, *_ in found[1:]]


def test_a_clip_of_one_language_stays_whole(tmp_path: Path) -> None:
    assert split(tmp_path, (20.0, "it")) == [(0.0, 20.0, "it")]
    assert split(tmp_path, (0.4, "en")) == [(0.0, 0.4, "en")]
