"""Models that hubs keep. Digests are those of the files as published, read in at least two public places each."""

from types import MappingProxyType

from pipeline.models.entries import HubFile, Model
from pipeline.models.recognisers import HUB_RECOGNISERS
from pipeline.types import StemName

_VOCALS = (StemName.VOCALS, StemName.BACKGROUND)
_VOCALS_AND_MUSIC = (StemName.VOCALS, StemName.MUSIC, StemName.BACKGROUND)
_FOUR = (StemName.VOCALS, StemName.MUSIC, StemName.SFX, StemName.AMBIENT, StemName.BACKGROUND)
_CINEMATIC = "https://github.com/ZFTurbo/MVSEP-CDX23-Cinematic-Sound-Demixing"
_DEMUCS = "https://dl.fbaipublicfiles.com/demucs/hybrid_transformer"
_DEMUCS_MIRROR = "https://huggingface.co/iBoostAI/Demucs-v4/resolve/main"
_UVR = "https://github.com/TRvlvr/model_repo/releases/download/all_public_uvr_models"
_UVR_SETTINGS = (
    "https://raw.githubusercontent.com/TRvlvr/application_data"
    "/22b79fc01ada8f3b9e3526ad0ed645af414a7cde/mdx_model_data/mdx_c_configs"
)
_SEPARATOR = "https://github.com/nomadkaraoke/python-audio-separator/releases/download/model-configs"
_UVR_LICENCE = "none beside the file; UVR asks to honour the MIT licence by naming UVR and its developers"
_KIM = "https://huggingface.co/KimberleyJSN/melbandroformer"
_KIM_REVISION = "ac9b0614ab3cd7f77219e18ba494dfd93956c348"
_COMMUNITY = "https://huggingface.co/pyannote/speaker-diarization-community-1"
_COMMUNITY_REVISION = "3533c8cf8e369892e6b79ff1bf80f7b0286a54ee"


def _demucs(name: str, sha256: str, size: int, *, mirrored: bool = True) -> HubFile:
    """A checkpoint of the Demucs authors, who put the first digits of its sha256 into its name."""
    places = (_DEMUCS, _DEMUCS_MIRROR) if mirrored else (_DEMUCS,)
    return HubFile(name=name, addresses=tuple(f"{place}/{name}" for place in places), sha256=sha256, size=size)


def _community(path: str, sha256: str, size: int) -> HubFile:
    """A file of pyannote's pipeline, which is given to those who accept its conditions."""
    return HubFile(
        name=f"pyannote/speaker-diarization-community-1/{path}",
        addresses=(f"{_COMMUNITY}/resolve/{_COMMUNITY_REVISION}/{path}",),
        sha256=sha256,
        size=size,
    )


def _cinematic(sha256: str, size: int = 0) -> HubFile:
    """A network of ZFTurbo's, trained on Divide and Remaster; all are called 97d170e1 and tell apart by digest."""
    name = f"97d170e1-{sha256[:8]}.th"
    return HubFile(name=name, addresses=(f"{_CINEMATIC}/releases/download/v.1.0.0/{name}",), sha256=sha256, size=size)


