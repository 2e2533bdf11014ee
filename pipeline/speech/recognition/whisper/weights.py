"""Conversion of Whisper weights to PaddleSpeech's form; done once, and checked at each use.

`python -m pipeline.speech.recognition.whisper.weights HOME` converts ahead of time. The folder holds
`weights.npz` (numbers as they came, no pickle), PaddleSpeech's `assets` (vocabulary, merges,
mel filters) and a manifest with sizes, alignment heads and the sha256 of every file.
"""

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from pipeline.errors import AudioProcessingError, ModelError
from pipeline.graph.stage import ProgressCallback
from pipeline.models.loader import Models, model_digest
from pipeline.speech.recognition.whisper.ctranslate import Arrays, Dimensions, convert_variables, read_variables
from pipeline.speech.recognition.whisper.openai import read_heads, read_openai

DEFAULT_MODEL = "whisper-base"
FORMAT_VERSION = 1
"""Raised when the same weights would now be stored in another way."""
MANIFEST = "manifest.json"
WEIGHTS = "weights.npz"
LOCK_TIMEOUT_S = 300.0
"""For another process that converts the same weights."""

OnStep = Callable[[str], None]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a folder of converted weights holds."""

    format: int
    dimensions: Dimensions
    alignment_heads: tuple[tuple[int, int], ...]
    """(layer, head) pairs of the decoder whose cross-attention follows the sound."""
    files: dict[str, str]
    """Relative path to sha256."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertedWeights:
    """A verified folder of converted weights."""

    folder: Path
    manifest: Manifest

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Read all weights as float32, by PaddleSpeech's names."""
        return dict(self.each_weight())

    def each_weight(self) -> Generator[tuple[str, NDArray[np.float32]]]:
        """Read the weights one after the other, since the largest Whisper takes 6 GB."""
        with np.load(self.folder / WEIGHTS, allow_pickle=False) as archive:
            for name in archive.files:
                yield name, np.asarray(archive[name], np.float32)


def ensure_converted(
    home: Path, *, models: Models | None = None, name: str = DEFAULT_MODEL, on_step: OnStep | None = None
) -> Path:
    """Return the folder of converted weights under `home`, converting them on first use.

    Raises:
        ModelError: The weights cannot be had or written.
    """
    return load_converted(home, models=models, name=name, on_step=on_step).folder


def load_converted(
    home: Path,
    *,
    models: Models | None = None,
    name: str = DEFAULT_MODEL,
    on_step: OnStep | None = None,
    report: ProgressCallback | None = None,
) -> ConvertedWeights:
    """Return converted weights with their manifest, converting them on first use.

    Args:
        home: The folder in which models are kept.
        models: Where the source weights come from.
        name: The model in the catalogue.
        on_step: Called with what is being done.
        report: Called as source weights are downloaded.

    Raises:
        ModelError: The weights cannot be had or written.
    """
    on_step = on_step or _ignore_step
    folder = home / "models" / f"{name}-{model_digest(name)[:12]}"
    found = _verify(folder)
    if found:
        return found
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f"{folder.name}.lock"), timeout=LOCK_TIMEOUT_S):
            return _verify(folder) or _convert(folder, _read(models or Models(home), name, on_step, report), on_step)
    except Timeout as error:
        raise ModelError(
            "Another process has been converting the recogniser's weights for too long.",
            hint="End it and try again.",
            detail=error.lock_file,
        ) from error
    except OSError as error:
        raise ModelError(
            "The recogniser's weights could not be prepared.",
            hint=f"Check the free space and the rights of {folder.parent}.",
            detail=str(error),
        ) from error


