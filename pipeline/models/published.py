"""Catalogue entries of models that hubs publish; each digest was read in at least two public places."""

from pipeline.models.entries import HubFile, Model
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
PUBLISHED = (*_SPEECH, *HUB_RECOGNISERS)