_CINEMATIC_SECOND = _cinematic("dbb4db154df7e45a5cb72d1659c48937e757f6d6b0eef8ca4199e6e38f8d8f37", 53_916_935)
_SEPARATION = (
    Model(
        name="htdemucs_ft",
        engine="demucs",
        environment="media",
        licence="MIT",
        source="https://github.com/adefossez/demucs",
        good_for="film and television, songs",
        hub=(
            _demucs(
                "f7e0c4bc-ba3fe64a.th", "ba3fe64ae8ef66ac9a4857222ce48efbdc5eb3ad375cb79dd13debee5aaa4066", 84_141_271
            ),
            _demucs(
                "d12395a8-e57c48e6.th", "e57c48e6b0e38af4f7118d7bd08c49f0a0c0edf7d09143bdd902ea0d237303e6", 84_141_271
            ),
            _demucs(
                "92cfc3b6-ef3bcb9c.th", "ef3bcb9c8b40d14ae5d51b6db2587339cc12c6b77c0be151ce6d69002e087bf2", 84_141_271
            ),
            _demucs(
                "04573f0d-f3cf25b2.th", "f3cf25b222c4eed7cd49dd8b2c9597d50c18bd154090f7b919cfa5f93cf22c49", 84_141_271
            ),
        ),
        stems=_VOCALS_AND_MUSIC,
        sample_rate=44_100,
    ),
    Model(
        name="htdemucs",
        engine="demucs",
        environment="media",
        licence="MIT",
        source="https://github.com/adefossez/demucs",
        good_for="film and television, songs; four times quicker than htdemucs_ft",
        hub=(
            _demucs(
                "955717e8-8726e21a.th", "8726e21a993978c7ba086d3872e7608d7d5bfca646ca4aca459ffda844faa8b4", 84_141_911
            ),
        ),
        stems=_VOCALS_AND_MUSIC,
        sample_rate=44_100,
    ),
    Model(
        name="htdemucs_6s",
        engine="demucs",
        environment="media",
        licence="MIT",
        source="https://github.com/adefossez/demucs",
        good_for="songs with guitar and piano, on trial by its makers; its parts but the vocals are joined to music",
        hub=(
            _demucs(
                "5c90dfd2-34c22ccb.th",
                "34c22ccb381c6f9fdbf324f04e1e2fe21aaaf293f5ded163a162697ff9a02ddd",
                54_996_327,
                mirrored=False,
            ),
        ),
        stems=_VOCALS_AND_MUSIC,
        sample_rate=44_100,
    ),
    Model(
        name="htdemucs_dnr",
        engine="demucs",
        environment="media",
        licence="MIT (its code; none stated for the weights)",
        source=_CINEMATIC,
        good_for="film and television: speech, music and effects apart; effects are then parted into SFX and ambience",
        hub=(_CINEMATIC_SECOND,),
        stems=_FOUR,
        sample_rate=44_100,
    ),
    Model(
        name="htdemucs_dnr_bag",
        engine="demucs",
        environment="media",
        licence="MIT (its code; none stated for the weights)",
        source=_CINEMATIC,
        good_for="film and television: three of htdemucs_dnr, half a decibel better by its maker, three times slower",
        hub=(
            _cinematic("a778de4a72b90482a578bfb6ea6bf41462785d9136c11802c67a864a40f29434"),
            _CINEMATIC_SECOND,
            _cinematic("e41a54684d3cd6794ee2bb59183ffeb11a9a3d42db873a6a08a9829ac3ef4cfe"),
        ),
        stems=_FOUR,
        sample_rate=44_100,
    ),
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
_SPEECH = (
    Model(
        name="speaker-diarization-community-1",
        engine="pyannote",
        environment="media",
        licence="CC-BY-4.0",
        source=_COMMUNITY,
        good_for="who is heard when; its maker asks for a token of an account that accepted the conditions",
        hub=(
            _community("config.yaml", "5ce2bfa9a938dc132cec1172592d65173cbb8f444ea1e4133f10f9391de155be", 444),
            _community(
                "segmentation/pytorch_model.bin",
                "7ad24338d844fb95985486eb1a464e32d229f6d7a03c9abe60f978bacf3f816e",
                5_906_507,
            ),
            _community(
                "embedding/pytorch_model.bin",
                "6f10ff60898a1d185fa22e1d11e0bfa8a92efec811f11bca48cb8cafebefd929",
                26_646_242,
            ),
            _community("plda/plda.npz", "9b77bcd840692710dd3496f62ecfeed8d8e5f002fd991b785079b244eab7d255", 133_852),
            _community(
                "plda/xvec_transform.npz", "325f1ce8e48f7e55e9c8aa47e05d2766b7c48c4b25b8de8dd751e7a4cc5fbe8f", 134_376
            ),
        ),
        sample_rate=16_000,
    ),
)
_UVR_CLASSIC = (
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
PUBLISHED = (*_SEPARATION, *_UVR_CLASSIC, *_SPEECH, *HUB_RECOGNISERS)