def compute_mel_filters(bands: int = 80, *, rate: int = 16_000, size: int = 400) -> NDArray[np.float32]:
    """Compute triangular filters on Slaney's mel scale, each of unit area.

    Args:
        bands: Number of filters.
        rate: Sample rate in Hz.
        size: Length of the Fourier transform.

    Returns:
        Shape (bands, size / 2 + 1).
    """
    edges = _mel_to_hertz(np.linspace(0.0, _hertz_to_mel(rate / 2), bands + 2))
    bins = np.fft.rfftfreq(size, 1.0 / rate)
    ramps = edges[:, None] - bins[None, :]
    widths = np.diff(edges)[:, None]
    filters = np.maximum(0.0, np.minimum(-ramps[:-2] / widths[:-1], ramps[2:] / widths[1:]))
    return (filters * (2.0 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """The contents of a model's files."""

    weights: Arrays
    dimensions: Dimensions
    heads: tuple[tuple[int, int], ...]
    tokenizer: Path


def _read(models: Models, name: str, tell: OnStep, report: ProgressCallback | None) -> _Source:
    """Read the files of a model, from packages in CTranslate2's form or from a hub in OpenAI's."""
    if models.entry(name).hub:
        (path,) = models.fetched(name, report).values()
        tell("converting the weights")
        weights, dimensions = read_openai(path)
        heads = read_heads(str(models.entry(name).settings["heads"]), dimensions)
        return _Source(
            weights=weights, dimensions=dimensions, heads=heads, tokenizer=models.files(DEFAULT_MODEL)["tokenizer"]
        )
    tell("checking the packages that hold the weights")
    files = models.files(name)
    parts = [files[key] for key in sorted(files) if key.startswith("part")]
    tell("converting the weights")
    weights, dimensions = convert_variables(read_variables(b"".join(part.read_bytes() for part in parts)))
    config = json.loads(files["config"].read_text())
    heads = tuple((layer, head) for layer, head in config["alignment_heads"])
    return _Source(weights=weights, dimensions=dimensions, heads=heads, tokenizer=files["tokenizer"])


def _convert(folder: Path, source: _Source, tell: OnStep) -> ConvertedWeights:
    """Write a draft beside the folder, then rename it, so that the folder is never incomplete."""
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        np.savez(draft / WEIGHTS, **cast("dict[str, Any]", source.weights))
        _write_assets(draft / "assets", source.tokenizer)
        tell("writing the manifest")
        manifest = Manifest(
            format=FORMAT_VERSION,
            dimensions=source.dimensions,
            alignment_heads=source.heads,
            files={str(path.relative_to(draft)): _digest(path) for path in sorted(draft.rglob("*")) if path.is_file()},
        )
        (draft / MANIFEST).write_bytes(msgspec.json.encode(manifest))
        if folder.exists():
            shutil.rmtree(folder)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return ConvertedWeights(folder=folder, manifest=manifest)


def _write_assets(assets: Path, tokenizer: Path) -> None:
    """Write the vocabulary as PaddleSpeech's tokenizer reads it, and the mel filters."""
    source = json.loads(tokenizer.read_text(encoding="utf-8"))
    vocabulary = {**source["model"]["vocab"], **{t["content"]: t["id"] for t in source["added_tokens"][:1]}}
    merges = (pair if isinstance(pair, str) else " ".join(pair) for pair in source["model"]["merges"])
    folder = assets / "multilingual"
    folder.mkdir(parents=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    (folder / "merges.txt").write_text("\n".join(("#version: 0.2", *merges, "")), encoding="utf-8")
    np.savez(assets / "mel_filters.npz", mel_80=compute_mel_filters())


def _verify(folder: Path) -> ConvertedWeights | None:
    """Return the folder's weights if all its files are the ones that were written."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
        whole = manifest.format == FORMAT_VERSION and all(_digest(folder / f) == d for f, d in manifest.files.items())
    except (OSError, msgspec.DecodeError):
        return None
    return ConvertedWeights(folder=folder, manifest=manifest) if whole else None


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _hertz_to_mel(frequency: float) -> float:
    """Convert to Slaney's scale: linear to 1 kHz, then 27 steps to each factor of 6.4."""
    return frequency * 3 / 200 if frequency < 1000.0 else 15.0 + np.log(frequency / 1000.0) * 27 / np.log(6.4)


def _mel_to_hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mels < 15.0, mels * 200 / 3, 1000.0 * np.exp((mels - 15.0) * np.log(6.4) / 27))


def _ignore_step(_: str) -> None:
    """Ignore a step."""


def main(arguments: list[str]) -> int:
    """Convert into the home folder named on the command line; return the exit code 0, 1 or 2."""
    if len(arguments) != 1:
        sys.stderr.write("Usage: python -m pipeline.speech.recognition.whisper.weights HOME\n")
        return 2
    try:
        folder = ensure_converted(
            Path(arguments[0]),
            on_step=lambda step: print(f"{DEFAULT_MODEL}: {step}", flush=True),  # noqa: T201
        )
    except AudioProcessingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    print(f"{DEFAULT_MODEL}: ready in {folder}", flush=True)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
