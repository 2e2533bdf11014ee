"""The network of our own that parts a background into music, SFX and ambience."""

from collections.abc import Mapping
from types import MappingProxyType

from pipeline.models.entries import Model, PackageFile
from pipeline.separation.engines.spec import EngineSpec
from pipeline.types import StemName

BACKGROUND_PARTS = (StemName.MUSIC, StemName.SFX, StemName.AMBIENT)
"""What the network gives, in its order."""
STEMCORD_BACKGROUND = Model(
    name="stemcord-background",
    engine="background",
    environment="media",
    licence="MIT (its code, and Spleeter's weights that it started from); trained on sounds under many free licences",
    source="https://github.com/deezer/spleeter",
    good_for="music, SFX and ambience out of a background, once the voices are out",
    distribution="stemcord",
    files=(
        PackageFile(
            name="weights",
            package="pipeline",
            path="training/checkpoints/background.safetensors",
            sha256="d9858d0653206819cd462edb848578515d364ebf99e71930eaaf58a7fd12c859",
            size=9965026,
        ),
    ),
    stems=BACKGROUND_PARTS,
    sample_rate=44_100,
)
PART_GAIN_DB: Mapping[StemName, float] = MappingProxyType(
    {StemName.MUSIC: 1.4, StemName.SFX: 1.7, StemName.AMBIENT: 2.8}
)
"""Median gain in SI-SDR over the whole background as the estimate, on the frozen test mixes of v3, of these weights
(`pipeline/training/checkpoints/README.md`)."""
MIN_PART_GAIN_DB = 3.0
"""Gain from which a part is given without being asked for."""
ENGINES = (
    EngineSpec(
        name="background",
        implementation="pipeline.separation.engines.background.engine:BackgroundSeparator",
        models=(STEMCORD_BACKGROUND,),
    ),
)
