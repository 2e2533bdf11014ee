"""The two environments of a checkout, and whether each is whole.

An environment carries a mark of its own state. `building` is written before the first
change and `whole` after the last, so that one whose set-up was stopped at any point never
looks whole: it is thrown away and built again (downloads are kept in uv's cache).
"""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

FORMAT_VERSION = "1"
"""Raised when the same requirement files would now be installed in another way."""
PYTHON_VERSION = (3, 11)
STATE_FILE = "stemcord-environment.json"
ROOT = Path(__file__).resolve().parents[2]


class State(Enum):
    """The condition of an environment."""

    WHOLE = "whole"
    ABSENT = "absent"
    STALE = "stale"
    """Whole, but for other requirement files: it is brought up to date in place."""
    FOREIGN = "foreign"
    """Not made by this set-up: what is missing is added, nothing is removed."""
    BROKEN = "broken"
    """Half-made, moved or without an interpreter: it is thrown away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An environment: its folder and its requirement files."""

    name: str
    root: Path
    folder: str
    extras: tuple[str, ...]
    """Extras of pyproject.toml that its lock file is made from."""
    torch: bool
    disk_bytes: int
    """Bytes of free disk that building it takes, with uv's cache; measured, with some room."""

    @property
    def path(self) -> Path:
        """The environment's folder."""
        return self.root / self.folder

    @property
    def python(self) -> Path:
        """The interpreter."""
        return self.path / "bin" / "python"

    @property
    def command(self) -> Path:
        """The `stemcord` script, which is installed last."""
        return self.path / "bin" / "stemcord"

    @property
    def lock(self) -> Path:
        """The lock file with the exact versions of all packages."""
        return self._requirements / f"{self.name}.txt"

    @property
    def overrides(self) -> Path:
        """The list of packages to leave out although others require them."""
        return self._requirements / f"overrides-{self.name}.txt"

    @property
    def weights(self) -> Path:
        """The list of packages with model weights and their sha256."""
        return self._requirements / f"weights-{self.name}.txt"

    @property
    def _requirements(self) -> Path:
        return self.root / "deploy" / "requirements"


def all_environments(root: Path = ROOT) -> tuple[Environment, Environment]:
    """Return the environments of a checkout: media, then asr."""
    gigabyte = 10**9
    return (
        Environment(
            name="media",
            root=root,
            folder=".venv",
            extras=("bot", "worker", "telemetry", "dev"),
            torch=True,
            disk_bytes=6 * gigabyte,
        ),
        Environment(
            name="asr",
            root=root,
            folder=".venv-asr",
            extras=("asr", "telemetry", "test"),
            torch=False,
            disk_bytes=4 * gigabyte,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLock:
    """A container image and the packages in it: a part of an environment."""

    name: str
    extras: tuple[str, ...]
    environment: Environment

    @property
    def lock(self) -> Path:
        """The lock file with the exact versions of all packages."""
        return self.environment.lock.with_name(f"image-{self.name}.txt")


def all_image_locks(root: Path = ROOT) -> tuple[ImageLock, ...]:
    """Return the images that have a lock file."""
    media, asr = all_environments(root)
    return (
        ImageLock(name="bot", extras=("bot", "telemetry"), environment=media),
        ImageLock(name="media", extras=("worker", "telemetry"), environment=media),
        ImageLock(name="asr", extras=("asr", "telemetry"), environment=asr),
    )


def compute_digest(environment: Environment) -> str:
    """Return one digest of everything that decides what is installed."""
    digest = hashlib.sha256(FORMAT_VERSION.encode())
    for path in (environment.lock, environment.overrides, environment.weights):
        digest.update(path.read_bytes())
    # The tools' sections of pyproject.toml change nothing that is installed.
    project = (environment.root / "pyproject.toml").read_text().partition("\n[tool.")[0]
    digest.update(project.encode())
    return digest.hexdigest()


def find_state(environment: Environment) -> State:
    """Return the condition of an environment; takes a few milliseconds."""
    path = environment.path
    if not path.is_dir() or not any(path.iterdir()):
        return State.BROKEN if path.is_file() or path.is_symlink() else State.ABSENT
    if not _has_interpreter(environment):
        return State.BROKEN
    if not (path / STATE_FILE).exists():
        return State.FOREIGN
    mark = _read_mark(environment)
    if mark.get("state") != "whole" or mark.get("place") != _place(environment) or not environment.command.exists():
        return State.BROKEN
    return State.WHOLE if mark.get("digest") == compute_digest(environment) else State.STALE


def mark_building(environment: Environment) -> None:
    """Record, before the first change, that the environment is not complete."""
    environment.path.mkdir(exist_ok=True)
    _write_mark(environment, {"state": "building"})


def mark_whole(environment: Environment, digest: str) -> None:
    """Record, after the last change, that the environment matches the requirement files with this digest."""
    _write_mark(environment, {"state": "whole", "digest": digest, "place": _place(environment)})


def discard(environment: Environment) -> None:
    """Delete an environment, its state file last, so that an interrupted deletion is recognised.

    A link to another checkout's environment is deleted, and not what it leads to; one to an empty place on
    another disk, where this environment was built, is kept.
    """
    path = environment.path
    if not path.is_dir() or _belongs_elsewhere(environment):
        path.unlink(missing_ok=True)
        return
    mark_building(environment)
    for child in path.iterdir():
        if child.name == STATE_FILE:
            continue
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child)
        else:
            child.unlink()
    (path / STATE_FILE).unlink()
    if not path.is_symlink():
        path.rmdir()


def _belongs_elsewhere(environment: Environment) -> bool:
    """Tell whether an environment is a link to one that was built where the link leads."""
    path = environment.path
    return path.is_symlink() and _read_mark(environment).get("place", "").startswith(f"{path.resolve()} ")


def _has_interpreter(environment: Environment) -> bool:
    version = _read_configuration(environment).get("version_info") or _read_configuration(environment).get("version")
    return environment.python.exists() and (version or "").split(".")[:2] == [str(part) for part in PYTHON_VERSION]


def _place(environment: Environment) -> str:
    """Return the environment's path and its base interpreter; installed scripts hold both as full paths."""
    configuration = _read_configuration(environment)
    return f"{environment.path} {configuration.get('home', '')} {configuration.get('version_info', '')}"


def _read_configuration(environment: Environment) -> dict[str, str]:
    try:
        lines = (environment.path / "pyvenv.cfg").read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _read_mark(environment: Environment) -> dict[str, str]:
    try:
        mark = json.loads((environment.path / STATE_FILE).read_text())
    except (OSError, ValueError):
        return {}
    return mark if isinstance(mark, dict) else {}


def _write_mark(environment: Environment, mark: dict[str, str]) -> None:
    path = environment.path / STATE_FILE
    part = path.with_suffix(".part")
    with part.open("w") as stream:
        json.dump(mark, stream)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)
