"""The stages around the parts in which a long clip is written down: `survey_words` before them, `join_words` after."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from pipeline.errors import TranscriptionError
from pipeline.graph.stage import NoParams, PartsOutput, StageContext, plan_parts
from pipeline.speech.contracts import TRANSCRIBE, TranscribeInputs, TranscribeOutput
from pipeline.speech.recognition.contracts import (
    JoinWordsInputs,
    JoinWordsParams,
)
from pipeline.speech.recognition.speech_windows import open_windows
from pipeline.speech.recognition.spoken_languages import languages_notes, name_languages, settle_languages
from pipeline.types import Recognition, Word

PART_WINDOWS: Final = 8
"""About four minutes of speech: a multiple of what is decoded together."""
MIN_PART_WINDOWS: Final = 4
"""A part tells its language by itself, which one window may do wrongly."""


def survey_words_stage(context: StageContext, inputs: TranscribeInputs[Path], params: NoParams) -> PartsOutput:
    """Share out the windows of a clip.

    Raises:
        TranscriptionError: The inputs cannot be read.
    """
    return PartsOutput(parts=plan_parts(len(open_windows(inputs).windows), PART_WINDOWS, least=MIN_PART_WINDOWS))


def join_words_stage(
    context: StageContext, inputs: JoinWordsInputs[Path], params: JoinWordsParams
) -> TranscribeOutput[Path]:
    """Join the words of all parts and write them to `recognition.json`.

    Raises:
        TranscriptionError: A part cannot be read.
    """
    words: list[Word] = []
    languages: list[str] = []
    for path in inputs.parts:
        part = _read(path)
        words += name_languages(part.words, part.language)
        languages.append(part.language)
    spoken = settle_languages(words, params.language)
    language = spoken.language if words else _most_common(languages)
    path = context.out / "recognition.json"
    path.write_bytes(msgspec.json.encode(Recognition(language=language, words=spoken.words)))
    context.report(1.0, f"{len(words)} words")
    return TranscribeOutput(
        recognition=path,
        language=language,
        words=len(words),
        windows=params.windows,
        notes=(*params.part_notes, *languages_notes(spoken.words, language)),
        models=(context.models.use(TRANSCRIBE.name, params.model),) if params.windows else (),
    )


def _most_common(languages: Sequence[str]) -> str:
    return max(languages, key=languages.count)


def _read(path: Path) -> Recognition:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Recognition)
    except (OSError, msgspec.DecodeError) as error:
        raise TranscriptionError("The words of a part cannot be read.", detail=f"{path}: {error}") from error
