"""The stage that writes down what is said: speech packed into windows, recognised, words put in time."""

from pathlib import Path
from typing import cast

import msgspec

from pipeline.errors import ModelError, TranscriptionError
from pipeline.graph.stage import ProgressCallback, StageContext, StageMetadata
from pipeline.models.loader import Models, model_digest
from pipeline.models.recognisers import CTC, WHISPER
from pipeline.speech.recognition.base import UNKNOWN_LANGUAGE, DecodedText, Recogniser, RecognitionInput
from pipeline.speech.recognition.chunking import find_speech_spans, pack_windows
from pipeline.speech.recognition.ctc.network import load_network
from pipeline.speech.recognition.ctc.recogniser import CtcRecogniser
from pipeline.speech.recognition.ctc.weights import ensure_unpacked
from pipeline.speech.recognition.speech_reader import SpeechReader
from pipeline.speech.recognition.whisper.executor import load_executor
from pipeline.speech.recognition.whisper.recogniser import LOADED_PROGRESS, WhisperRecogniser
from pipeline.speech.recognition.whisper.weights import load_converted
from pipeline.types import Diarization, JsonValue, ModelUse, Recognition

STAGE = "transcribe"


def transcribe_stage(work: StageContext) -> StageMetadata:
    """Recognise `speech` where `diarization` hears anybody; writes `recognition.json`.

    Raises `TranscriptionError`, a `ModelError`, or `Cancelled` through `report`.
    """
    name, asked = str(work.params["model"]), cast("str | None", work.params.get("language"))
    entry = work.models.entry(name)
    if entry.engine not in (WHISPER, CTC):
        raise ModelError(f"{name} cannot write down speech.", hint="Choose another preset.", detail=entry.engine)
    diarization = _read_diarization(work.inputs["diarization"])
    speech = SpeechReader(work.inputs["speech"])
    windows = [
        w for w in pack_windows(diarization.segments, speech.duration, speech.find_quietest) if speech.is_audible(w)
    ]
    heard, models = DecodedText(language=asked or UNKNOWN_LANGUAGE, words=()), list[ModelUse]()
    if windows:
        work.report(0.0, "loading the recogniser")
        recogniser = load_recogniser(work.models, name, work.report)
        work.report(LOADED_PROGRESS, "listening")
        spans = find_speech_spans(diarization.segments, speech.duration)
        heard = recogniser.recognise(
            RecognitionInput(reader=speech, windows=windows, speech_spans=spans, report=work.report, language=asked)
        )
        models.append(
            ModelUse(stage=STAGE, engine=entry.engine, model=name, licence=entry.licence, digest=model_digest(name))
        )
    recognition = Recognition(language=heard.language, words=heard.words)
    (work.out / "recognition.json").write_bytes(msgspec.json.encode(recognition))
    work.report(1.0, f"{len(heard.words)} words")
    return {
        "language": heard.language,
        "words": len(heard.words),
        "models": cast("JsonValue", msgspec.to_builtins(models)),
        "windows": len(windows),
        "notes": [*heard.notes],
    }


def load_recogniser(models: Models, name: str, report: ProgressCallback | None = None) -> Recogniser:
    """A recogniser of the catalogue, fetched and loaded on first use and kept warm; raises a `ModelError`."""

    def load() -> Recogniser:
        entry = models.entry(name)
        if entry.engine == CTC:
            network = load_network(ensure_unpacked(models, name, report), models.wanted_device)
            return CtcRecogniser(network, str(entry.settings["languages"]).split(), name)
        converted = load_converted(models.home, models=models, name=name, report=report)
        return WhisperRecogniser(load_executor(converted, models.wanted_device))

    return models.loaded(name, load)


def _read_diarization(path: Path) -> Diarization:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Diarization)
    except (OSError, msgspec.DecodeError) as error:
        raise TranscriptionError("The list of speakers cannot be read.", detail=f"{path}: {error}") from error
