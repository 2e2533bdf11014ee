"""The OpenMP library that a package brings, under its usual name again."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from deploy.setup.environments import all_environments
from deploy.setup.errors import SetupError
from deploy.setup.openmp import LIBRARY, STARTUP_FILE, provide_openmp, with_soname

LOADER = f"""
import ctypes, sys
copy = ctypes.CDLL(sys.argv[1], ctypes.RTLD_GLOBAL)
assert ctypes.CDLL("{LIBRARY}")._handle == copy._handle
copy.omp_get_max_threads()
"""


def brought() -> Path:
    """The library as scikit-learn brings it."""
    spec = find_spec("sklearn")
    assert spec is not None
    assert spec.origin is not None
    (found,) = (Path(spec.origin).parents[1] / "scikit_learn.libs").glob("libgomp-*")
    return found


def test_a_copy_with_its_usual_name_is_found_by_what_asks_for_that(tmp_path: Path) -> None:
    copy = tmp_path / "copy.so"
    copy.write_bytes(with_soname(brought().read_bytes(), brought().name, LIBRARY))
    subprocess.run([sys.executable, "-c", LOADER, copy], check=True)


def test_another_library_is_not_renamed() -> None:
    with pytest.raises(ValueError, match="cannot be called"):
        with_soname(b"libgomp-1.so\0", "libgomp-2.so", LIBRARY)
    with pytest.raises(ValueError, match="cannot be called"):
        with_soname(b"a.so\0", "a.so", LIBRARY)


def environment_without_the_library(root: Path) -> Path:
    """An environment whose interpreter finds no library; the file of a package that may bring it."""
    python = root / ".venv-asr" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    folder = root / ".venv-asr" / "lib" / "python3.11" / "site-packages" / "some.libs"
    folder.mkdir(parents=True)
    (folder.parent / "paddle").mkdir()
    return folder / "libgomp-0123.so.1.0.0"


def test_it_is_loaded_as_the_interpreter_starts(tmp_path: Path) -> None:
    library = environment_without_the_library(tmp_path)
    library.write_bytes(b"ELF libgomp-0123.so.1.0.0\0 more")
    asr = all_environments(tmp_path)[1]
    assert provide_openmp(asr)
    copy = asr.path / "lib" / LIBRARY
    assert copy.read_bytes().startswith(b"ELF libgomp.so.1\0\0")
    line = (library.parents[1] / STARTUP_FILE).read_text()
    assert line.startswith("import ctypes; ")
    assert str(copy) in line


def test_without_any_it_says_what_to_install(tmp_path: Path) -> None:
    environment_without_the_library(tmp_path)
    with pytest.raises(SetupError, match=LIBRARY) as caught:
        provide_openmp(all_environments(tmp_path)[1])
    assert "libgomp1" in str(caught.value)


def test_an_environment_without_paddle_needs_none(tmp_path: Path) -> None:
    library = environment_without_the_library(tmp_path)
    (library.parents[1] / "paddle").rmdir()
    assert not provide_openmp(all_environments(tmp_path)[1])
