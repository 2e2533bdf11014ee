"""Several engines on one sound, their vocals weighted and added."""

from types import MappingProxyType

from pipeline.models.entries import Model
from pipeline.separation.engines.deepfilternet import DEEPFILTERNET3
from pipeline.separation.engines.spec import EngineSpec
from pipeline.separation.engines.spleeter import SPLEETER_2STEMS
from pipeline.types import StemName

DEEPFILTERNET3_SPLEETER = Model(
    name="deepfilternet3-spleeter",
    engine="ensemble",
    environment="media",
    licence=f"({DEEPFILTERNET3.licence}) AND {SPLEETER_2STEMS.licence}",
    source=f"{DEEPFILTERNET3.source} {SPLEETER_2STEMS.source}",
    good_for="speech with music as loud as it is: both engines, their vocals weighted and added",
    distribution=f"{DEEPFILTERNET3.distribution} {SPLEETER_2STEMS.distribution}",
    files=(*DEEPFILTERNET3.files, *SPLEETER_2STEMS.files),
    settings=MappingProxyType({DEEPFILTERNET3.name: 0.7, SPLEETER_2STEMS.name: 0.3}),
    stems=(StemName.VOCALS, StemName.BACKGROUND),
    sample_rate=48_000,
)
"""Its settings are the models of its members and their weights in the sum."""

ENGINES = (
    EngineSpec(
        name="ensemble",
        implementation="pipeline.separation.engines.ensemble.engine:Ensemble",
        models=(DEEPFILTERNET3_SPLEETER,),
    ),
)
