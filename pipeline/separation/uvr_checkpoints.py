"""Finds UVR models: `NAME.ckpt` with `NAME.yaml` in a folder of one's own, or on the hub."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from pipeline.catalog import MODELS
from pipeline.errors import ModelDigestError, UVRError
from pipeline.hub import answers
from pipeline.models import file_digest
from pipeline.separation import uvr_library as library

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
VOICES = ("vocals", "speech", "dialog", "dialogue", "voice")
"""What a network may call its voices, in any case of letters."""
OVERLAP = 2
"""Chunks over each point of time, at least: with one, as some settings ask for, every seam is heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A network, what it calls the voices, its chunk in frames, and the digest of its files."""

    network: library.Network
    voice: str
    chunk: int
    digest: str


def load(folder: Path, name: str, device: str) -> Loaded:
    """A model from the folder, where it is put first when only the hub has it.

    Digests are checked before the files are used, and no file can run code. Raises `UVRError` or `ModelDigestError`.
    """
    digest = ensure(folder, name)
    checkpoint, described = folder / f"{name}.ckpt", folder / f"{name}.yaml"
    try:
        settings = library.read_settings(described)
        voice, chunk = _completed(settings)
    except (KeyError, TypeError, ValueError, AttributeError, yaml.YAMLError) as error:
        raise UVRError(
            f"The settings {described.name} do not describe a RoFormer or MDX23C network with stereo vocals.",
            mend="Fetch the model's yaml file again, or choose another model.",
            detail=repr(error),
        ) from error
    network = _open(checkpoint, settings, device)
    both = f"{digest} {file_digest(described)}"
    return Loaded(network=network, voice=voice, chunk=chunk, digest=hashlib.sha256(both.encode()).hexdigest())


def ensure(folder: Path, name: str) -> str:
    """See to it that the folder has the model; the digest of its checkpoint. Raises as `load` does."""
    if not NAME.fullmatch(name):
        raise UVRError(f"There is no UVR model called {name!r}.", mend="Run `stemcord models list` to see the names.")
    if not ((folder / f"{name}.ckpt").is_file() and (folder / f"{name}.yaml").is_file()):
        fetch(name, folder)
    return _verified(folder / f"{name}.ckpt", name)


def fetch(name: str, folder: Path) -> None:
    """Bring a published model into the folder whole, or not at all; raises `UVRError` or `ModelDigestError`."""
    unreached = [address for address in library.HUBS if not answers(address)]
    if unreached:
        raise _away(name, folder, f"no answer from {' and '.join(unreached)}")
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".unfinished-") as place:
        try:
            checkpoint, described = library.fetch(name, Path(place))
        except (Exception, SystemExit) as error:
            raise _away(name, folder, repr(error)) from error
        digest = _verified(checkpoint, name)
        described.replace(folder / f"{name}.yaml")
        (folder / f"{name}.ckpt.sha256").write_text(f"{digest}  {name}.ckpt\n")
        checkpoint.replace(folder / f"{name}.ckpt")


def _open(checkpoint: Path, settings: Mapping[str, Any], device: str) -> library.Network:
    overlap = max(OVERLAP, int(settings["inference"].get("num_overlap") or OVERLAP))
    try:
        library.check_weights(checkpoint)
        return library.load_network(checkpoint, settings, overlap=overlap, device=device)
    except library.UnsafeCheckpointError as error:
        raise UVRError(
            f"The checkpoint {checkpoint.name} is not one that can be loaded safely.",
            mend="Fetch it again from its source.",
            detail=str(error),
        ) from error
    # The library ends the process (SystemExit) over weights that do not fit.
    except (Exception, SystemExit) as error:
        raise UVRError(
            f"The checkpoint {checkpoint.name} does not fit its settings.",
            mend=f"Fetch {checkpoint.name} and {checkpoint.stem}.yaml again from one source.",
            detail=repr(error.__context__ or error),
        ) from error


def _completed(settings: dict[str, Any]) -> tuple[str, int]:
    """Voices' name and chunk length, what published settings leave out being filled in.

    Raises `KeyError`, `TypeError`, `AttributeError` or `ValueError` for settings that cannot be used.
    """
    model, training = settings["model"], settings["training"]
    if not model.get("stereo", True):
        raise ValueError("a mono network")
    names, target = [str(name) for name in training["instruments"]], training.get("target_instrument")
    voice = next((name for name in [str(target), *names] if name.lower() in VOICES), None)
    if voice is None or (target and target != voice and len(names) != 2):
        raise ValueError(f"no vocals among {', '.join(names)}")
    if target == voice:
        # The library would give the first names of the list to the target and to what is left.
        training["instruments"] = [voice, next((name for name in names if name != voice), "other")]
    inference = settings.setdefault("inference", {})
    hop = int(model.get("stft_hop_length") or settings["audio"]["hop_length"])
    if not inference.get("dim_t"):
        length = inference.get("chunk_size") or settings["audio"]["chunk_size"]
        inference["dim_t"] = int(length) // hop + 1
    chunk = hop * (int(inference["dim_t"]) - 1)
    if chunk < OVERLAP:
        raise ValueError(f"a chunk of {chunk} frames")
    return voice, chunk


def _verified(checkpoint: Path, name: str) -> str:
    """The digest of a checkpoint; raises `ModelDigestError` unless it is the catalogue's, or that of its own note.

    A file that neither knows is let in: it can hold nothing but numbers, and its digest goes into the report.
    """
    digest = file_digest(checkpoint)
    entry, note = MODELS.get(name), checkpoint.with_name(f"{checkpoint.name}.sha256")
    known = entry.sha256 if entry else ""
    if not known and note.is_file():
        known = (note.read_text(encoding="utf-8", errors="replace").split() or ["nothing"])[0].lower()
    if known and digest != known:
        raise ModelDigestError(
            f"The checkpoint {checkpoint.name} is not the one that is known by that name.",
            mend="Delete it and fetch it again.",
            detail=f"{checkpoint}: sha256 {digest}, expected {known}",
        )
    return digest


def _away(name: str, folder: Path, detail: str) -> UVRError:
    return UVRError(
        f"The UVR model {name} is not here and could not be fetched.",
        mend=f"Put {name}.ckpt and {name}.yaml into {folder}, or use `--preset pocket`.",
        detail=detail,
    )
