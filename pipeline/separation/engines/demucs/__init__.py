"""Demucs, streamed exactly (Rouard et al. 2023)."""

from pipeline.models.entries import HubFile, Model
from pipeline.separation.engines.spec import EngineSpec
from pipeline.types import StemName

_VOCALS_AND_MUSIC = (StemName.VOCALS, StemName.MUSIC, StemName.BACKGROUND)
_FOUR = (StemName.VOCALS, StemName.MUSIC, StemName.SFX, StemName.AMBIENT, StemName.BACKGROUND)
_CINEMATIC = "https://github.com/ZFTurbo/MVSEP-CDX23-Cinematic-Sound-Demixing"
_DEMUCS = "https://dl.fbaipublicfiles.com/demucs/hybrid_transformer"
_DEMUCS_MIRROR = "https://huggingface.co/iBoostAI/Demucs-v4/resolve/main"


def _demucs(name: str, sha256: str, size: int, *, mirrored: bool = True) -> HubFile:
    """A checkpoint of the Demucs authors, who put the first digits of its sha256 into its name."""
    places = (_DEMUCS, _DEMUCS_MIRROR) if mirrored else (_DEMUCS,)
    return HubFile(name=name, addresses=tuple(f"{place}/{name}" for place in places), sha256=sha256, size=size)


def _cinematic(sha256: str, size: int = 0) -> HubFile:
    """A network of ZFTurbo's, trained on Divide and Remaster; all are called 97d170e1 and tell apart by digest."""
    name = f"97d170e1-{sha256[:8]}.th"
    return HubFile(name=name, addresses=(f"{_CINEMATIC}/releases/download/v.1.0.0/{name}",), sha256=sha256, size=size)


_CINEMATIC_SECOND = _cinematic("dbb4db154df7e45a5cb72d1659c48937e757f6d6b0eef8ca4199e6e38f8d8f37", 53_916_935)
_MODELS = (
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
)
ENGINES = (
    EngineSpec(
        name="demucs",
        implementation="pipeline.separation.engines.demucs.engine:Demucs",
        models=_MODELS,
    ),
)
