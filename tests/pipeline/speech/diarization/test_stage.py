"""The real pipeline on the sample, and all that may go wrong around it."""

import itertools
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from pyannote.core import Annotation, Segment

from pipeline.audio import io as audio_io
from pipeline.errors import Cancelled, DiarizationError, ModelDigestError
from pipeline.graph.stage import NoParams, ProgressCallback, StageContext
from pipeline.models.loader import Models, model_digest
from pipeline.speech.contracts import (
    CompareVoicesInputs,
    DiarizeInputs,
    DiarizeParams,
    FindSpeechInputs,
    FindSpeechParams,
)
from pipeline.speech.diarization.input_stages import compare_voices_stage
from pipeline.speech.diarization.pyannote_pipeline import SAMPLE_RATE, DiarizationOutput
from pipeline.speech.diarization.stage import diarize_stage, find_speech_stage
from pipeline.speech.diarization.voice_files import post_process
from pipeline.types import Diarization, SpeakerSegment
from tests.bench.speech_scores import read_rttm, score_diarization

DATA = Path(__file__).parents[3] / "data"
EXCERPT = 28.5
"""Seconds of the sample: all three voices and the overlap."""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    import torch

    # Two threads that spin while they wait for each other are slow beside other busy programs.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Models(tmp_path_factory.mktemp("home"), "cpu")
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def excerpt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("speech") / "speech.flac"
    source = DATA / "sample.speech.flac"
    rate = audio_io.info(source).sample_rate
    samples = audio_io.to_mono(audio_io.read(source, frames=int(EXCERPT * rate)))
    audio_io.write(path, audio_io.resample(samples, rate, SAMPLE_RATE), SAMPLE_RATE, subtype="PCM_16")
    return path


def keep_quiet(fraction: float, message: str = "") -> None:
    """Progress that nobody reads."""


def make_params(segmentation: str = "segmentation-3.0", speakers: int | None = None) -> DiarizeParams:
    embedding = "campplus-zh-en"
    weights = (model_digest(segmentation), model_digest(embedding))
    return DiarizeParams(segmentation=segmentation, embedding=embedding, weights=weights, speakers=speakers)


def diarize(
    path: Path,
    out: Path,
    models: Models,
    report: ProgressCallback = keep_quiet,
    params: DiarizeParams | None = None,
) -> Diarization:
    out.mkdir(exist_ok=True)
    context = StageContext(out=out, report=report, models=models)
    output = diarize_stage(context, DiarizeInputs(speech=path), params or make_params())
    diarization = msgspec.json.decode(output.diarization.read_bytes(), type=Diarization)
    assert output.speakers == len(diarization.speakers)
    assert [use.stage for use in output.models] == ["diarize", "diarize"]
    assert [path.name for path in out.iterdir()] == ["diarization.json"]
    return diarization


def silence(path: Path, seconds: float, *, rate: int = SAMPLE_RATE) -> Path:
    audio_io.write(path, np.zeros((int(seconds * rate), 1), np.float32), rate, subtype="PCM_16")
    return path


def test_three_speakers_are_told_apart(excerpt: Path, models: Models, tmp_path: Path) -> None:
    told: list[float] = []
    found = diarize(excerpt, tmp_path / "out", models, lambda fraction, message="": told.append(fraction))
    heard = Annotation()
    for track, part in enumerate(found.segments):
        heard[Segment(part.start, part.end), track] = part.speaker
    score = score_diarization(heard, read_rttm(DATA / "sample.rttm").crop(Segment(0, EXCERPT)), EXCERPT)
    assert score.rate <= 0.08
    assert found.speakers == ("S1", "S2", "S3")
    assert found.segments[0].speaker == "S1"
    assert all(left.end <= right.start for left, right in itertools.pairwise(found.exclusive))
    assert told == sorted(told)
    assert told[0] == 0.0
    assert told[-1] == 1.0
    assert len(told) > 10


def test_the_number_of_speakers_can_be_told(excerpt: Path, models: Models, tmp_path: Path) -> None:
    short = tmp_path / "short.flac"
    audio_io.write(short, audio_io.read(excerpt, frames=12 * SAMPLE_RATE), SAMPLE_RATE, subtype="PCM_16")
    assert diarize(short, tmp_path / "out", models, params=make_params(speakers=1)).speakers == ("S1",)


