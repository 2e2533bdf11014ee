"""Networks of Ultimate Vocal Remover: RoFormer and MDX23C, MDX-Net, VR."""

from types import MappingProxyType

from pipeline.models.entries import HubFile, Model
from pipeline.separation.engines.spec import EngineSpec
from pipeline.types import StemName

_VOCALS = (StemName.VOCALS, StemName.BACKGROUND)
_UVR = "https://github.com/TRvlvr/model_repo/releases/download/all_public_uvr_models"
_UVR_SETTINGS = (
    "https://raw.githubusercontent.com/TRvlvr/application_data"
    "/22b79fc01ada8f3b9e3526ad0ed645af414a7cde/mdx_model_data/mdx_c_configs"
)
_SEPARATOR = "https://github.com/nomadkaraoke/python-audio-separator/releases/download/model-configs"
_UVR_LICENCE = "none beside the file; UVR asks to honour the MIT licence by naming UVR and its developers"
_KIM = "https://huggingface.co/KimberleyJSN/melbandroformer"
_KIM_REVISION = "ac9b0614ab3cd7f77219e18ba494dfd93956c348"

_ROFORMERS = (
    Model(
        name="vocals_mel_band_roformer",
        engine="uvr",
        environment="media",
        licence="MIT",
        source=_KIM,
        good_for="voices in front of music, trained on songs; very slow without a graphics card",
        hub=(
            HubFile(
                name="uvr/vocals_mel_band_roformer.ckpt",
                addresses=(
                    f"{_KIM}/resolve/{_KIM_REVISION}/MelBandRoformer.ckpt",
                    f"{_SEPARATOR}/vocals_mel_band_roformer.ckpt",
                ),
                sha256="87201f4d31afb5bc79993230fc49446918425574db48c01c405e44f365c7559e",
                size=913_106_900,
            ),
            HubFile(
                name="uvr/vocals_mel_band_roformer.yaml",
                addresses=(f"{_SEPARATOR}/vocals_mel_band_roformer.yaml",),
                sha256="b958b29c8f7195f0d86bee6759a33980db675c4ecaf2fcaa80fa125828e6cd38",
                size=944,
            ),
        ),
        stems=_VOCALS,
        sample_rate=44_100,
    ),
    Model(
        name="model_bs_roformer_ep_317_sdr_12.9755",
        engine="uvr",
        environment="media",
        licence="none stated by its maker (viperx)",
        source="https://github.com/TRvlvr/model_repo/releases/tag/all_public_uvr_models",
        good_for="voices in front of music, trained on songs; very slow without a graphics card",
        hub=(
            HubFile(
                name="uvr/model_bs_roformer_ep_317_sdr_12.9755.ckpt",
                addresses=(f"{_UVR}/model_bs_roformer_ep_317_sdr_12.9755.ckpt",),
                sha256="5b84f37e8d444c8cb30c79d77f613a41c05868ff9c9ac6c7049c00aefae115aa",
                size=639_331_213,
            ),
            HubFile(
                name="uvr/model_bs_roformer_ep_317_sdr_12.9755.yaml",
                addresses=(f"{_UVR_SETTINGS}/model_bs_roformer_ep_317_sdr_12.9755.yaml",),
                sha256="2bfdd16c656bd9519aba757cc4f8834b7ede675eb1e00ec4772d74ae1c41af7f",
                size=2_273,
            ),
        ),
        stems=_VOCALS,
        sample_rate=44_100,
    ),
)
_MDX_NETS = (
    Model(
        name="UVR-MDX-NET-Voc_FT",
        engine="mdxnet",
        environment="media",
        licence=_UVR_LICENCE,
        source="https://github.com/TRvlvr/model_repo/releases/tag/all_public_uvr_models",
        good_for="voices in front of music, trained on songs; bearable without a graphics card",
        hub=(
            HubFile(
                name="uvr/UVR-MDX-NET-Voc_FT.onnx",
                addresses=(
                    f"{_UVR}/UVR-MDX-NET-Voc_FT.onnx",
                    "https://huggingface.co/Blane187/all_public_uvr_models/resolve"
                    "/fddec39677560e41e3194f24a9e4c4cd32ef0e83/UVR-MDX-NET-Voc_FT.onnx",
                ),
                sha256="534b2070fcc7df514b13ef660dc8cbb328679c2374d04354a5c42bb14ecce111",
                size=66_762_490,
            ),
        ),
        settings=MappingProxyType(
            {"n_fft": 7_680, "frequencies": 3_072, "steps": 256, "compensate": 1.021, "primary": "vocals"}
        ),
        stems=_VOCALS,
        sample_rate=44_100,
    ),
    Model(
        name="Kim_Vocal_2",
        engine="mdxnet",
        environment="media",
        licence=_UVR_LICENCE,
        source="https://github.com/TRvlvr/model_repo/releases/tag/all_public_uvr_models",
        good_for="voices in front of music, trained on songs by Kimberley Jensen; bearable without a graphics card",
        hub=(
            HubFile(
                name="uvr/Kim_Vocal_2.onnx",
                addresses=(
                    f"{_UVR}/Kim_Vocal_2.onnx",
                    "https://huggingface.co/nomadkaraoke/public_uvr_models/resolve"
                    "/999821733f252623504d13eca10cc3cc89c6108e/Kim_Vocal_2.onnx",
                ),
                sha256="ce74ef3b6a6024ce44211a07be9cf8bc6d87728cc852a68ab34eb8e58cde9c8b",
                size=66_759_214,
            ),
        ),
        settings=MappingProxyType(
            {"n_fft": 7_680, "frequencies": 3_072, "steps": 256, "compensate": 1.009, "primary": "vocals"}
        ),
        stems=_VOCALS,
        sample_rate=44_100,
    ),
)
_VR_NETWORKS = (
    Model(
        name="HP2_all_vocals",
        engine="vr",
        environment="media",
        licence=_UVR_LICENCE,
        source="https://huggingface.co/lj1995/VoiceConversionWebUI/tree/main/uvr5_weights",
        good_for="voices in front of music, trained on songs; the oldest of UVR's networks and the least exact",
        hub=(
            HubFile(
                name="uvr/HP2_all_vocals.pth",
                addresses=(
                    "https://huggingface.co/lj1995/VoiceConversionWebUI/resolve/main/uvr5_weights/HP2_all_vocals.pth",
                ),
                sha256="39796caa5db18d7f9382d8ac997ac967bfd85f7761014bb807d2543cc844ef05",
                size=0,
            ),
        ),
        settings=MappingProxyType({"bands": "4band_v2", "architecture": 123_821, "primary": "instrumental"}),
        stems=_VOCALS,
        sample_rate=44_100,
    ),
)
ENGINES = (
    EngineSpec(
        name="uvr",
        implementation="pipeline.separation.engines.uvr.engine:UVR",
        models=_ROFORMERS,
    ),
    EngineSpec(
        name="mdxnet",
        implementation="pipeline.separation.engines.uvr.mdxnet:MDXNet",
        models=_MDX_NETS,
    ),
    EngineSpec(
        name="vr",
        implementation="pipeline.separation.engines.uvr.vr:VR",
        models=_VR_NETWORKS,
    ),
)
