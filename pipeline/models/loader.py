"""Find the files of models, verify them, and keep loaded models."""

import hashlib
import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar, cast

from pipeline.catalog import MODELS, Model, PackageFile
from pipeline.errors import ModelDigestError, ModelMissingError
from pipeline.models.checkpoints import file_digest, own_checkpoints, own_digest, present_files
from pipeline.types import ModelUse

T = TypeVar("T")


def find_file(file: PackageFile) -> Path | None:
    """Return the path of a file in an installed package, without importing the package; None if it is missing."""
    spec = find_spec(file.package)
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(next(iter(spec.submodule_search_locations))) / file.path
    return path if path.is_file() else None


def verify_file(path: Path, file: PackageFile) -> None:
    """Verify a packaged file against the catalogue.

    Raises:
        ModelDigestError: Its sha256 is another.
    """
    digest = file_digest(path)
    if digest != file.sha256:
        raise ModelDigestError(
            f"The weights in {file.package} are not the ones Stemcord knows.",
            hint="Run `make env` to install them again.",
            detail=f"{path}: sha256 {digest}, expected {file.sha256}",
        )


def model_digest(name: str) -> str:
    """Return one digest of all files of a model as the catalogue knows them; part of every cache key.

    Files with which a user replaced them are covered by `own_model_digest`.
    """
    entry = MODELS[name]
    files = (f"{file.name} {file.sha256}" for file in entry.files)
    fetched = (f"{file.name} {file.sha256 or file.md5}" for file in entry.hub)
    settings = (f"{key}={value}" for key, value in entry.settings.items())
    text = "\n".join([entry.name, entry.source, *files, *fetched, *settings])
    return hashlib.sha256(text.encode()).hexdigest()


def own_model_digest(home: Path, name: str) -> str:
    """Return one digest of the checkpoints in `home` that replace the catalogue's; empty when there are none."""
    entry = MODELS.get(name)
    return own_digest(home, entry) if entry else ""


class Models:
    """The models of one engine process.

    Args:
        home: Folder of the installation, for converted and downloaded files.
        device: `cpu`, `cuda` or `auto`.
    """

    def __init__(self, home: Path, device: str = "auto") -> None:
        self.home = home
        self._device = device
        self._verified: dict[str, dict[str, Path]] = {}
        self._loaded: dict[str, object] = {}
        # Two threads of one process must not load the same weights twice.
        self._lock = threading.RLock()

    @property
    def device(self) -> str:
        """The torch device; `auto` becomes CUDA where there is a card."""
        if self._device == "auto":
            import torch

            self._device = "cuda" if torch.cuda.is_available() else "cpu"
        return self._device

    @property
    def wanted_device(self) -> str:
        """The device as it was configured, which may be `auto`."""
        return self._device

    def entry(self, name: str) -> Model:
        """Return a catalogue entry.

        Raises:
            ModelMissingError: There is no such model.
        """
        try:
            return MODELS[name]
        except KeyError:
            raise ModelMissingError(
                f"There is no model called {name!r}.", hint="Run `stemcord models list` to see the names."
            ) from None

    def use(self, stage: str, name: str) -> ModelUse:
        """Describe that a stage used a model's catalogue weights."""
        entry = self.entry(name)
        return ModelUse(stage=stage, engine=entry.engine, model=name, licence=entry.licence, digest=model_digest(name))

    def files(self, name: str) -> dict[str, Path]:
        """Return the verified packaged files of a model by their catalogue names; digests are read once per process.

        Raises:
            ModelMissingError: A package is missing.
            ModelDigestError: A file is another one.
        """
        with self._lock:
            if name not in self._verified:
                self._verified[name] = {file.name: self._verified_path(name, file) for file in self.entry(name).files}
            return self._verified[name]

    def fetched(self, name: str, report: Callable[[float, str], None] | None = None) -> dict[str, Path]:
        """Return the verified hub files of a model by their catalogue names, downloaded first if need be.

        Empty for a model that comes with packages or is not in the catalogue, and for one that a user replaced in
        `<home>/checkpoints`.

        Args:
            name: Name of the model.
            report: Called with fraction 0 and a text with the bytes so far; an error that it raises ends the download.

        Raises:
            ModelMissingError: The files cannot be obtained.
            ModelDigestError: A file is another one.
        """
        entry = MODELS.get(name)
        if entry is None or not entry.hub or own_checkpoints(self.home, entry):
            return {}
        here = present_files(entry, self.home)
        if here is not None:
            return here
        try:
            from pipeline.models.download.client import ensure_downloaded
        except ImportError as error:
            raise ModelMissingError(
                f"The weights of {name} are not here.",
                hint=f"Run `stemcord models fetch {name}`.",
                detail=f"this environment cannot fetch: {error}",
            ) from error
        return ensure_downloaded(entry, self.home, report)

    def loaded(self, key: str, load: Callable[[], T]) -> T:
        """Return what `load` returned for a key; it is called on first use."""
        with self._lock:
            if key not in self._loaded:
                self._loaded[key] = load()
            return cast("T", self._loaded[key])

    def _verified_path(self, name: str, file: PackageFile) -> Path:
        path = find_file(file)
        if path is None:
            raise ModelMissingError(
                f"The weights of {name} are not installed.",
                hint="Run `make env`; it installs every package that ships weights.",
                detail=f"{file.path} of package {file.package}",
            )
        verify_file(path, file)
        return path


def load_module(path: Path, name: str) -> Any:  # noqa: ANN401 - a module of a third party has no static type
    """Run one verified Python file of a package without importing the package."""
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ModelMissingError(f"The model code {path.name} cannot be read.", hint="Run `make env`.")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
