"""Models, presets and limits: data only, so that the bot can offer them as choices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pipeline.export.registry import EXPORT_FORMATS, ExportFormat
from pipeline.mix.presets import LOUDNESS, MAX_DUCKING, MAX_FADE, MIXES, LoudnessTarget, MixPreset, MixSettings
from pipeline.models.entries import Environment, HubFile, Model, PackageFile
from pipeline.models.published import PACKAGED_SPEECH, PUBLISHED
from pipeline.models.recognisers import WHISPER_BASE
from pipeline.separation.engines.registry import MODELS as SEPARATION_MODELS
from pipeline.types import Preset, RouteName

__all__ = [
    "EXPORT_FORMATS",
    "LOUDNESS",
    "MAX_DUCKING",
    "MAX_DURATION",
    "MAX_FADE",
    "MAX_GAIN",
    "MAX_SIZE",
    "MAX_SPEAKERS",
    "MAX_TRACKS",
    "MIB",
    "MIXES",
    "MODELS",
    "PRESETS",
    "Environment",
    "ExportFormat",
    "HubFile",
    "LoudnessTarget",
    "MixPreset",
    "MixSettings",
    "Model",
    "PackageFile",
    "PresetModels",
]

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetModels:
    """The model that each part of the pipeline uses under a preset."""

    separation: Mapping[RouteName, str]
    """By route."""
    music_separation: str
    """Used instead when music dominates, on the cinematic route if there is little talk, ..."""
    music_under_talk: bool = False
    """... or, when this is set, on both routes, however much talk there is."""
    segmentation: str
    embedding: str
    """Also identifies voices; the same in every preset, so that one voice book serves all."""
    diarization: str | None = None
    """A pretrained pyannote pipeline, preferred to segmentation and embedding where it is available."""
    recognition: str
    recognition_by_language: Mapping[str, str] = field(default_factory=dict[str, str])
    """Recognisers preferred to `recognition` when a language, or a mixture like `zh-en`, is asked for by name."""


MODELS: Mapping[str, Model] = MappingProxyType(
    {
        model.name: model
        for model in (
            *SEPARATION_MODELS,
            *PACKAGED_SPEECH,
            WHISPER_BASE,
            *PUBLISHED,
        )
    }
)

PRESETS: Mapping[Preset, PresetModels] = MappingProxyType(
    {
        Preset.POCKET: PresetModels(
            separation=MappingProxyType({RouteName.DIALOGUE: "deepfilternet3", RouteName.CINEMATIC: "deepfilternet3"}),
            music_separation="deepfilternet3-spleeter",
            music_under_talk=True,
            segmentation="segmentation-3.0",
            embedding="campplus-zh-en",
            recognition="whisper-base",
        ),
        Preset.STUDIO: PresetModels(
            separation=MappingProxyType(
                {RouteName.DIALOGUE: "vocals_mel_band_roformer", RouteName.CINEMATIC: "htdemucs_dnr_bag"}
            ),
            music_separation="htdemucs_ft",
            segmentation="segmentation-3.0",
            embedding="campplus-zh-en",
            diarization="speaker-diarization-community-1",
            recognition="whisper-large-v2",
            # English stays with Whisper: transformer_librispeech was trained on audiobooks only.
            recognition_by_language=MappingProxyType({"zh": "conformer_wenetspeech", "zh-en": "conformer_talcs"}),
        ),
    }
)

MAX_DURATION = 2 * 60 * 60.0
"""Seconds; longer clips are refused unless the settings say otherwise."""
MAX_SIZE = 2048 * MIB
"""Bytes; larger files are refused unless the settings say otherwise."""
MAX_SPEAKERS = 20
MAX_TRACKS = 100
"""Sound tracks of a clip that can be chosen by number."""
MAX_GAIN = 4.0
"""Linear; about +12 dB."""
