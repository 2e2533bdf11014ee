"""Write the lock files from the extras of pyproject.toml."""

import re
from pathlib import Path

from deploy.setup.environments import PYTHON_VERSION, Environment, ImageLock
from deploy.setup.uv import Uv

HEADER = "# Exact versions of {folder}, made by `make lock` from the extras of pyproject.toml: {extras}.\n"
_WITHOUT_HASHES = frozenset({"torch", "torchaudio"})
"""Packages whose bytes depend on the build for the machine, which is chosen when they are installed."""
_ACCELERATOR = re.compile(r"(nvidia-|cuda-|triton==|triton-)")
"""Libraries that some builds of torch bring and pin themselves."""
_PIN = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+(\[[a-z0-9,._-]+\])?)==(?P<version>[^\s+;]+)(\+[^\s;]+)?(?P<marker>\s*;.*)?"
)


def lock_image(image: ImageLock, uv: Uv) -> None:
    """Write the lock file of an image: the versions of its environment's lock, without what only tests need.

    Args:
        image: The image.
        uv: Resolves the versions.

    Raises:
        SetupError: No versions fit together.
    """
    part = uv.root / ".cache" / image.lock.name
    part.parent.mkdir(exist_ok=True)
    part.unlink(missing_ok=True)
    _compile(image.environment, uv, image.extras, part, "--constraints", image.environment.lock)
    write_lock(image.lock, part.read_text(), folder=f"the image {image.name}", extras=image.extras)
    _take_hashes(image.lock, image.environment.lock)


def _take_hashes(path: Path, other: Path) -> None:
    """Give each pin the hashes that it has in another lock, which was made where all files of a version were seen."""
    known = {pin.split(" ", 1)[0]: pin for pin in _pins(other.read_text())}
    header, *pins = _pins(path.read_text())
    path.write_text("\n".join([header, *(known.get(pin.split(" ", 1)[0], pin) for pin in pins)]) + "\n")


def _pins(lock: str) -> list[str]:
    """Split a lock file into its header and its pins, each with its hashes."""
    return lock.rstrip("\n").replace(" \\\n    ", "\0").replace("\n", "\1").replace("\0", " \\\n    ").split("\1")


def lock(environment: Environment, uv: Uv, *, upgrade: bool) -> None:
    """Write the lock file of an environment.

    Args:
        environment: The environment.
        uv: Resolves the versions.
        upgrade: Take the newest versions; otherwise locked versions stay where they fit.

    Raises:
        SetupError: No versions fit together.
    """
    part = uv.root / ".cache" / environment.lock.name
    part.parent.mkdir(exist_ok=True)
    if environment.lock.exists():
        part.write_text(environment.lock.read_text())
    _compile(environment, uv, environment.extras, part, *(["--upgrade"] if upgrade else []))
    write_lock(environment.lock, part.read_text(), folder=environment.folder, extras=environment.extras)


def _compile(environment: Environment, uv: Uv, extras: tuple[str, ...], part: Path, *arguments: str | Path) -> None:
    uv.run(
        "pip",
        "compile",
        uv.root / "pyproject.toml",
        *(argument for extra in extras for argument in ("--extra", extra)),
        "--overrides",
        environment.overrides,
        "--python-version",
        ".".join(str(part) for part in PYTHON_VERSION),
        "--no-header",
        "--no-annotate",
        "--generate-hashes",
        *uv.sources.arguments,
        *arguments,
        "--output-file",
        part,
        "--quiet",
        doing=f"Finding versions for {', '.join(extras)}",
    )


def write_lock(path: Path, compiled: str, *, folder: str, extras: tuple[str, ...]) -> None:
    """Write only the pins and their sha256: no particular build of torch, nothing of the machine that resolved them."""
    pins: list[list[str]] = []
    keeps = hashed = False
    for line in compiled.splitlines():
        text = line.strip().removesuffix("\\").rstrip()
        if text.startswith("--hash=sha256:"):
            if keeps and hashed:
                pins[-1].append(text)
            continue
        match = _PIN.fullmatch(text)
        keeps = match is not None and not _ACCELERATOR.match(match["name"] + "==")
        if match is not None and keeps:
            hashed = match["name"] not in _WITHOUT_HASHES
            pins.append([f"{match['name']}=={match['version']}{match['marker'] or ''}"])
    lines = (" \\\n    ".join(pin) for pin in pins)
    path.write_text(HEADER.format(folder=folder, extras=", ".join(extras)) + "\n".join(lines) + "\n")
