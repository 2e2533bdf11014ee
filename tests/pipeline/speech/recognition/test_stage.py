"""The stage that writes down what is said."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.errors import Cancelled, ModelError, TranscriptionError
from pipeline.graph.stage import PartRange, StageContext
from pipeline.models.loader import Models, model_digest
from pipeline.speech.compat.paddlespeech import translate_errors
from pipeline.speech.contracts import TranscribeInputs, TranscribeOutput, TranscribeParams
from pipeline.speech.recognition import chunking
from pipeline.speech.recognition.contracts import JoinWordsInputs, JoinWordsParams, TranscribePartParams
from pipeline.speech.recognition.part_stages import join_words_stage
from pipeline.speech.recognition.speech_reader import SpeechReader
from pipeline.speech.recognition.stage import transcribe_part_stage, transcribe_stage
from pipeline.speech.recognition.whisper import recogniser
from pipeline.speech.recognition.whisper.executor import load_executor
from pipeline.speech.recognition.whisper.weights import load_converted
from pipeline.types import Diarization, DraftLine, Recognition, SpeakerSegment

SAMPLE = Path(__file__).parents[3] / "data" / "sample.speech.flac"
HEARD = "good evening everyone and welcome back to the show tonight we are talking about the storm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What the stage is called with."""

    context: StageContext
    inputs: TranscribeInputs[Path]
    params: TranscribeParams


class Progress:
    """Keeps what was reported; cancels after `limit` reports."""

    def __init__(self, limit: int | None = None) -> None:
        self.told: list[tuple[float, str]] = []
        self.limit = limit

    def __call__(self, fraction: float, message: str = "") -> None:
        self.told.append((fraction, message))
        if self.limit is not None and len(self.told) >= self.limit:
            raise Cancelled("Stopped.")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """Converted and loaded once for all tests here."""
    return Models(tmp_path_factory.mktemp("home"), "cpu")


def make_work(
    folder: Path,
    samples: np.ndarray,
    segments: list[tuple[float, float, str]],
    *,
    models: Models | None = None,
    report: Progress | None = None,
    model: str = "whisper-base",
    language: str | None = None,
) -> Work:
    audio_io.write(folder / "speech.flac", samples.astype(np.float32)[:, None], 16_000, subtype="PCM_16")
    found = tuple(SpeakerSegment(start=start, end=end, speaker=who) for start, end, who in segments)
    who = tuple(sorted({segment.speaker for segment in found}))
    diarization = Diarization(speakers=who, segments=found, exclusive=found)
    (folder / "diarization.json").write_bytes(msgspec.json.encode(diarization))
    (folder / "out").mkdir()
    return Work(
        context=StageContext(out=folder / "out", report=report or Progress(), models=models or Models(folder, "cpu")),
        inputs=TranscribeInputs(speech=folder / "speech.flac", diarization=folder / "diarization.json"),
        params=TranscribeParams(model=model, weights=model_digest(model), language=language),
    )


def run(work: Work) -> tuple[TranscribeOutput[Path], Recognition]:
    output = transcribe_stage(work.context, work.inputs, work.params)
    assert output.recognition == work.context.out / "recognition.json"
    return output, msgspec.json.decode(output.recognition.read_bytes(), type=Recognition)


def test_without_speech_there_are_no_words_and_no_model(tmp_path: Path) -> None:
    output, recognition = run(make_work(tmp_path, np.zeros(16_000 * 5), []))
    assert recognition == Recognition(language="und", words=())
    assert (output.language, output.words, output.models, output.windows, output.notes) == ("und", 0, (), 0, ())


def test_digital_silence_is_not_decoded_even_if_somebody_is_said_to_speak(tmp_path: Path) -> None:
    output, recognition = run(make_work(tmp_path, np.zeros(16_000 * 5), [(0, 5, "A")], language="de"))
    assert recognition == Recognition(language="de", words=())
    assert output.windows == 0


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="spleeter-2stems cannot write down speech"):
        run(make_work(tmp_path, np.zeros(16_000), [], model="spleeter-2stems"))


def test_sound_of_another_rate_is_refused(tmp_path: Path) -> None:
    audio_io.write(tmp_path / "speech.flac", np.zeros((100, 2), np.float32), 44_100)
    with pytest.raises(TranscriptionError, match="16 kHz"):
        SpeechReader(tmp_path / "speech.flac")


def test_a_damaged_list_of_speakers_is_refused(tmp_path: Path) -> None:
    work = make_work(tmp_path, np.zeros(16_000), [])
    work.inputs.diarization.write_text("{")
    with pytest.raises(TranscriptionError, match="list of speakers"):
        run(work)


