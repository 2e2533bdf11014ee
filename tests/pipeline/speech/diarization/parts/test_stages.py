"""Who speaks when, found in parts by the real models, against the whole."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.errors import DiarizationError
from pipeline.graph.stage import (
    InputsT,
    NoParams,
    OutputT,
    ParamsT,
    Stage,
    StageContext,
    StageRequest,
    StageRun,
    load_function,
)
from pipeline.models.loader import Models, model_digest
from pipeline.speech.contracts import DiarizeInputs, DiarizeParams, FindSpeechInputs, FindSpeechParams
from pipeline.speech.diarization.parts import stages
from pipeline.speech.diarization.parts.contracts import (
    EMBED_PART,
    SEGMENT_PART,
    EmbedPartInputs,
    EmbedPartParams,
    JoinSpeechInputs,
    JoinVoicesInputs,
    SurveyVoicesInputs,
)
from pipeline.speech.diarization.parts.parting import diarize_in_parts, find_speech_in_parts
from pipeline.speech.diarization.parts.stages import (
    embed_part_stage,
    join_speech_stage,
    join_voices_stage,
    survey_speech_stage,
    survey_voices_stage,
)
from pipeline.speech.diarization.pyannote_pipeline import SAMPLE_RATE
from pipeline.speech.diarization.stage import diarize_stage, find_speech_stage
from pipeline.types import Diarization, SpeakerSegment

pytestmark = pytest.mark.integration
DATA = Path(__file__).parents[4] / "data"
SEGMENTATION, EMBEDDING = "segmentation-3.0", "campplus-zh-en"
FIND = FindSpeechParams(segmentation=SEGMENTATION, weights=model_digest(SEGMENTATION))
DIARIZE = DiarizeParams(
    segmentation=SEGMENTATION, embedding=EMBEDDING, weights=(model_digest(SEGMENTATION), model_digest(EMBEDDING))
)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Models(tmp_path_factory.mktemp("home"), "cpu")
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Twenty seconds of the sample, and louder noise with them."""
    folder = tmp_path_factory.mktemp("speech")
    source = DATA / "sample.speech.flac"
    rate = audio_io.info(source).sample_rate
    voices = audio_io.resample(audio_io.to_mono(audio_io.read(source, frames=20 * rate)), rate, SAMPLE_RATE)
    noise = np.random.default_rng(3).normal(0.0, 0.3 * voices.std(), voices.shape).astype(np.float32)
    paths = {name: folder / f"{name}.flac" for name in ("speech", "noisy")}
    for name, samples in (("speech", 0.5 * voices), ("noisy", 0.5 * (voices + noise))):
        audio_io.write(paths[name], samples, SAMPLE_RATE, subtype="PCM_24")
    return paths


class Here:
    """Runs each stage in this process, in a folder of its own; paths stand for artefacts."""

    def __init__(self, folder: Path, models: Models) -> None:
        self.folder, self.models = folder, models
        self.ran: list[str] = []
        self.shares: list[float] = []

    async def __call__(
        self, stage: Stage[InputsT, ParamsT, OutputT], inputs: InputsT, params: ParamsT
    ) -> StageRun[OutputT]:
        output: Any = self.run(stage, inputs, params)
        return StageRun(output=output, engine_seconds=0.0)

    def run(self, stage: Stage[Any, Any, Any], inputs: Any, params: Any) -> Any:
        self.ran.append(stage.name)
        self.shares += [params.share] if stage in (SEGMENT_PART, EMBED_PART) else []
        out = self.folder / f"{len(self.ran)}-{stage.name}"
        out.mkdir(parents=True)
        context = StageContext(out=out, report=lambda fraction, message="": None, models=self.models)
        return load_function(stage.function)(context, inputs, params)

    def finish(self, request: StageRequest[Any, Any, Any] | None) -> Any:
        assert request is not None
        return self.run(request.stage, request.inputs, request.params)


def context_in(folder: Path, models: Models) -> StageContext:
    folder.mkdir()
    return StageContext(out=folder, report=lambda fraction, message="": None, models=models)


def read(path: Path) -> Diarization:
    return msgspec.json.decode(path.read_bytes(), type=Diarization)


async def test_speech_found_in_parts_is_that_of_the_whole(
    sounds: dict[str, Path], models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages, "PART_WINDOWS", 4)
    here = Here(tmp_path / "parts", models)
    inputs: Any = FindSpeechInputs(speech=sounds["speech"])
    made = here.finish(await find_speech_in_parts(here, inputs, FIND))
    assert here.ran.count("segment_part") == 3
    assert sum(here.shares) == pytest.approx(1.0)
    whole = find_speech_stage(context_in(tmp_path / "whole", models), inputs, FIND)
    assert read(whole.speech).segments
    assert read(made.speech) == read(whole.speech)
    assert read(made.voices) == read(whole.voices)
    assert made.models == whole.models


