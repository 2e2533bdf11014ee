"""The network of our own that parts a background into music, SFX and ambience."""

from collections.abc import Mapping
from types import MappingProxyType

from pipeline.models.entries import Model, PackageFile
from pipeline.separation.engines.spec import EngineSpec
from pipeline.types import StemName

BACKGROUND_PARTS = (StemName.MUSIC, StemName.SFX, StemName.AMBIENT)
"""What the network gives, in its order."""
NOTES_FILE = PackageFile(
    name="notes",
    package="basic_pitch",
    path="saved_models/icassp_2022/nmp.onnx",
    sha256="2c3c1d144bfa61ad236e92e169c13535c880469a12a047d4e73451f2c059a0ec",
    size=230_444,
)
"""A network that hears notes, which tells ours where music is."""
STEMCORD_BACKGROUND = Model(
    name="stemcord-background",
    engine="background",
    environment="media",
    licence="MIT (its code, and Spleeter's weights that it started from) and Apache-2.0 (what hears notes); trained on "
    "sounds under many free licences",
    source="https://github.com/deezer/spleeter",
    good_for="music, SFX and ambience out of a background, once the voices are out",
    distribution="stemcord basic-pitch==0.4.0",
    files=(
        NOTES_FILE,
        PackageFile(
            name="weights",
            package="pipeline",
            path="training/checkpoints/background.safetensors",
            sha256="da3899ce278c9734a5b7a83a360f90869d8262599f0c0857e1c586afbe2b48c4",
            size=9967524,
        ),
    ),
    stems=BACKGROUND_PARTS,
    sample_rate=44_100,
)
PART_GAIN_DB: Mapping[StemName, float] = MappingProxyType(
    {StemName.MUSIC: 1.3, StemName.SFX: 1.7, StemName.AMBIENT: 4.4}
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
