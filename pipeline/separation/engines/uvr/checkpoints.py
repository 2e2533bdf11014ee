"""Loads UVR models from `<home>/checkpoints/uvr`: `NAME.ckpt` with `NAME.yaml`; digests are verified first."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import yaml

from pipeline.catalog import MODELS, HubFile
from pipeline.errors import UVRError
from pipeline.models.checkpoints import file_digest, read_digest_note, verify_checkpoint, wrong_checkpoint
from pipeline.separation.engines.uvr import library

MODEL_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
PUBLISHED_FILES: Final[Mapping[str, HubFile]] = MappingProxyType(
    {Path(file.name).name: file for model in MODELS.values() for file in model.hub if file.name.startswith("uvr/")}
)
"""The catalogue's files by their names."""
VOICE_SOURCES = ("vocals", "speech", "dialog", "dialogue", "voice")
"""Names that a network may have for the voices, in any case."""
MIN_OVERLAP_CHUNKS = 2
"""Chunks that cover each frame; with one, as in some settings, every seam is audible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UVRCheckpoint:
    """A network, its name for the voices, its chunk in frames, and the digest of its files."""

    network: library.UVRNetwork
    voice: str
    chunk_frames: int
    digest: str


def load_checkpoint(folder: Path, name: str, device: str) -> UVRCheckpoint:
    """Load a model from a folder, where `Models.fetched` puts the catalogue's; no file can run code.

    Raises:
        UVRError: There is no such model, or it cannot be loaded.
        ModelDigestError: A file is not the known one.
    """
    if not MODEL_NAME.fullmatch(name):
        raise UVRError(f"There is no UVR model called {name!r}.", hint="Run `stemcord models list` to see the names.")
    checkpoint, described = folder / f"{name}.ckpt", folder / f"{name}.yaml"
    if not (checkpoint.is_file() and described.is_file()):
        raise UVRError(
            f"The UVR model {name} is not here.",
            hint=f"Put {name}.ckpt and {name}.yaml into {folder}, or use `--preset pocket`.",
        )
    both = f"{verify_model_file(checkpoint)} {verify_model_file(described)}"
    try:
        settings = library.read_settings(described)
        voice, chunk = _complete_settings(settings)
    except (KeyError, TypeError, ValueError, AttributeError, yaml.YAMLError) as error:
        raise UVRError(
            f"The settings {described.name} do not describe a RoFormer or MDX23C network with stereo vocals.",
            hint="Fetch the model's yaml file again, or choose another model.",
            detail=repr(error),
        ) from error
    network = _load_network(checkpoint, settings, device)
    return UVRCheckpoint(
        network=network, voice=voice, chunk_frames=chunk, digest=hashlib.sha256(both.encode()).hexdigest()
    )


def verify_model_file(path: Path) -> str:
    """Return the digest of a file, which must be the catalogue's or that of the note next to it.

    A file that neither knows is accepted: it can hold nothing but numbers, and its digest goes into the report.

    Raises:
        ModelDigestError: The digest is another.
    """
    if path.name in PUBLISHED_FILES:
        return verify_checkpoint(path, PUBLISHED_FILES[path.name])
    digest, noted = file_digest(path), read_digest_note(path)
    if noted and digest != noted:
        raise wrong_checkpoint(path, f"sha256 {digest}, expected {noted}")
    return digest


def _load_network(checkpoint: Path, settings: Mapping[str, Any], device: str) -> library.UVRNetwork:
    overlap = max(MIN_OVERLAP_CHUNKS, int(settings["inference"].get("num_overlap") or MIN_OVERLAP_CHUNKS))
    try:
        library.check_weights(checkpoint)
        return library.load_network(checkpoint, settings, overlap=overlap, device=device)
    except library.UnsafeCheckpointError as error:
        raise UVRError(
            f"The checkpoint {checkpoint.name} is not one that can be loaded safely.",
            hint="Fetch it again from its source.",
            detail=str(error),
        ) from error
    # The library exits the process (SystemExit) when weights do not fit.
    except (Exception, SystemExit) as error:
        raise UVRError(
            f"The checkpoint {checkpoint.name} does not fit its settings.",
            hint=f"Fetch {checkpoint.name} and {checkpoint.stem}.yaml again from one source.",
            detail=repr(error.__context__ or error),
        ) from error


def _complete_settings(settings: dict[str, Any]) -> tuple[str, int]:
    """Fill in what published settings leave out; return the name of the voices and the frames of a chunk.

    Raises:
        ValueError: The settings cannot be used. `KeyError`, `TypeError` and `AttributeError` mean the same.
    """
    model, training = settings["model"], settings["training"]
    if not model.get("stereo", True):
        raise ValueError("a mono network")
    names, target = [str(name) for name in training["instruments"]], training.get("target_instrument")
    voice = next((name for name in [str(target), *names] if name.lower() in VOICE_SOURCES), None)
    if voice is None or (target and target != voice and len(names) != 2):
        raise ValueError(f"no vocals among {', '.join(names)}")
    if target == voice:
        # The library gives the first two names of the list to the target and to what is left.
        training["instruments"] = [voice, next((name for name in names if name != voice), "other")]
    inference = settings.setdefault("inference", {})
    hop = int(model.get("stft_hop_length") or settings["audio"]["hop_length"])
    if not inference.get("dim_t"):
        length = inference.get("chunk_size") or settings["audio"]["chunk_size"]
        inference["dim_t"] = int(length) // hop + 1
    chunk = hop * (int(inference["dim_t"]) - 1)
    if chunk < MIN_OVERLAP_CHUNKS:
        raise ValueError(f"a chunk of {chunk} frames")
    return voice, chunk
