"""Find the Python interpreter that creates the environments."""

import shutil
import subprocess
import sys
from dataclasses import dataclass

from deploy.setup.environments import PYTHON_VERSION

PROBE_TIMEOUT_S = 20.0
"""Seconds for an interpreter to say what it is."""
_PROBE = "import sys; print(sys.implementation.name, *sys.version_info[:2], getattr(sys, '_base_executable', ''))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """The value for `uv venv --python`."""

    request: str
    """A path, or a version that uv finds or brings."""
    found: bool


def find_interpreter(commands: tuple[str, ...] = ("python3.11", "python3", "python")) -> Interpreter:
    """Return a CPython 3.11 of this machine, or a version for uv to fetch."""
    wanted = ("cpython", *(str(part) for part in PYTHON_VERSION))
    for command in (base_executable(), *(path for name in commands if (path := shutil.which(name)))):
        name, major, minor, base = _probe(command)
        if (name, major, minor) == wanted:
            return Interpreter(request=base or command, found=True)
    return Interpreter(request=".".join(wanted[1:]), found=False)


def base_executable() -> str:
    """Return the current interpreter outside of any virtual environment, which may be deleted."""
    return getattr(sys, "_base_executable", "") or sys.executable


def _probe(command: str) -> tuple[str, str, str, str]:
    """Return name, major, minor and path of an interpreter; empty strings when it does not run.

    A version manager may put a command on PATH that only prints which version is not selected.
    """
    try:
        answer = subprocess.run(
            [command, "-c", _PROBE], capture_output=True, text=True, timeout=PROBE_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ("", "", "", "")
    parts = answer.stdout.strip().split(" ", 3)
    return (parts[0], parts[1], parts[2], parts[3]) if answer.returncode == 0 and len(parts) == 4 else ("", "", "", "")
