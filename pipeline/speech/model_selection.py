"""Selection of the models that hear a clip: who speaks, and what is said.

Speakers: the preset's pretrained pipeline if it has one, else its segmentation and embedding. Words: the recogniser
that was asked for, else the preset's for the language, else the preset's for any. A model of a hub may not be had (no
token, no network, an interrupted download); then a model that comes with packages stands in, and a note says why.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Generic

from pipeline.catalog import PRESETS
from pipeline.graph.stage import ParamsT
from pipeline.languages import language_name, main_language
from pipeline.models.loader import model_digest
from pipeline.speech.contracts import AlignParams, DiarizeParams, FindSpeechParams, TranscribeParams
from pipeline.types import ModelUse, Preset, Request, Speaker

FALLBACK_RECOGNISER: Final = PRESETS[Preset.POCKET].recognition
_REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "conformer_wenetspeech": "it was trained on 10,000 hours of Chinese",
        "conformer_talcs": "it was trained on Chinese with English words in it",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOption(Generic[ParamsT]):
    """Parameters of a stage with one choice of models, and why they were chosen."""

    params: ParamsT
    reason: str = ""
    """A sentence for people; empty where there was nothing to choose."""


def params_to_find_speech(request: Request) -> FindSpeechParams:
    """Choose the model that hears where anybody speaks."""
    name = PRESETS[request.preset].segmentation
    return FindSpeechParams(segmentation=name, weights=model_digest(name))


def options_to_diarize(request: Request, *, background_gain: float) -> list[ModelOption[DiarizeParams]]:
    """List how the speakers may be told apart, the best option first; the gain is linear."""
    preset = PRESETS[request.preset]
    pair = DiarizeParams(
        segmentation=preset.segmentation,
        embedding=preset.embedding,
        weights=(model_digest(preset.segmentation), model_digest(preset.embedding)),
        speakers=request.speakers,
        min_speakers=request.min_speakers,
        max_speakers=request.max_speakers,
        background_gain=background_gain,
    )
    if preset.diarization is None:
        return [ModelOption(params=pair)]
    pretrained = replace(pair, pipeline=preset.diarization, weights=(model_digest(preset.diarization),))
    fallback = f"{preset.segmentation} and {preset.embedding}, which come with the packages, told the speakers apart."
    return [ModelOption(params=pretrained), ModelOption(params=pair, reason=fallback)]


def options_to_transcribe(request: Request) -> list[ModelOption[TranscribeParams]]:
    """List how the words may be recognised, the best option first; an asked-for recogniser has no stand-in."""
    preset, language = PRESETS[request.preset], request.language
    if request.recogniser is not None:
        return [_option(request.recogniser, language, f"{request.recogniser} recognised the words, as was asked.")]
    options: list[ModelOption[TranscribeParams]] = []
    special = preset.recognition_by_language.get(language or "")
    if special is not None and language is not None:
        reason = _REASONS.get(special, "it was made for that language")
        options.append(_option(special, language, f"{special} recognised the {language_name(language)}: {reason}."))
    elif preset.recognition != FALLBACK_RECOGNISER:
        reason = "the best of this preset where no recogniser is made for the language"
        options.append(_option(preset.recognition, language, f"{preset.recognition} recognised the words: {reason}."))
    fallback = f"{FALLBACK_RECOGNISER}, which comes with the packages, recognised the words." if options else ""
    return [*options, _option(FALLBACK_RECOGNISER, language, fallback)]


def params_to_align(request: Request, duration: float, diarized_with: Iterable[ModelUse]) -> AlignParams:
    """Choose how words are given to speakers.

    Voices are heard again where the preset's own segmentation and embedding told them apart. The labels of a
    pretrained pipeline stand.

    Args:
        request: What was asked for.
        duration: Seconds of the clip.
        diarized_with: The models that told the speakers apart.
    """
    preset = PRESETS[request.preset]
    if preset.embedding not in {used.model for used in diarized_with}:
        return AlignParams(duration=duration)
    return AlignParams(
        duration=duration,
        embedding=preset.embedding,
        weights=model_digest(preset.embedding),
        speakers=request.speakers,
        min_speakers=request.min_speakers,
        max_speakers=request.max_speakers,
    )


def assign_names(
    known: Mapping[str, str], asked: Mapping[str, str], speakers: Sequence[Speaker]
) -> tuple[dict[str, str], list[str]]:
    """Give the speakers names: those of a voice-book, then those that were asked for.

    Args:
        known: Names of a voice-book, by speaker's id.
        asked: Names that were asked for, by speaker's id or name.
        speakers: The speakers of the clip.

    Returns:
        The names by the key they were asked for with, and a sentence for each speaker whom the clip does not have.
    """
    present = {key for speaker in speakers for key in (speaker.id, speaker.name)}
    names: dict[str, str] = {**known, **{key: name for key, name in asked.items() if key in present}}
    ids = ", ".join(speaker.id for speaker in speakers) or "nobody"
    return names, [
        f"{name} is nobody's name: there is no speaker {key} in this clip, only {ids}."
        for key, name in asked.items()
        if key not in present
    ]


def _option(model: str, language: str | None, reason: str) -> ModelOption[TranscribeParams]:
    params = TranscribeParams(model=model, weights=model_digest(model), language=main_language(language))
    return ModelOption(params=params, reason=reason)
