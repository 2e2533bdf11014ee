"""The stage that recognises what is said."""

from pathlib import Path

import msgspec

from pipeline.errors import ModelError, TranscriptionError
from pipeline.graph.stage import ProgressCallback, StageContext
from pipeline.models.loader import Models
from pipeline.models.recognisers import CTC, WHISPER
from pipeline.speech.contracts import TRANSCRIBE, TranscribeInputs, TranscribeOutput, TranscribeParams
from pipeline.speech.recognition.base import (
    LOADED_PROGRESS,
    UNKNOWN_LANGUAGE,
    DecodedText,
    Recogniser,
    RecognitionInput,
)
from pipeline.speech.recognition.chunking import find_speaker_changes, find_speech_spans, pack_windows
from pipeline.speech.recognition.ctc.network import load_network
from pipeline.speech.recognition.ctc.recogniser import CtcRecogniser
from pipeline.speech.recognition.ctc.weights import ensure_unpacked
from pipeline.speech.recognition.draft import Draft
from pipeline.speech.recognition.speech_reader import SpeechReader
from pipeline.speech.recognition.whisper.executor import load_executor
from pipeline.speech.recognition.whisper.recogniser import WhisperRecogniser
from pipeline.speech.recognition.whisper.weights import load_converted
from pipeline.types import Diarization, ModelUse, Recognition


def transcribe_stage(
    context: StageContext, inputs: TranscribeInputs[Path], params: TranscribeParams
) -> TranscribeOutput[Path]:
    """Recognise words where the diarization hears anybody, and write them to `recognition.json`.

    Raises:
        TranscriptionError: The inputs cannot be read, or the recogniser failed.
        ModelError: The model is of another kind, or its weights are missing or changed.
        Cancelled: The job was stopped.
    """
    entry = context.models.entry(params.model)
    if entry.engine not in (WHISPER, CTC):
        raise ModelError(
            f"{params.model} cannot write down speech.", hint="Choose another preset.", detail=entry.engine
        )
    diarization = _read_diarization(inputs.diarization)
    reader = SpeechReader(inputs.speech)
    windows = pack_windows(diarization.segments, reader.duration, reader.find_quietest)
    windows = [window for window in windows if reader.is_audible(window)]
    text, models = DecodedText(language=params.language or UNKNOWN_LANGUAGE, words=()), tuple[ModelUse, ...]()
    if windows:
        context.report(0.0, "loading the recogniser")
        recogniser = load_recogniser(context.models, params.model, context.report)
        context.report(LOADED_PROGRESS, "listening")
        text = recogniser.recognise(
            RecognitionInput(
                reader=reader,
                windows=windows,
                speech_spans=find_speech_spans(diarization.segments, reader.duration),
                speaker_changes=find_speaker_changes(diarization.segments),
                report=context.report,
                language=params.language,
                draft=Draft(context.show_draft),
            )
        )
        models = (context.models.use(TRANSCRIBE.name, params.model),)
    path = context.out / "recognition.json"
    path.write_bytes(msgspec.json.encode(Recognition(language=text.language, words=text.words)))
    context.report(1.0, f"{len(text.words)} words")
    return TranscribeOutput(
        recognition=path,
        language=text.language,
        words=len(text.words),
        windows=len(windows),
        notes=text.notes,
        models=models,
    )


def load_recogniser(models: Models, name: str, report: ProgressCallback | None = None) -> Recogniser:
    """Load a recogniser of the catalogue; it is downloaded and built on first use and kept warm.

    Raises:
        ModelError: The weights cannot be had.
    """

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