def test_the_quietest_moment_is_found(tmp_path: Path) -> None:
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, 16_000 * 4)
    samples[40_000:44_000] *= 0.01
    audio_io.write(tmp_path / "speech.flac", samples.astype(np.float32)[:, None], 16_000, subtype="PCM_16")
    assert SpeechReader(tmp_path / "speech.flac").find_quietest(1.0, 4.0) == pytest.approx(2.625, abs=0.1)


def test_an_exit_of_the_engine_becomes_an_error() -> None:
    with pytest.raises(TranscriptionError, match="gave up while listening") as caught, translate_errors("listening"):
        raise SystemExit(-1)
    assert "-1" in caught.value.detail
    with pytest.raises(TranscriptionError, match="failed while listening"), translate_errors("listening"):
        raise ValueError("shape")
    with pytest.raises(Cancelled), translate_errors("listening"):
        raise Cancelled("Stopped.")


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    """The first seven seconds of the sample, twice, with half a minute of silence between."""
    samples = audio_io.resample(audio_io.read(SAMPLE, frames=48_000 * 7), 48_000, 16_000)[:, 0]
    return np.concatenate([samples, np.zeros(16_000 * 30, np.float32), samples])


@pytest.mark.asr
def test_speech_is_written_down_with_times_on_the_clips_clock(
    tmp_path: Path, models: Models, speech: np.ndarray
) -> None:
    progress = Progress()
    segments = [(0.4, 7.0, "A"), (37.4, 44.0, "A")]
    output, recognition = run(make_work(tmp_path, speech, segments, models=models, report=progress))
    text = " ".join(re.sub(r"[^a-z ]", "", word.text.lower()) for word in recognition.words)
    assert text.startswith(HEARD)
    assert text.count(HEARD) == 2
    assert output.language == recognition.language == "en"
    assert output.words == len(recognition.words)
    assert output.windows == 1
    (used,) = output.models
    assert (used.stage, used.model, used.licence) == ("transcribe", "whisper-base", "MIT")
    starts = {round(word.start, 2) for word in recognition.words if word.text == "Tonight"}
    first, second = sorted(starts)
    assert first == pytest.approx(3.8, abs=0.25)
    assert second - first == pytest.approx(37.0, abs=0.1)
    assert recognition.words[0].start == pytest.approx(0.4, abs=0.15)
    assert all(0 <= word.start < word.end <= 44.0 and 0 < word.confidence <= 1 for word in recognition.words)
    assert np.mean([word.confidence for word in recognition.words]) > 0.8
    fractions = [fraction for fraction, _ in progress.told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert len(fractions) > 30
    assert "window 1 of 1" in {message for _, message in progress.told}


@pytest.mark.asr
def test_the_first_words_of_a_long_clip_are_shown_before_the_rest_is_heard(
    tmp_path: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken = audio_io.resample(audio_io.read(SAMPLE, frames=48_000 * 20), 48_000, 16_000)[:, 0]
    segments = [(0.4, 20.0, "A")]
    monkeypatch.setattr(chunking, "MAX_WINDOW_SECONDS", 8.0)
    (tmp_path / "together").mkdir()
    _, together = run(make_work(tmp_path / "together", spoken, segments, models=models))
    monkeypatch.setattr(recogniser, "BATCH_WINDOWS", 2)
    shown: list[tuple[float, tuple[DraftLine, ...]]] = []
    progress = Progress()
    work = make_work(tmp_path, spoken, segments, models=models, report=progress)
    context = replace(work.context, show_draft=lambda lines: shown.append((progress.told[-1][0], lines)))
    output, recognition = run(replace(work, context=context))
    assert output.windows == 3
    assert [word.text for word in recognition.words] == [word.text for word in together.words]
    assert shown[0][0] < 0.1
    assert shown[0][1][0].text.lower().startswith("good evening")
    assert [lines[-1].start < 7.0 for _, lines in shown][:2] == [True, False]


@pytest.mark.asr
def test_parts_of_a_clip_have_the_words_of_the_whole(
    tmp_path: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken = audio_io.resample(audio_io.read(SAMPLE, frames=48_000 * 20), 48_000, 16_000)[:, 0]
    monkeypatch.setattr(chunking, "MAX_WINDOW_SECONDS", 8.0)
    monkeypatch.setattr(recogniser, "BATCH_WINDOWS", 2)
    work = make_work(tmp_path, spoken, [(0.4, 20.0, "A")], models=models)
    whole, together = run(work)
    assert whole.windows == 3
    made: list[Path] = []
    shown: list[tuple[DraftLine, ...]] = []
    for first, count in ((0, 2), (2, 1)):
        out = tmp_path / f"part-{first}"
        out.mkdir()
        part = PartRange(first=first, count=count)
        params = TranscribePartParams(model="whisper-base", weights="", part=part, share=count / 3)
        output = transcribe_part_stage(replace(work.context, out=out, show_draft=shown.append), work.inputs, params)
        assert output.windows == count
        assert bool(shown) == (first == 0)
        made.append(output.recognition)
        shown.clear()
    joined = JoinWordsParams(model="whisper-base", weights="", windows=3, part_notes=())
    (tmp_path / "joined").mkdir()
    context = replace(work.context, out=tmp_path / "joined")
    output = join_words_stage(context, JoinWordsInputs(parts=tuple(made)), joined)
    assert msgspec.json.decode(output.recognition.read_bytes(), type=Recognition) == together
    assert replace(output, recognition=whole.recognition) == whole


@pytest.mark.asr
def test_a_cancel_gets_through_while_words_are_found(tmp_path: Path, models: Models, speech: np.ndarray) -> None:
    with pytest.raises(Cancelled):
        run(make_work(tmp_path, speech, [(0.4, 7.0, "A")], models=models, report=Progress(10), language="en"))
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.asr
@pytest.mark.parametrize("colour", [0.0, 1.0])
def test_noise_has_no_words(tmp_path: Path, models: Models, colour: float) -> None:
    """White and pink noise; to the latter this Whisper says thank you for watching, in Japanese."""
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(16_000 * 12))
    noise = np.fft.irfft(spectrum / np.maximum(np.arange(len(spectrum)), 20) ** (colour / 2))
    noise *= 0.1 / noise.std()
    _, recognition = run(make_work(tmp_path, noise, [(0, 12, "A")], models=models))
    assert recognition == Recognition(language="und", words=())


@pytest.mark.asr
def test_a_phrase_that_is_said_five_times_is_written_five_times(
    tmp_path: Path, models: Models, speech: np.ndarray
) -> None:
    quiet = np.zeros(2_400, np.float32)
    repeated = np.concatenate([quiet, *[speech[6_400:22_400], quiet] * 5])
    duration = len(repeated) / 16_000
    _, recognition = run(make_work(tmp_path, repeated, [(0, duration, "A")], models=models, language="en"))
    text = " ".join(re.sub(r"[^a-z ]", "", word.text.lower()) for word in recognition.words)
    assert text.count("good evening") == 5, text


@pytest.mark.asr
def test_another_language_than_asked_for_is_noted(tmp_path: Path, models: Models, speech: np.ndarray) -> None:
    output, recognition = run(make_work(tmp_path, speech[:96_000], [(0.4, 6, "A")], models=models, language="de"))
    assert output.notes == ("The clip sounds like English, but German was asked for.",)
    assert recognition.language == "de"


@pytest.mark.asr
def test_a_draft_ends_after_its_limit(models: Models, speech: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    executor = load_executor(load_converted(models.home, models=models), "cpu")
    features = [executor.encode(speech[: 16_000 * 7])]
    (draft,) = executor.decode(features, language="en", max_tokens=9, on_token=lambda _: None)
    assert 0 < len(draft.tokens) <= 9
    monkeypatch.setattr("pipeline.speech.recognition.whisper.decoding.TOKEN_TIMEOUT_S", 0.0)
    steps: list[int] = []
    executor.decode(features, language="en", on_token=steps.append)
    assert steps == [0, 1]


@pytest.mark.asr
@pytest.mark.parametrize("width", [0, 768], ids=["paddle", "onnxruntime"])
def test_windows_decoded_together_say_the_same_as_alone(
    models: Models, speech: np.ndarray, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setattr("pipeline.speech.recognition.whisper.executor.MAX_ONNX_WIDTH", width)
    executor = load_executor(load_converted(models.home, models=models), "cpu")
    features = [executor.encode(speech[: 16_000 * 4]), executor.encode(speech[: 16_000 * 7])]
    steps: list[int] = []
    together = executor.decode([*features, features[0]], language="en", on_token=steps.append)
    (alone,) = executor.decode(features[:1], language="en", on_token=lambda _: None)
    assert together[0].tokens == together[2].tokens == alone.tokens
    assert together[0].logprob == pytest.approx(alone.logprob, abs=1e-3)
    assert -1 < alone.logprob < 0
    assert steps == list(range(len(steps)))


@pytest.mark.asr
def test_loading_the_library_leaves_nothing_behind(tmp_path: Path) -> None:
    code = "from pipeline.speech.compat.paddlespeech import load_paddlespeech; load_paddlespeech()"
    root = Path(__file__).parents[4]
    environment = os.environ | {"PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, timeout=120)
    assert list(tmp_path.iterdir()) == []
