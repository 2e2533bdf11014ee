"""Finds Demucs checkpoints: in a folder of one's own, in the hub's cache, or on the hub."""

import hashlib
import re
import urllib.error
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import DemucsError, ModelDigestError
from pipeline.hub import answers
from pipeline.models import file_digest
from pipeline.separation import demucs_library as library

NAME = re.compile(r"(?P<signature>.+)-(?P<digest>[0-9a-f]{8,64})\.th")
"""`SIG-<first digits of the sha256>.th`, as demucs saves it; less than eight digits prove nothing."""
SIGNATURE = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A loaded network, and the digest of its files when they are one's own."""

    network: library.Network
    digest: str


def has_checkpoint(folder: Path, name: str) -> bool:
    """True when the folder can give the model: a bag of that name, or checkpoints of that signature."""
    if not SIGNATURE.fullmatch(name) or not folder.is_dir():
        return False
    if (folder / f"{name}.yaml").is_file() or any(folder.glob(f"{name}-*.th")) or (folder / f"{name}.th").is_file():
        return True
    published = library.published_bags() / f"{name}.yaml"
    return published.is_file() and all(
        any(folder.glob(f"{signature}-*.th")) for signature in _signatures(library.read_bag(published))
    )


def load_local(folder: Path, name: str) -> Checkpoint:
    """A model from a folder of `SIG-<digest>.th` files and `NAME.yaml` bags, digests checked before a byte is read.

    Raises `DemucsError` or `ModelDigestError`.
    """
    if not has_checkpoint(folder, name):
        raise DemucsError(
            f"There is no Demucs checkpoint called {name!r} in {folder}.",
            mend="Put its SIG-xxxxxxxx.th file (and NAME.yaml for a bag) there.",
        )
    places = (folder / f"{name}.yaml", library.published_bags() / f"{name}.yaml")
    description = next((library.read_bag(place) for place in places if place.is_file()), None)
    single = description is None or any(folder.glob(f"{name}-*.th"))
    paths = [_verified(folder, signature) for signature in ([name] if single else _signatures(description or {}))]
    try:
        networks = [library.load_checkpoint(path) for path in paths]
        network = networks[0] if single else library.make_bag(networks, description or {})
    except (library.UnsafeCheckpointError, AssertionError, IndexError) as error:
        raise DemucsError(
            f"The checkpoint of {name} is not a Demucs network that can be loaded safely.",
            mend="Save it again with demucs, or fetch it again.",
            detail=repr(error),
        ) from error
    return Checkpoint(network=network, digest=hashlib.sha256("".join(map(file_digest, paths)).encode()).hexdigest())


def load_hub(name: str) -> Checkpoint:
    """A published model, from the hub's cache or the hub itself. Raises `DemucsError`."""
    cached = library.load_cached(name)
    if cached is not None:
        return Checkpoint(network=cached, digest="")
    if not any(answers(address) for address in library.hub_addresses()):
        raise _away(name, "no answer from any of its addresses")
    try:
        return Checkpoint(network=library.load_published(name), digest="")
    except urllib.error.URLError as error:
        raise _away(name, repr(error)) from error
    # The library ends the process (SystemExit) over a missing extra.
    except (Exception, SystemExit) as error:
        raise DemucsError(
            f"The Demucs model {name} could not be fetched.",
            mend="Run `stemcord models list` to see the names, or use `--preset pocket`.",
            detail=repr(error),
        ) from error


def _signatures(description: dict[str, Any]) -> list[str]:
    """Names of a bag's networks; raises `DemucsError` for a bag without, or with a name that is a path."""
    found = [str(signature) for signature in description.get("models", [])]
    if not found or not all(SIGNATURE.fullmatch(signature) for signature in found):
        raise DemucsError("The description of a Demucs bag names no models.", mend="Fetch the bag's yaml file again.")
    return found


def _verified(folder: Path, signature: str) -> Path:
    """The one checkpoint of a signature, its digest being the one in its name."""
    paths = sorted({*folder.glob(f"{signature}-*.th"), *folder.glob(f"{signature}.th")})
    if len(paths) != 1:
        raise DemucsError(
            f"There are {len(paths)} checkpoints called {signature} where one is needed.",
            mend=f"Leave exactly one {signature}-xxxxxxxx.th in {folder}.",
        )
    named = NAME.fullmatch(paths[0].name)
    if named is None:
        raise ModelDigestError(
            f"The checkpoint {paths[0].name} does not carry its digest in its name.",
            mend="Rename it to SIG-xxxxxxxx.th with the first eight digits of the sha256 that its source states.",
        )
    digest = file_digest(paths[0])
    if not digest.startswith(named["digest"]):
        raise ModelDigestError(
            f"The checkpoint {paths[0].name} is not the one its name says.",
            mend="Fetch it again.",
            detail=f"{paths[0]}: sha256 {digest}",
        )
    return paths[0]


def _away(name: str, detail: str) -> DemucsError:
    return DemucsError(
        f"The model hub cannot be reached, so the weights of {name} are not here.",
        mend=f"Run `stemcord models fetch {name}` on a connected machine, or use `--preset pocket`.",
        detail=detail,
    )
