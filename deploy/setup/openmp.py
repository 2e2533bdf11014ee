"""Give Paddle the OpenMP library of GCC where the machine has none.

Paddle takes `libgomp.so.1` from the system, and a bare Debian lacks it. Other packages bring the same library under a
name of their own; a copy that has its usual name again (SONAME, ELF gABI chapter 5) is loaded as each interpreter of
the environment starts, and the loader then finds it for Paddle.
"""

import subprocess
from pathlib import Path

from deploy.setup.environments import Environment
from deploy.setup.errors import SetupError
from deploy.setup.interpreters import PROBE_TIMEOUT_S

LIBRARY = "libgomp.so.1"
STARTUP_FILE = "stemcord_openmp.pth"
"""Lines of such a file that begin with `import` are run at each start (documentation of Python's `site`)."""


def provide_openmp(environment: Environment) -> bool:
    """Put the library into an environment that has Paddle, unless the machine has it.

    Returns:
        Whether it was put there.

    Raises:
        SetupError: No package of the environment brings it.
    """
    has_paddle = any(environment.path.glob("lib/python3*/site-packages/paddle"))
    if not has_paddle or _loads(environment.python, LIBRARY):
        return False
    brought = sorted(environment.path.glob("lib/python3*/site-packages/*.libs/libgomp-*.so.*"))
    if not brought:
        raise SetupError(
            f"PaddlePaddle needs {LIBRARY}.", hint="Install it (Debian: libgomp1), then run `make env` again."
        )
    copy = environment.path / "lib" / LIBRARY
    copy.write_bytes(with_soname(brought[0].read_bytes(), brought[0].name, LIBRARY))
    site_packages = brought[0].parents[1]
    (site_packages / STARTUP_FILE).write_text(f"import ctypes; ctypes.CDLL({str(copy)!r}, ctypes.RTLD_GLOBAL)\n")
    return True


def with_soname(library: bytes, present: str, wanted: str) -> bytes:
    """Return a shared library that calls itself by another name, which may not be longer.

    Raises:
        ValueError: It does not call itself by the present name, or the wanted one is too long.
    """
    old = present.encode() + b"\0"
    if library.count(old) != 1 or len(wanted) > len(present):
        raise ValueError(f"{present} cannot be called {wanted}")
    return library.replace(old, wanted.encode().ljust(len(old), b"\0"))


def _loads(python: Path, library: str) -> bool:
    """Tell whether an interpreter finds a shared library; `-S` leaves out what this module wrote earlier."""
    code = f"import ctypes; ctypes.CDLL({library!r})"
    done = subprocess.run([python, "-I", "-S", "-c", code], capture_output=True, timeout=PROBE_TIMEOUT_S, check=False)
    return done.returncode == 0
