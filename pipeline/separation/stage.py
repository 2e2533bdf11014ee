"""The stage `separate`: a sound in, its vocals and its background out."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import cast

import msgspec

from pipeline.errors import ModelMissingError
from pipeline.models import Models, model_digest
from pipeline.separation.engine import Engine, Recording
from pipeline.separation.stems import finished_folder, write_stems
from pipeline.stages import Facts, Work
from pipeline.types import JsonValue, ModelUse

MESSAGE = "Taking the voices out"


def separate_stage(work: Work) -> Facts:
    """Separate `sound` with the engine and model of the parameters; vocals and background add up to it exactly."""
    name, model = str(work.params["engine"]), str(work.params["model"])
    entry = work.models.entry(model)
    work.report(0.0, "Loading the model")
    engine = open_engine(name, work.models, model)
    recording = Recording.open(work.inputs["sound"], engine.sample_rate)

    def report(fraction: float, message: str = "") -> None:
        work.report(fraction, message or MESSAGE)

    with finished_folder(work.out) as folder:
        stems = write_stems(recording, engine.separate(recording, report), engine.stems, folder)
    use = ModelUse(
        stage="separate", engine=name, model=model, licence=entry.licence, digest=engine.digest or model_digest(model)
    )
    return {
        "stems": [stem.value for stem in stems],
        "models": [cast("JsonValue", msgspec.to_builtins(use))],
        "notes": list[JsonValue](engine.notes),
    }


def open_engine(name: str, models: Models, model: str) -> Engine:
    """An engine for one recording. Raises `ModelMissingError` for an unknown one, or what loading raises."""
    try:
        opened = _ENGINES[name]
    except KeyError:
        raise ModelMissingError(
            f"There is no separation engine called {name!r}.", mend="Run `stemcord models list` to see the names."
        ) from None
    return opened(models, model)


def _open_deepfilternet(models: Models, model: str) -> Engine:
    from pipeline.separation.deepfilternet import DeepFilterNet

    return DeepFilterNet.open(models, model)


def _open_spleeter(models: Models, model: str) -> Engine:
    from pipeline.separation.spleeter import Spleeter

    return Spleeter.open(models, model)


def _open_demucs(models: Models, model: str) -> Engine:
    from pipeline.separation.demucs import Demucs

    return Demucs.open(models, model)


def _open_uvr(models: Models, model: str) -> Engine:
    from pipeline.separation.uvr import UVR

    return UVR.open(models, model)


_ENGINES: Mapping[str, Callable[[Models, str], Engine]] = MappingProxyType(
    {"deepfilternet": _open_deepfilternet, "spleeter": _open_spleeter, "demucs": _open_demucs, "uvr": _open_uvr}
)
