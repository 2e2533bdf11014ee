"""The stage `separate`: a sound in, its vocals and the parts of its background out."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import cast

import msgspec

from pipeline.audio import io as sound
from pipeline.errors import ModelMissingError, SeparationError
from pipeline.graph.stage import ProgressCallback, StageContext, StageMetadata
from pipeline.models.entries import Model
from pipeline.models.loader import Models, model_digest
from pipeline.separation.base import Engine, Recording
from pipeline.separation.stem_files import finished_folder, finished_stems, write_stems
from pipeline.separation.surround import Made, separate_surround
from pipeline.types import JsonValue, ModelUse, StemName

MESSAGE = "Taking the voices out"
ONLY_VOICES = (
    "Music, SFX and ambience stay together in the background: {model} takes out voices only, and parts are given "
    "only where a model is known to tell them apart."
)
ONLY_SONGS = "SFX and ambience stay with the music: {model} was trained on songs and does not know them."


def separate_stage(work: StageContext) -> StageMetadata:
    """Separate `sound` with the engine and model of the parameters; the parts add up to it exactly.

    The fact `residual` is the level (dBFS) of what the model gave to no part; see `stems.Written`.
    """
    name, model = str(work.params["engine"]), str(work.params["model"])
    entry = work.models.entry(model)
    work.models.fetched(model, work.report)
    work.report(0.0, "Loading the model")

    def report(fraction: float, message: str = "") -> None:
        work.report(fraction, message or MESSAGE)

    residuals: list[float] = []

    def take_apart(path: Path, folder: Path, report: ProgressCallback) -> Made:
        engine = open_engine(name, work.models, model)
        _check_promise(entry, engine)
        recording = Recording.open(path, engine.sample_rate)
        written = write_stems(recording, engine.separate(recording, report), engine.stems, folder)
        residuals.extend([] if written.residual is None else [written.residual])
        return Made(stems=written.names, notes=tuple(engine.notes), digest=engine.digest)

    source = work.inputs["sound"]
    with finished_folder(work.out) as folder:
        if sound.info(source).channels > 2:
            made = separate_surround(source, take_apart, folder, report)
        else:
            made = take_apart(source, folder, report)
    use = ModelUse(
        stage="separate", engine=name, model=model, licence=entry.licence, digest=made.digest or model_digest(model)
    )
    return {
        "stems": [stem.value for stem in made.stems],
        "models": [cast("JsonValue", msgspec.to_builtins(use))],
        "notes": list[JsonValue]([*made.notes, *explain_missing(model, made.stems)]),
        "residual": max(residuals, default=None),
    }


def explain_missing(model: str, stems: Sequence[StemName]) -> list[str]:
    """Why stems that people may look for are not there, in sentences for them."""
    if StemName.SFX in stems:
        return []
    return [(ONLY_SONGS if StemName.MUSIC in stems else ONLY_VOICES).format(model=model)]


def open_engine(name: str, models: Models, model: str) -> Engine:
    """An engine for one recording. Raises `ModelMissingError` for an unknown one, or what loading raises."""
    try:
        opened = _ENGINES[name]
    except KeyError:
        raise ModelMissingError(
            f"There is no separation engine called {name!r}.", hint="Run `stemcord models list` to see the names."
        ) from None
    return opened(models, model)


def _check_promise(entry: Model, engine: Engine) -> None:
    """Raises `SeparationError` when the weights lack a stem that the catalogue names; one's own checkpoint may."""
    missing = [stem.value for stem in entry.stems if stem not in finished_stems(engine.stems)]
    if missing:
        raise SeparationError(
            f"The weights in use for {entry.name} do not make {' and '.join(missing)}.",
            hint="Take your own checkpoint of that name away, or choose a model by what it makes.",
        )


def _open_deepfilternet(models: Models, model: str) -> Engine:
    from pipeline.separation.engines.deepfilternet.engine import DeepFilterNet

    return DeepFilterNet.open(models, model)


def _open_spleeter(models: Models, model: str) -> Engine:
    from pipeline.separation.engines.spleeter.engine import Spleeter

    return Spleeter.open(models, model)


def _open_demucs(models: Models, model: str) -> Engine:
    from pipeline.separation.engines.demucs.engine import Demucs

    return Demucs.open(models, model)


def _open_uvr(models: Models, model: str) -> Engine:
    from pipeline.separation.engines.uvr.engine import UVR

    return UVR.open(models, model)


def _open_mdxnet(models: Models, model: str) -> Engine:
    from pipeline.separation.engines.uvr.mdxnet import MDXNet

    return MDXNet.open(models, model)


def _open_vr(models: Models, model: str) -> Engine:
    from pipeline.separation.engines.uvr.vr import VR

    return VR.open(models, model)


def _open_ensemble(models: Models, model: str) -> Engine:
    from pipeline.separation.engines.ensemble import Ensemble

    return Ensemble.open(models, model, open_engine)


_ENGINES: Mapping[str, Callable[[Models, str], Engine]] = MappingProxyType(
    {
        "deepfilternet": _open_deepfilternet,
        "spleeter": _open_spleeter,
        "demucs": _open_demucs,
        "uvr": _open_uvr,
        "mdxnet": _open_mdxnet,
        "vr": _open_vr,
        "ensemble": _open_ensemble,
    }
)
