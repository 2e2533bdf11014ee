"""Loads Demucs checkpoints, published ones and a person's own, from one folder; digests are verified first."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import yaml

from pipeline.catalog import MODELS, HubFile
from pipeline.errors import DemucsError, ModelDigestError
from pipeline.models.checkpoints import (
    SIGNATURE_PATTERN,
    checkpoints_folder,
    file_digest,
    find_networks,
    own_demucs,
    signatures_of,
    verify_checkpoint,
)
from pipeline.models.loader import Models
from pipeline.separation.engines.demucs import library

CHECKPOINT_NAME: Final = re.compile(r"(?P<signature>.+)-(?P<digest>[0-9a-f]{8,64})\.th")
"""`SIG-<first digits of the sha256>.th`, as demucs saves it; fewer than eight digits prove nothing."""
PUBLISHED_FILES: Final[Mapping[str, HubFile]] = MappingProxyType(
    {file.name: file for model in MODELS.values() if model.engine == "demucs" for file in model.hub}
)
"""The catalogue's checkpoints by their file names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemucsCheckpoint:
    """A loaded network, and the digest of its files when they are a person's own; else empty."""

    network: library.DemucsNetwork
    digest: str


def load_model(models: Models, name: str) -> DemucsCheckpoint:
    """Load a model from `<home>/checkpoints`: a person's own of that name, else the published one, fetched if need be.

    Raises:
        DemucsError: The checkpoint cannot be loaded.
        ModelError: It cannot be fetched or is not the known one.
    """
    paths = list(models.fetched(name).values())
    if not paths:
        return load_local(checkpoints_folder(models.home), name)
    # Networks that come without a description count the same.
    bag = _published_bag(name) or ({} if len(paths) > 1 else None)
    return DemucsCheckpoint(network=_load_network(name, paths, bag), digest="")


def has_checkpoint(folder: Path, name: str) -> bool:
    """Return whether the folder has the model: a bag of that name, or a checkpoint of that signature."""
    published = _published_bag(name)
    return bool(own_demucs(folder, name)) or (
        published is not None and all(any(folder.glob(f"{signature}-*.th")) for signature in _signatures(published))
    )


def load_local(folder: Path, name: str) -> DemucsCheckpoint:
    """Load a model from a folder of `SIG-<digest>.th` files and `NAME.yaml` bags.

    Raises:
        DemucsError: There is no such model, or it cannot be loaded.
        ModelDigestError: A file is not the one that its name says.
    """
    if not has_checkpoint(folder, name):
        raise DemucsError(
            f"There is no Demucs checkpoint called {name!r} in {folder}.",
            hint="Put its SIG-xxxxxxxx.th file (and NAME.yaml for a bag) there.",
        )
    own = folder / f"{name}.yaml"
    bag = None if find_networks(folder, name) else read_bag(own) if own.is_file() else _published_bag(name)
    signatures = [name] if bag is None else _signatures(bag)
    paths = [_verified_checkpoint(folder, signature) for signature in signatures]
    digest = hashlib.sha256("".join(map(file_digest, paths)).encode()).hexdigest()
    return DemucsCheckpoint(network=_load_network(name, paths, bag), digest=digest)


def read_bag(path: Path) -> dict[str, Any]:
    """Read a bag's description: `models`, and perhaps `weights` and `segment`.

    Raises:
        DemucsError: The file cannot be read.
    """
    try:
        return library.read_bag(path)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DemucsError(
            f"The description {path.name} of a Demucs bag cannot be read.", hint="Save it again.", detail=repr(error)
        ) from error


def _published_bag(name: str) -> dict[str, Any] | None:
    """Read the description of a bag that the library brings; None without one."""
    if not SIGNATURE_PATTERN.fullmatch(name):
        return None
    path = library.published_bags() / f"{name}.yaml"
    return read_bag(path) if path.is_file() else None


def _load_network(name: str, paths: Sequence[Path], bag: Mapping[str, Any] | None) -> library.DemucsNetwork:
    try:
        networks = [library.load_checkpoint(path) for path in paths]
        return networks[0] if bag is None else library.make_bag(networks, bag)
    except (library.UnsafeCheckpointError, AssertionError, IndexError) as error:
        raise DemucsError(
            f"The checkpoint of {name} is not a Demucs network that can be loaded safely.",
            hint="Save it again with demucs, or fetch it again.",
            detail=repr(error),
        ) from error


def _signatures(bag: Mapping[str, Any]) -> list[str]:
    """Return the names of a bag's networks; raise `DemucsError` when there are none or one is a path."""
    found = signatures_of(bag)
    if not found:
        raise DemucsError("The description of a Demucs bag names no models.", hint="Fetch the bag's yaml file again.")
    return found


def _verified_checkpoint(folder: Path, signature: str) -> Path:
    """Find the one checkpoint of a signature; its digest must be that of its name and, if known, the catalogue's."""
    paths = find_networks(folder, signature)
    if len(paths) != 1:
        raise DemucsError(
            f"There are {len(paths)} checkpoints called {signature} where one is needed.",
            hint=f"Leave exactly one {signature}-xxxxxxxx.th in {folder}.",
        )
    path = paths[0]
    named = CHECKPOINT_NAME.fullmatch(path.name)
    if named is None:
        raise ModelDigestError(
            f"The checkpoint {path.name} does not carry its digest in its name.",
            hint="Rename it to SIG-xxxxxxxx.th with the first eight digits of the sha256 that its source states.",
        )
    if path.name in PUBLISHED_FILES:
        verify_checkpoint(path, PUBLISHED_FILES[path.name])
    digest = file_digest(path)
    if not digest.startswith(named["digest"]):
        raise ModelDigestError(
            f"The checkpoint {path.name} is not the one its name says.",
            hint="Fetch it again.",
            detail=f"{path}: sha256 {digest}",
        )
    return path
