"""Find or fetch uv and run it with pip's settings."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from deploy.setup.errors import SetupError
from deploy.setup.interpreters import PROBE_TIMEOUT_S, base_executable
from deploy.setup.pip_config import PackageSources
from deploy.setup.uv_wheel import fetch_wheel

UV_VERSION = "0.13.9"
"""Fetched when there is none."""
MIN_UV_VERSION = (0, 9, 0)
"""The oldest that is taken from PATH."""
_EXTRA_INDEX_VARIABLES = frozenset({"UV_INDEX", "UV_INDEX_STRATEGY"})
_REMOVED_VARIABLES = ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "CONDA_PREFIX", "UV_PYTHON", "UV_PROJECT_ENVIRONMENT")
"""Variables that would turn uv or pip to another environment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uv:
    """An executable uv with its settings, and the lock descriptor that its processes inherit."""

    path: str
    sources: PackageSources
    root: Path
    lock: int
    quiet: bool

    def run(self, *arguments: str | Path, doing: str, leave_out: Collection[str] = ()) -> None:
        """Run uv with its output on this terminal.

        There is no time limit, as a slow connection may need hours.

        Raises:
            SetupError: uv failed.
        """
        command = [self.path, *map(str, arguments), *(["--quiet"] if self.quiet else [])]
        done = subprocess.run(
            command,
            cwd=self.root,
            env=clean_environment()
            | {name: value for name, value in self.sources.environment.items() if name not in leave_out},
            stdin=subprocess.DEVNULL,
            pass_fds=(self.lock,),
            check=False,
        )
        if done.returncode:
            raise SetupError(
                f"{doing} failed.",
                hint="See uv's message above, then run `make env` again; what was downloaded is kept.",
            )

    def install(self, python: Path, *arguments: str | Path, doing: str) -> None:
        """Run `uv pip install` for the environment of an interpreter.

        Raises:
            SetupError: uv failed.
        """
        command = ("pip", "install", "--python", python, *self.sources.arguments, *arguments)
        if "UV_INDEX" in self.sources.environment:
            # pip takes the best file of all indexes; uv takes what the first one with that version has, which may
            # be a wheel without its libraries. So the main index is asked alone before the extra ones are.
            try:
                self.run(*command, doing=doing, leave_out=_EXTRA_INDEX_VARIABLES)
            except SetupError:
                sys.stderr.write("      once more, with the extra indexes of pip's configuration\n")
            else:
                return
        self.run(*command, doing=doing)


def clean_environment() -> dict[str, str]:
    """Return this process's environment without variables that select another Python."""
    return {name: value for name, value in os.environ.items() if name not in _REMOVED_VARIABLES}


def find_uv(cache: Path) -> str | None:
    """Return a recent uv from PATH or from the cache; None when there is none."""
    candidates = (shutil.which("uv"), str(_fetched(cache)))
    return next((path for path in candidates if path and _is_recent(path)), None)


def fetch_uv(cache: Path) -> str:
    """Put uv into the cache, with pip where this Python has it, and return its path.

    Raises:
        SetupError: It cannot be had, or it does not run.
    """
    target = _fetched(cache).parents[1]
    part = target.with_name(f"{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    if has_pip(base_executable()):
        _install_with_pip(part)
    else:
        fetch_wheel(part / "bin" / "uv")
    # Renamed whole, so that a download that was stopped is never taken for a uv.
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)
    path = _fetched(cache)
    if not _is_recent(str(path)):
        raise SetupError("The uv that was fetched does not run.", hint="Install uv yourself and run `make env` again.")
    return str(path)


def has_pip(python: str) -> bool:
    """Tell whether an interpreter has pip."""
    try:
        asked = subprocess.run(
            [python, "-m", "pip", "--version"], capture_output=True, timeout=PROBE_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def _install_with_pip(target: Path) -> None:
    settings = {
        "PIP_USER": "0",
        "PIP_REQUIRE_VIRTUALENV": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
    }
    done = subprocess.run(
        [
            base_executable(),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--target",
            str(target),
            f"uv=={UV_VERSION}",
        ],
        env=clean_environment() | settings,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise SetupError(
            f"pip could not install uv {UV_VERSION}.",
            hint="Check pip's settings and the network, or install uv yourself, then run `make env` again.",
        )


def parse_version(text: str) -> tuple[int, ...]:
    """Parse the version in `uv 0.13.9 (…)`; empty when there is none."""
    match = re.match(r"uv (\d+)\.(\d+)\.(\d+)", text)
    return tuple(int(part) for part in match.groups()) if match else ()


def _fetched(cache: Path) -> Path:
    return cache / f"uv-{UV_VERSION}" / "bin" / "uv"


def _is_recent(path: str) -> bool:
    try:
        answer = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=PROBE_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and parse_version(answer.stdout) >= MIN_UV_VERSION
