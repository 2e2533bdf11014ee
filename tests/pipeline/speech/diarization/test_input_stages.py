"""Whether voices are clear is told from a few excerpts."""

from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.graph.stage import StageContext
from pipeline.models.loader import Models, model_digest
from pipeline.speech.contracts import SampleVoicesInputs, SampleVoicesParams
from pipeline.speech.diarization.input_stages import (
    EXCERPT_SECONDS,
    EXCERPTS,
    choose_excerpts,
    sample_voices_stage,
)
from pipeline.types import Diarization, SpeakerSegment

DATA = Path(__file__).parents[3] / "data"
RATE = 16_000
MODEL = "deepfilternet3"


def test_excerpts_are_spread_over_what_is_said() -> None:
    assert choose_excerpts([(10.0, 50.0), (100.0, 140.0)]) == [
        (10.0, 15.0),
        (30.0, 35.0),
        (100.0, 105.0),
        (120.0, 125.0),
    ]


def test_excerpts_of_little_speech_are_all_of_it() -> None:
    excerpts = choose_excerpts([(1.0, 2.0), (3.0, 6.0)])
    assert excerpts == [(1.0, 2.0), (3.0, 6.0)]
    assert choose_excerpts([]) == []


@pytest.mark.parametrize("spans", [[(0.0, 7.0)], [(0.0, 1.0), (1.5, 9.0), (9.5, 9.6)]])
def test_excerpts_do_not_overlap(spans: list[tuple[float, float]]) -> None:
    excerpts = choose_excerpts(spans)
    assert len(excerpts) <= EXCERPTS
    assert all(0 < end - start <= EXCERPT_SECONDS for start, end in excerpts)
    assert all(a[1] <= b[0] for a, b in pairwise(excerpts))


def sample(
    folder: Path, noise_gain: float, seconds: float = 60.0, gain: float = 0.2, *, heard: bool = True
) -> tuple[bool, tuple[str, ...], int]:
    source = DATA / "sample.speech.flac"
    rate = audio_io.info(source).sample_rate
    read = audio_io.to_mono(audio_io.read(source, frames=round(seconds * rate)))
    voices = np.asarray(audio_io.resample(read, rate, RATE), np.float32)
    noise = np.random.default_rng(1).normal(0.0, voices.std(), voices.shape).astype(np.float32)
    speech, found = folder / "speech.flac", folder / "found.json"
    mixed = np.asarray(gain * (voices + noise_gain * noise), np.float32)
    audio_io.write(speech, mixed, RATE, subtype="PCM_24")
    span = SpeakerSegment(start=0.5, end=seconds - 0.5, speaker="S1")
    spans = (span,) if heard else ()
    found.write_bytes(msgspec.json.encode(Diarization(speakers=("S1",), segments=spans, exclusive=spans)))
    context = StageContext(out=folder, report=lambda fraction, message="": None, models=Models(folder / "home", "cpu"))
    params = SampleVoicesParams(engine="deepfilternet", model=MODEL, weights=model_digest(MODEL))
    output = sample_voices_stage(context, SampleVoicesInputs(speech=speech, found=found), params)
    return output.clear, output.notes, len(output.models)


@pytest.mark.integration
def test_voices_over_soft_noise_are_clear(tmp_path: Path) -> None:
    clear, (note,), models = sample(tmp_path, 0.05)
    assert clear
    assert models == 1
    assert note.startswith("Voices were not separated: in 4 excerpts they are ")


@pytest.mark.integration
def test_voices_in_loud_noise_are_not(tmp_path: Path) -> None:
    assert sample(tmp_path, 1.0)[:2] == (False, ())


def test_excerpts_of_a_short_clip_would_save_nothing(tmp_path: Path) -> None:
    assert sample(tmp_path, 0.05, seconds=12.0) == (False, (), 0)


def test_a_voice_that_is_not_found_may_drown_but_not_in_silence(tmp_path: Path) -> None:
    assert sample(tmp_path, 3.0, heard=False) == (False, (), 0)
    assert sample(tmp_path, 0.0, gain=1e-5, heard=False) == (True, (), 0)