def test_loud_noise_is_turned_down_where_the_voices_are_known(excerpt: Path, models: Models, tmp_path: Path) -> None:
    voices = audio_io.read(excerpt, frames=5 * SAMPLE_RATE)
    noise = np.random.default_rng(3).normal(0.0, voices.std(), voices.shape).astype(np.float32)
    paths = {name: tmp_path / f"{name}.flac" for name in ("speech", "vocals")}
    for name, samples in (("speech", 0.3 * (voices + noise)), ("vocals", 0.3 * voices)):
        audio_io.write(paths[name], samples, SAMPLE_RATE, subtype="PCM_24")
    (tmp_path / "out").mkdir()
    context = StageContext(out=tmp_path / "out", report=keep_quiet, models=models)
    inputs = CompareVoicesInputs(speech=paths["speech"], vocals=paths["vocals"])
    compared = compare_voices_stage(context, inputs, NoParams())
    (note,) = compared.notes
    assert "turned down" in note
    params = replace(make_params(), background_gain=compared.background_gain)
    output = diarize_stage(context, DiarizeInputs(speech=paths["speech"], vocals=paths["vocals"]), params)
    assert output.speakers == 1


def test_it_goes_on_with_what_was_found_before(excerpt: Path, models: Models, tmp_path: Path) -> None:
    """The same comes out, and where nothing was found nothing is looked for."""
    for name in ("found", "again", "nobody"):
        (tmp_path / name).mkdir()

    def context(name: str) -> StageContext:
        return StageContext(out=tmp_path / name, report=keep_quiet, models=models)

    segmentation = "segmentation-3.0"
    params = FindSpeechParams(segmentation=segmentation, weights=model_digest(segmentation))
    found = find_speech_stage(context("found"), FindSpeechInputs(speech=excerpt), params)
    assert msgspec.json.decode(found.speech.read_bytes(), type=Diarization).segments
    again = diarize_stage(context("again"), DiarizeInputs(speech=excerpt, found=found.voices), make_params())
    alone = diarize(excerpt, tmp_path / "alone", models)
    assert msgspec.json.decode(again.diarization.read_bytes(), type=Diarization) == alone
    found.voices.write_bytes(msgspec.json.encode(Diarization(speakers=(), segments=(), exclusive=())))
    nobody = diarize_stage(context("nobody"), DiarizeInputs(speech=excerpt, found=found.voices), make_params())
    assert nobody.speakers == 0


def test_a_cancel_comes_out_of_the_engine(excerpt: Path, models: Models, tmp_path: Path) -> None:
    def stop(fraction: float, message: str = "") -> None:
        if fraction > 0.06:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        diarize(excerpt, tmp_path / "out", models, stop)
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("seconds", [0.01, 0.3, 12.0])
def test_silence_has_no_speakers(seconds: float, models: Models, tmp_path: Path) -> None:
    found = diarize(silence(tmp_path / "silence.flac", seconds), tmp_path / "out", models)
    assert found == Diarization(speakers=(), segments=(), exclusive=())


def test_another_rate_is_refused(models: Models, tmp_path: Path) -> None:
    with pytest.raises(DiarizationError, match="16 kHz"):
        diarize(silence(tmp_path / "fast.flac", 1.0, rate=44_100), tmp_path / "out", models)


def test_models_of_another_kind_are_refused(models: Models, tmp_path: Path) -> None:
    with pytest.raises(DiarizationError, match="htdemucs"):
        diarize(silence(tmp_path / "s.flac", 1.0), tmp_path / "out", models, params=make_params("htdemucs"))


def test_weights_that_changed_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "weights.bin"
    other.write_bytes(b"not these")
    monkeypatch.setattr("pipeline.models.loader.find_file", lambda file: other)
    with pytest.raises(ModelDigestError):
        diarize(silence(tmp_path / "s.flac", 1.0), tmp_path / "out", Models(tmp_path, "cpu"))


def test_names_follow_first_appearance_and_blips_are_dropped() -> None:
    def part(start: float, end: float, speaker: str) -> SpeakerSegment:
        return SpeakerSegment(start=start, end=end, speaker=speaker)

    parts = (part(0, 0.05, "X"), part(0.5, 2, "B"), part(2.1, 3, "B"), part(2.5, 4, "A"))
    found = post_process(DiarizationOutput(segments=parts, exclusive=parts[1:3]))
    assert found.speakers == ("S1", "S2")
    assert found.segments == (part(0.5, 3, "S1"), part(2.5, 4, "S2"))
    assert found.exclusive == (part(0.5, 3, "S1"),)


def test_importing_the_stage_loads_no_engine() -> None:
    code = "import sys, pipeline.speech.diarization.stage; print({'torch', 'pyannote.audio'} & {*sys.modules})"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.strip() == "set()"
