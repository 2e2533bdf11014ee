"""Find out which model files are on this machine, without loading any of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deploy.setup.environments import PYTHON_VERSION, ROOT, all_environments
from pipeline import catalog
from pipeline.catalog import MODELS, PRESETS, Model, PackageFile
from pipeline.errors import ModelDigestError, ValidationError
from pipeline.models.checkpoints import (
    bytes_present,
    checkpoint_path,
    checkpoints_folder,
    own_checkpoints,
    verify_checkpoint,
)
from pipeline.models.loader import find_file, model_digest, verify_file
from pipeline.types import Preset
from worker.settings import WorkerSettings

WHISPER = "paddlespeech-whisper"
"""The engine whose weights are converted once before use."""

Status = Literal["ok", "own", "partial", "hub", "missing", "wrong"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStatus:
    """Whether a model's files are present and correct."""

    model: Model
    status: Status
    """`own`: a person's own files take its place; `partial`, `hub`: fetched, from where it broke off, on first use."""
    detail: str


def check_model(model: Model, settings: WorkerSettings, *, digests: bool = True) -> ModelStatus:
    """Look for every file of a model.

    Args:
        model: The model.
        settings: Where files are looked for.
        digests: Also read all files and compare their sha256.
    """
    if not model.files:
        return _check_hub_model(model, settings, digests=digests)
    for file in model.files:
        path = locate_file(file, model.environment, settings)
        if path is None:
            return ModelStatus(model=model, status="missing", detail=f"no {file.path} of package {file.package}")
        try:
            if digests:
                verify_file(path, file)
        except ModelDigestError as error:
            return ModelStatus(model=model, status="wrong", detail=error.detail)
    return ModelStatus(model=model, status="ok", detail=_describe_files(model))


def _check_hub_model(model: Model, settings: WorkerSettings, *, digests: bool) -> ModelStatus:
    own = own_checkpoints(settings.home, model)
    if own:
        detail = f"your own {', '.join(path.name for path in own)} in {checkpoints_folder(settings.home)}"
        return ModelStatus(model=model, status="own", detail=detail)
    if not model.hub:
        detail = f"no hub keeps it; its files belong into {checkpoints_folder(settings.home)}"
        return ModelStatus(model=model, status="missing", detail=detail)
    whole = [file for file in model.hub if checkpoint_path(file, settings.home).is_file()]
    try:
        for file in whole if digests else ():
            verify_checkpoint(checkpoint_path(file, settings.home), file)
    except ModelDigestError as error:
        return ModelStatus(model=model, status="wrong", detail=error.detail)
    if len(whole) == len(model.hub):
        return ModelStatus(model=model, status="ok", detail=_describe_files(model))
    here = sum(bytes_present(file, settings.home) for file in model.hub)
    if here:
        whole_size = f" of {describe_size(model)}" if model.size else " MB"
        return ModelStatus(model=model, status="partial", detail=f"{here / 1e6:.0f}{whole_size} fetched")
    size = f"{describe_size(model)} are " if model.size else ""
    return ModelStatus(model=model, status="hub", detail=f"not here; {size}fetched on first use")


def _describe_files(model: Model) -> str:
    count = len(model.files) + len(model.hub)
    files = "1 file" if count == 1 else f"{count} files"
    return f"{files}, {describe_size(model)}" if model.size else files


def describe_size(model: Model) -> str:
    """Return the size of all files, or of those whose size is known in advance."""
    return f"{'' if all(file.size for file in model.hub) else 'over '}{model.size / 1e6:.0f} MB"


def locate_file(file: PackageFile, environment: catalog.Environment, settings: WorkerSettings) -> Path | None:
    """Return the path of a packaged file: in the environment that uses it, else in the current one.

    An image may hold only one environment.
    """
    version = ".".join(str(part) for part in PYTHON_VERSION)
    path = environment_folder(environment, settings) / "lib" / f"python{version}" / "site-packages"
    path = path / file.package / file.path
    return path if path.is_file() else find_file(file)


def environment_folder(environment: catalog.Environment, settings: WorkerSettings) -> Path:
    """Return the folder of an environment: the checkout's, or for asr the one that the settings name."""
    if environment == "asr" and settings.asr_python is not None:
        return settings.asr_python.parent.parent
    return next(each.path for each in all_environments(ROOT) if each.name == environment)


def converted_folder(model: Model, settings: WorkerSettings) -> Path:
    """Return where `pipeline.speech.recognition.whisper.weights` stores the converted form of a model."""
    return settings.home / "models" / f"{model.name}-{model_digest(model.name)[:12]}"


def choose_models(names: Iterable[str]) -> list[Model]:
    """Return models by their names or by the names of presets.

    Raises:
        ValidationError: There is no such model or preset.
    """
    chosen: dict[str, Model] = {}
    for name in names:
        if name in MODELS:
            chosen[name] = MODELS[name]
        elif name in tuple(Preset):
            chosen |= {model.name: model for model in preset_models(Preset(name))}
        else:
            known = ", ".join((*MODELS, *Preset))
            raise ValidationError(f"There is no model or preset called {name!r}.", hint=f"Choose one of {known}.")
    return list(chosen.values())


def preset_models(preset: Preset) -> list[Model]:
    """Return the models that a preset uses, without repetition."""
    entry = PRESETS[preset]
    names = (
        *entry.separation.values(),
        entry.music_separation,
        entry.segmentation,
        entry.embedding,
        entry.recognition,
        *entry.recognition_by_language.values(),
        *((entry.diarization,) if entry.diarization else ()),
    )
    return [MODELS[name] for name in dict.fromkeys(names)]