@pytest.mark.parametrize("noisy", [False, True])
async def test_voices_told_apart_in_parts_are_those_of_the_whole(
    sounds: dict[str, Path], models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, noisy: bool
) -> None:
    monkeypatch.setattr(stages, "PART_WINDOWS", 8)
    monkeypatch.setattr(stages, "PART_CHUNKS", 8)
    here = Here(tmp_path / "parts", models)
    inputs: Any = DiarizeInputs(speech=sounds["speech"])
    params = DIARIZE
    if noisy:
        inputs = DiarizeInputs(speech=sounds["noisy"], vocals=sounds["speech"])
        params = msgspec.convert(msgspec.to_builtins(DIARIZE) | {"background_gain": 0.3}, DiarizeParams)
    made = here.finish(await diarize_in_parts(here, inputs, params))
    assert here.ran.count("segment_part") == 2
    assert here.ran.count("embed_part") > 2
    assert sum(here.shares) == pytest.approx(1.0)
    whole = diarize_stage(context_in(tmp_path / "whole", models), inputs, params)
    assert whole.speakers > 1
    assert read(made.diarization) == read(whole.diarization)
    assert (made.speakers, made.models) == (whole.speakers, whole.models)


async def test_what_was_found_before_is_not_looked_for_again(
    sounds: dict[str, Path], models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages, "PART_CHUNKS", 16)
    found = find_speech_stage(context_in(tmp_path / "found", models), FindSpeechInputs(speech=sounds["speech"]), FIND)
    here = Here(tmp_path / "parts", models)
    inputs: Any = DiarizeInputs(speech=sounds["speech"], found=found.voices)
    made = here.finish(await diarize_in_parts(here, inputs, DIARIZE))
    assert "segment_part" not in here.ran
    assert sum(here.shares) == pytest.approx(1.0)
    whole = diarize_stage(context_in(tmp_path / "whole", models), inputs, DIARIZE)
    assert read(made.diarization) == read(whole.diarization)


async def test_a_pretrained_pipeline_and_a_short_clip_are_left_whole(
    sounds: dict[str, Path], models: Models, tmp_path: Path
) -> None:
    here = Here(tmp_path / "parts", models)
    inputs: Any = DiarizeInputs(speech=sounds["speech"])
    pipeline = msgspec.convert(msgspec.to_builtins(DIARIZE) | {"pipeline": "community-1"}, DiarizeParams)
    assert await diarize_in_parts(here, inputs, pipeline) is None
    assert here.ran == []
    assert await find_speech_in_parts(here, inputs, FIND) is None
    assert await diarize_in_parts(here, inputs, DIARIZE) is None
    assert set(here.ran) == {"survey_speech"}


def test_a_part_in_which_people_say_little_takes_no_memory_for_its_length(models: Models, tmp_path: Path) -> None:
    seconds, found = 1800, tmp_path / "voices.json"
    samples = np.random.default_rng(3).normal(0.0, 0.1, (seconds * SAMPLE_RATE, 1)).astype(np.float32)
    paths = {name: tmp_path / f"{name}.wav" for name in ("speech", "vocals")}
    for path in paths.values():
        audio_io.write(path, samples, SAMPLE_RATE, subtype="PCM_16")
    said = tuple(SpeakerSegment(start=start, end=start + 2.0, speaker="A") for start in (1.0, seconds - 5.0))
    found.write_bytes(msgspec.json.encode(Diarization(speakers=(), segments=said, exclusive=said)))
    del samples
    survey = survey_voices_stage(
        context_in(tmp_path / "survey", models), SurveyVoicesInputs(speech=paths["speech"], found=found), NoParams()
    )
    (part,) = survey.parts
    params = EmbedPartParams(embedding=EMBEDDING, weights="", background_gain=0.3, part=part, share=1.0)
    context = context_in(tmp_path / "part", models)
    tracemalloc.start()
    output = embed_part_stage(context, EmbedPartInputs(**paths, found=found), params)
    highest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(np.load(output.embeddings)) == part.count
    assert highest < seconds * SAMPLE_RATE * 4


async def test_voices_of_another_length_are_refused(
    sounds: dict[str, Path], models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages, "PART_WINDOWS", 8)
    short = tmp_path / "short.flac"
    audio_io.write(short, np.zeros((SAMPLE_RATE, 1), np.float32), SAMPLE_RATE, subtype="PCM_16")
    inputs: Any = DiarizeInputs(speech=sounds["speech"], vocals=short)
    params = msgspec.convert(msgspec.to_builtins(DIARIZE) | {"background_gain": 0.3}, DiarizeParams)
    with pytest.raises(DiarizationError, match="do not fit the sound"):
        await diarize_in_parts(Here(tmp_path / "parts", models), inputs, params)


def test_parts_that_do_not_fit_are_refused(sounds: dict[str, Path], models: Models, tmp_path: Path) -> None:
    context = context_in(tmp_path / "out", models)
    found = tmp_path / "voices.json"
    found.write_bytes(msgspec.json.encode(Diarization(speakers=(), segments=(), exclusive=())))
    odd = tmp_path / "odd.npy"
    np.save(odd, np.zeros((1, 3), np.float32))
    with pytest.raises(DiarizationError, match="do not fit"):
        join_voices_stage(context, JoinVoicesInputs(speech=sounds["speech"], found=found, parts=(odd,)), DIARIZE)
    odd.write_text("nothing")
    with pytest.raises(DiarizationError, match="cannot be read"):
        join_speech_stage(context, JoinSpeechInputs(parts=(odd,)), FIND)
    loud = tmp_path / "loud.flac"
    audio_io.write(loud, np.zeros((100, 1), np.float32), 8000, subtype="PCM_16")
    with pytest.raises(DiarizationError, match="16 kHz"):
        survey_speech_stage(context, FindSpeechInputs(speech=loud), NoParams())
