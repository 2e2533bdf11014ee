"""What the material consists of: a row for each recording, and where it lies in the cache."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.training.material.kinds import Kind, Split

PACKAGE_FIELDS = ("package", "version", "licence", "split")
RECORDING_FIELDS = ("path", "sha256", "start", "frames", "kind", "loudness_lufs", "offset")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A recording of the material."""

    package: str
    version: str
    licence: str
    path: str
    """Inside the package."""
    sha256: str
    """Of the file as the package has it."""
    start: int
    """First frame inside the file at the rate of the arrays."""
    kind: Kind
    split: Split
    loudness_lufs: float
    offset: int
    """First frame inside the array of its package and kind."""
    frames: int

    @property
    def array(self) -> str:
        """Name of the array that holds its samples."""
        return f"{self.package}.{self.kind}.npy"


def write(sources: Iterable[Source], path: Path) -> None:
    """Write a manifest: packages with their recordings, one of these a line."""
    packages: dict[str, dict[str, Any]] = {}
    for source in sources:
        row = asdict(source)
        head = {name: row.pop(name) for name in PACKAGE_FIELDS}
        package = packages.setdefault(source.package, {**head, "recordings": []})
        package["recordings"].append([row[name] for name in RECORDING_FIELDS])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[" + ",\n".join(map(_package_text, packages.values())) + "]\n")


def read(path: Path) -> list[Source]:
    """Read a manifest."""
    return [
        _source({**package, **dict(zip(RECORDING_FIELDS, recording, strict=True))})
        for package in json.loads(path.read_text())
        for recording in package["recordings"]
    ]


def digest(sources: Sequence[Source]) -> str:
    """SHA-256 of the digests, places and kinds of recordings, whatever their order."""
    lines = sorted(f"{source.sha256} {source.start} {source.frames} {source.kind}\n" for source in sources)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def describe(sources: Sequence[Source], sample_rate: int) -> str:
    """A Markdown table: for each package its split, version, licence, and minutes of each kind."""
    rows = ["| package | version | split | licence | " + " | ".join(Kind) + " |", "|---" * (4 + len(Kind)) + "|"]
    for name in dict.fromkeys(source.package for source in sources):
        held = [source for source in sources if source.package == name]
        minutes = [sum(s.frames for s in held if s.kind is kind) / sample_rate / 60 for kind in Kind]
        cells = (name, held[0].version, held[0].split, held[0].licence, *(f"{m:.1f}" if m else "" for m in minutes))
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _package_text(package: dict[str, Any]) -> str:
    head = json.dumps({name: package[name] for name in PACKAGE_FIELDS})[1:-1]
    lines = ",\n".join(json.dumps(recording) for recording in package["recordings"])
    return f'{{{head}, "recordings": [\n{lines}]}}'


def _source(row: dict[str, Any]) -> Source:
    row = {**row, "kind": Kind(row["kind"]), "split": Split(row["split"])}
    return Source(**{name: row[name] for name in (*PACKAGE_FIELDS, *RECORDING_FIELDS)})
