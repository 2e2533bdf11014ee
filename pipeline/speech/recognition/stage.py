"""The stages that recognise what is said, in a clip or in a part of it."""

from pathlib import Path

import msgspec

from pipeline.errors import ModelError
from pipeline.graph.stage import ProgressCallback, StageContext, show_nothing
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
from pipeline.speech.recognition.chunking import find_speaker_changes, find_speech_spans
from pipeline.speech.recognition.contracts import TranscribePartParams
from pipeline.speech.recognition.ctc.network import load_network
from pipeline.speech.recognition.ctc.recogniser import CtcRecogniser
from pipeline.speech.recognition.ctc.weights import ensure_unpacked
from pipeline.speech.recognition.draft import Draft
from pipeline.speech.recognition.speech_windows import SpeechWindows, open_windows
from pipeline.speech.recognition.spoken_languages import languages_notes
from pipeline.speech.recognition.whisper.executor import load_executor
from pipeline.speech.recognition.whisper.recogniser import WhisperRecogniser
from pipeline.speech.recognition.whisper.weights import load_converted
from pipeline.types import Recognition


def transcribe_stage(
    context: StageContext, inputs: TranscribeInputs[Path], params: TranscribeParams
) -> TranscribeOutput[Path]:
    """Recognise words where the diarization hears anybody, and write them to `recognition.json`.

    Raises:
        TranscriptionError: The inputs cannot be read, or the recogniser failed.
        ModelError: The model is of another kind, or its weights are missing or changed.
        Cancelled: The job was stopped.
    """
    _require_recogniser(context.models, params.model)
    speech = open_windows(inputs).audible()
    text = _recognise(context, params, speech, Draft(context.show_draft), context.report)
    context.report(1.0, f"{len(text.words)} words")
    return _output(context, params, speech, text, (*text.notes, *languages_notes(text.words, text.language)))


def transcribe_part_stage(
    context: StageContext, inputs: TranscribeInputs[Path], params: TranscribePartParams
) -> TranscribeOutput[Path]:
    """Recognise words in some windows of a clip; the first of them are shown as a draft.

    Raises:
        TranscriptionError: The inputs cannot be read, or the recogniser failed.
        ModelError: The model is of another kind, or its weights are missing or changed.
        Cancelled: The job was stopped.
    """
    _require_recogniser(context.models, params.model)
    part = params.part
    speech = open_windows(inputs).part(part.first, part.count).audible()
    # People read the beginning of a clip, whichever part is done first.
    draft = Draft(show_nothing if part.first else context.show_draft)

    def report(fraction: float, message: str = "") -> None:
        # Numbers of windows would be those within the part.
        context.report(fraction)

    text = _recognise(context, params, speech, draft, report)
    return _output(context, params, speech, text, text.notes)


def _require_recogniser(models: Models, name: str) -> None:
    entry = models.entry(name)
    if entry.engine not in (WHISPER, CTC):
        raise ModelError(f"{name} cannot write down speech.", hint="Choose another preset.", detail=entry.engine)


def _recognise(
    context: StageContext, params: TranscribeParams, speech: SpeechWindows, draft: Draft, report: ProgressCallback
) -> DecodedText:
    """Recognise all windows, which `report` is told of; where there are none, nothing is loaded."""
    if not speech.windows:
        return DecodedText(language=params.language or UNKNOWN_LANGUAGE, words=())
    context.report(0.0, "loading the recogniser")
    recogniser = load_recogniser(context.models, params.model, context.report)
    context.report(LOADED_PROGRESS, "listening")
    segments = speech.diarization.segments
    return recogniser.recognise(
        RecognitionInput(
            reader=speech.reader,
            windows=speech.windows,
            speech_spans=find_speech_spans(segments, speech.reader.duration),
            speaker_changes=find_speaker_changes(segments),
            report=report,
            language=params.language,
            draft=draft,
        )
    )


def _output(
    context: StageContext, params: TranscribeParams, speech: SpeechWindows, text: DecodedText, notes: tuple[str, ...]
) -> TranscribeOutput[Path]:
    path = context.out / "recognition.json"
    path.write_bytes(msgspec.json.encode(Recognition(language=text.language, words=text.words)))
    return TranscribeOutput(
        recognition=path,
        language=text.language,
        words=len(text.words),
        windows=len(speech.windows),
        notes=notes,
        models=(context.models.use(TRANSCRIBE.name, params.model),) if speech.windows else (),
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
