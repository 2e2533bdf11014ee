"""Checkpoint files in `<home>/checkpoints`: their paths, their verification, and files that replace the catalogue's.

Nothing heavy is imported, so that a worker can ask without loading an engine.
"""

import hashlib
import re
import time
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, cast

from pipeline.errors import ModelDigestError, ModelMissingError
from pipeline.models.entries import HubFile, Model

DIGEST_SUFFIX: Final = ".sha256"
"""Ending of the note that keeps the digest of a file whose hub publishes no whole one."""
PARTIAL_SUFFIX: Final = ".part"
"""Ending of a file that is not whole yet."""
SETTLE_TIME_NS: Final = 1_000_000_000
"""Nanoseconds after which a change of a file shows in its times."""
SIGNATURE_PATTERN: Final = re.compile(r"[A-Za-z0-9_]+")
"""What Demucs calls a network."""


def checkpoints_folder(home: Path) -> Path:
    """Return the folder of all downloaded and user-provided checkpoints."""
    return home / "checkpoints"


def checkpoint_path(file: HubFile, home: Path) -> Path:
    """Return the path of a hub's file once it is downloaded."""
    return checkpoints_folder(home).joinpath(*file.name.split("/"))


def bytes_present(file: HubFile, home: Path) -> int:
    """Return how many bytes of a file are downloaded, complete or not."""
    return bytes_at(checkpoint_path(file, home))


def bytes_at(place: Path) -> int:
    """Return how many bytes there are of the file with this path, complete or not."""
    for path in (place, place.with_name(place.name + PARTIAL_SUFFIX)):
        if path.is_file():
            return path.stat().st_size
    return 0


def file_digest(path: Path) -> str:
    """Return the sha256 of a file, which is read again only when the file has changed."""
    state = path.stat()
    if time.time_ns() - state.st_ctime_ns < SETTLE_TIME_NS:
        # The clock of the file system may be too coarse to tell two changes apart.
        return _read_digest(path)
    return _cached_digest(path, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


def verify_checkpoint(path: Path, file: HubFile) -> str:
    """Verify a file against the catalogue and its digest note, and return its sha256.

    Raises:
        ModelDigestError: The file is another one.
    """
    size = path.stat().st_size
    if file.size and size != file.size:
        raise wrong_checkpoint(path, f"{size} bytes, expected {file.size}")
    digest = file_digest(path)
    if not digest_matches(digest, path, file):
        raise wrong_checkpoint(path, f"sha256 {digest}, expected {read_digest_note(path) or file.sha256}")
    if file.md5 and not read_digest_note(path) and file_md5(path) != file.md5:
        raise wrong_checkpoint(path, f"md5 {file_md5(path)}, expected {file.md5}")
    return digest


def present_files(model: Model, home: Path) -> dict[str, Path] | None:
    """Return the verified files of a model by their names, or None unless all of them are present.

    Raises:
        ModelDigestError: A file is another one.
    """
    places = {file.name: checkpoint_path(file, home) for file in model.hub}
    if not all(place.is_file() for place in places.values()):
        return None
    for file in model.hub:
        verify_checkpoint(places[file.name], file)
    return places


def file_md5(path: Path) -> str:
    """Return the md5 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def digest_matches(digest: str, path: Path, file: HubFile) -> bool:
    """Return whether a sha256 is the file's.

    Where only its first digits are published, it must also be that of the digest note, if there is one.
    """
    return digest.startswith(file.sha256) and (file.pinned or digest == (read_digest_note(path) or digest))


def read_digest_note(path: Path) -> str:
    """Return the digest noted next to a file; empty without a note, `nothing` for a note without a digest."""
    note = path.with_name(path.name + DIGEST_SUFFIX)
    if not note.is_file():
        return ""
    return (note.read_text(encoding="utf-8", errors="replace").split() or ["nothing"])[0].lower()


def write_digest_note(path: Path, digest: str) -> None:
    """Write a digest next to its file, in the format of `sha256sum`."""
    path.with_name(path.name + DIGEST_SUFFIX).write_text(f"{digest}  {path.name}\n", encoding="utf-8")


def wrong_checkpoint(path: Path, detail: str) -> ModelDigestError:
    """Make the error for a file that is not the one of its name."""
    return ModelDigestError(
        f"The checkpoint {path.name} is not the one that is known by that name.",
        hint="Delete it and fetch it again with `stemcord models fetch`.",
        detail=f"{path}: {detail}",
    )


def own_checkpoints(home: Path, model: Model) -> list[Path]:
    """Return the files with which a user replaced the catalogue's; they are used unverified.

    For Demucs these are a bag `NAME.yaml` with its networks, or a network `NAME-<digits>.th`; for a UVR model whose
    files the catalogue does not list, `uvr/NAME.*`.
    """
    folder = checkpoints_folder(home)
    if model.engine == "demucs":
        return own_demucs(folder, model.name)
    if model.files or model.hub:
        return []
    found = (folder / model.engine).glob(f"{model.name}.*")
    return sorted(path for path in found if path.is_file() and path.suffix not in (PARTIAL_SUFFIX, DIGEST_SUFFIX))


def own_demucs(folder: Path, name: str) -> list[Path]:
    """Return a bag's description with its networks, or the network with that signature; else nothing."""
    if not SIGNATURE_PATTERN.fullmatch(name):
        return []
    networks = find_networks(folder, name)
    bag = folder / f"{name}.yaml"
    if networks or not bag.is_file():
        return networks
    return [bag, *(path for signature in read_signatures(bag) for path in find_networks(folder, signature))]


def find_networks(folder: Path, signature: str) -> list[Path]:
    """Return the files of a Demucs network; normally exactly one."""
    return sorted({*folder.glob(f"{signature}-*.th"), *folder.glob(f"{signature}.th")})


def read_signatures(bag: Path) -> list[str]:
    """Return the signatures of the networks in a bag's description; empty for one that cannot be used."""
    import yaml

    try:
        return signatures_of(yaml.safe_load(bag.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError):
        return []


def signatures_of(description: Any) -> list[str]:  # noqa: ANN401 - as it was read
    """Return the `models` of a bag's description; empty unless they are signatures and not paths."""
    listed: Any = cast("dict[str, Any]", description).get("models") if isinstance(description, dict) else None
    names = [str(name) for name in cast("list[Any]", listed)] if isinstance(listed, list) else []
    return names if all(SIGNATURE_PATTERN.fullmatch(name) for name in names) else []


def own_digest(home: Path, model: Model) -> str:
    """Return one digest of the files with which a user replaced the catalogue's; empty when there are none.

    Raises:
        ModelMissingError: They cannot be read.
    """
    try:
        lines = [f"{path.name} {file_digest(path)}\n" for path in own_checkpoints(home, model)]
    except OSError as error:
        raise ModelMissingError(
            f"The checkpoints of {model.name} in {checkpoints_folder(home)} cannot be read.",
            hint="Look at the rights of that folder.",
            detail=repr(error),
        ) from error
    return hashlib.sha256("".join(lines).encode()).hexdigest() if lines else ""


@lru_cache(maxsize=256)
def _cached_digest(path: Path, _inode: int, _size: int, _written: int, _changed: int) -> str:
    return _read_digest(path)


def _read_digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
