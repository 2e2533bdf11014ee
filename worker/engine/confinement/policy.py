"""What the engine process may do: which files it reaches and how much it may take."""

import os
import resource
import shutil
import site
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from worker.engine.confinement.kernel import drop_capabilities, forbid_new_privileges, is_supported
from worker.engine.confinement.landlock import (
    SCOPE_VERSION,
    TRUNCATE_VERSION,
    FileAccess,
    has_landlock,
    landlock_version,
    restrict_files,
)
from worker.engine.confinement.memory import memory_bytes, reader_memory_bytes
from worker.engine.confinement.seccomp import has_seccomp, refuse_calls

MAX_FILE_BYTES: Final = 64 * 2**30
"""Above the largest file that the longest clip gives: two hours of eight channels at 192 kHz."""

SYSTEM_FOLDERS: Final = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/nix/store", "/proc", "/sys", "/run/opengl-driver")
SYSTEM_FILES: Final = (
    *("/etc/alternatives", "/etc/fonts", "/etc/group", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d"),
    *("/etc/locale.conf", "/etc/localtime", "/etc/machine-id", "/etc/mime.types", "/etc/nsswitch.conf"),
    *("/etc/os-release", "/etc/OpenCL", "/etc/passwd", "/etc/timezone", "/etc/vulkan", "/opt/cuda", "/opt/nvidia"),
    *("/opt/rocm", "/var/cache/fontconfig", "/dev/random", "/dev/urandom"),
)
WRITABLE_DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/full", "/dev/shm", "/dev/dri", "/dev/kfd")  # noqa: S108
CUDA_DEVICES: Final = ("nvidia*", "nvhost*", "nvmap", "dxg")
"""Of desktop and server drivers, of Tegra, and of the Windows Subsystem for Linux."""


def cache_folder(home: Path) -> Path:
    """Return the folder for what libraries keep from one engine to the next: font lists, compiled kernels."""
    return home / "cache"


def confine(home: Path, scratch: Path, device: str, *, reads_strangers: bool = False) -> list[str]:
    """Confine this process and all that it starts, as far as the system can; call it before any thread is started.

    Args:
        home: Folder of the installation; of it, the weights can be read and those made here be written.
        scratch: Folder for the files of stages.
        device: The torch device, or `auto`.
        reads_strangers: Whether it does nothing but read files as strangers sent them, which takes little memory.

    Returns:
        What the system has and yet refused; the engine works without it.
    """
    access = file_access(home, scratch)
    may_use_cuda = device != "cpu" and bool(_cuda_devices())
    refused: list[str] = []
    steps: list[tuple[str, bool, Callable[[], None]]] = [
        ("limits", True, lambda: limit_resources(may_use_cuda=may_use_cuda, reads_strangers=reads_strangers)),
        ("no_new_privs", is_supported(), forbid_new_privileges),
        ("capabilities", is_supported(), drop_capabilities),
        ("Landlock", has_landlock(), lambda: restrict_files(access)),
        ("seccomp", has_seccomp(), refuse_calls),
    ]
    for name, available, take in steps:
        try:
            if available:
                take()
        except (OSError, ValueError) as error:
            refused.append(f"{name}: {error}")
    return refused


def shortfalls() -> list[str]:
    """Return what keeps the engine from being confined on this system, each in a few words."""
    missing: list[str] = []
    if not has_landlock():
        missing.append(
            "no Landlock of Linux 5.19: a hostile clip that takes over the engine could read files of this account"
        )
    elif landlock_version() < SCOPE_VERSION:
        missing.append("a Landlock before that of Linux 6.12: it could signal other processes of this account")
    if not has_seccomp():
        cut = "" if landlock_version() >= TRUNCATE_VERSION else ", and empty them"
        missing.append(f"no seccomp filters: it could use the network, and change the rights of files{cut}")
    if os.geteuid() == 0:
        missing.append("Stemcord runs as root: use an account of its own")
    return missing


def file_access(home: Path, scratch: Path) -> FileAccess:
    """Return the files that the engine can reach."""
    made = (home / "models", cache_folder(home))
    for folder in made:
        folder.mkdir(parents=True, exist_ok=True)
    prefixes = [Path(prefix).resolve() for prefix in {sys.prefix, sys.base_prefix}]
    packages = [path for path in _import_folders() if not any(path.is_relative_to(prefix) for prefix in prefixes)]
    return FileAccess(
        readable=(
            *(Path(path) for path in (*SYSTEM_FOLDERS, *SYSTEM_FILES, *site.getsitepackages())),
            *prefixes,
            *_libraries(),
            *(module for folder in packages for module in _modules_in(folder, home)),
            *_programs(),
            home / "checkpoints",
            *(target for folder in (home / "checkpoints", home / "models") for target in _linked_files(folder)),
        ),
        listable=tuple(packages),
        writable=(
            *(Path(path) for path in WRITABLE_DEVICES),
            *_cuda_devices(),
            *made,
            scratch,
        ),
    )


def limit_resources(*, may_use_cuda: bool, reads_strangers: bool = False) -> None:
    """Limit the size of files and the memory; no core dumps.

    RLIMIT_NPROC counts all tasks of the account, those of other containers too, so it is left alone: the supervisor
    counts the processes of the engine. Nor is there one on processor time: a long clip is no attack, and stages have
    limits of their own.
    """
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, MAX_FILE_BYTES)
    if sys.platform != "linux":
        return
    if not may_use_cuda:
        # Drivers of graphics cards map more memory than there is.
        _lower(resource.RLIMIT_DATA, reader_memory_bytes() if reads_strangers else memory_bytes())


def _lower(kind: int, limit: int) -> None:
    hard = resource.getrlimit(kind)[1]
    lowered = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    resource.setrlimit(kind, (lowered, lowered))


def _cuda_devices() -> list[Path]:
    return [device for pattern in CUDA_DEVICES for device in Path("/dev").glob(pattern)]


def _import_folders() -> list[Path]:
    return [Path(entry).resolve() for entry in sys.path if entry and Path(entry).is_dir()]


def _modules_in(folder: Path, home: Path) -> Iterator[Path]:
    """Yield the modules and packages in a folder of the import path, without what else lies beside them."""
    for path in folder.iterdir():
        is_package = path.is_dir() and path.name.isidentifier()
        if (is_package or path.suffix in (".py", ".so", ".pth")) and not home.is_relative_to(path):
            yield path


def _programs() -> Iterator[Path]:
    """Yield the ffmpeg that imageio-ffmpeg finds outside of its package, and the libraries beside it."""
    for name in (os.environ.get("IMAGEIO_FFMPEG_EXE", ""), "ffmpeg"):
        if found := shutil.which(name):
            program = Path(found).resolve()
            yield program
            if program.parent.name == "bin":
                yield from (program.parents[1] / name for name in ("lib", "lib64"))


def _linked_files(folder: Path) -> Iterator[Path]:
    """Yield what the symbolic links in a folder lead to; engines cannot make links."""
    for parent, folders, files in os.walk(folder):
        for path in (Path(parent, name) for name in (*folders, *files)):
            if path.is_symlink():
                yield path.resolve()


def _libraries() -> list[Path]:
    listed = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    preloaded = os.environ.get("LD_PRELOAD", "").replace(":", " ").split()
    return [Path(entry) for entry in (*listed, *preloaded) if entry.startswith("/")]
