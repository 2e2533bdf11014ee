"""Landlock: which files this process and its children can reach (docs.kernel.org/userspace-api/landlock.html)."""

import ctypes
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from worker.engine.confinement.kernel import is_supported, system_call

CREATE_RULESET: Final = 444
ADD_RULE: Final = 445
RESTRICT_SELF: Final = 446
VERSION_FLAG: Final = 1
PATH_BENEATH: Final = 1

EXECUTE: Final = 1 << 0
WRITE_FILE: Final = 1 << 1
READ_FILE: Final = 1 << 2
READ_DIR: Final = 1 << 3
REFER: Final = 1 << 13
TRUNCATE: Final = 1 << 14
IOCTL_DEV: Final = 1 << 15

MIN_VERSION: Final = 2
"""Version 1 (Linux 5.13 to 5.18) refuses all renaming from one folder to another, which stages need."""
FIRST_RIGHTS: Final = (1 << 13) - 1
"""The rights of the first version."""
TRUNCATE_VERSION: Final = 3
LATER_RIGHTS: Final = ((2, REFER), (TRUNCATE_VERSION, TRUNCATE), (5, IOCTL_DEV))
"""Rights by the version that brought them."""
READ: Final = EXECUTE | READ_FILE | READ_DIR
FILE_RIGHTS: Final = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
"""Those that a rule for a single file may name."""
NEVER: Final = EXECUTE | 1 << 6 | 1 << 9 | 1 << 11 | 1 << 12
"""Where files can be written, none is started, and no devices, sockets and symbolic links are made.

The worker and the next engine would follow a link to files that are out of reach here.
"""
NETWORK_VERSION: Final = 4
TCP_RIGHTS: Final = 0b11
SCOPE_VERSION: Final = 6
SCOPES: Final = 0b11
"""No signals to, and no abstract sockets of, processes outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAccess:
    """The files that remain within reach; folders with all that is in them. Paths that are missing are passed over."""

    readable: tuple[Path, ...] = ()
    listable: tuple[Path, ...] = ()
    """Folders whose names can be listed, but whose files cannot be read."""
    writable: tuple[Path, ...] = ()


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("folder", ctypes.c_int32))


def landlock_version() -> int:
    """Return the version of Landlock that the kernel has; 0 without it."""
    if not is_supported():
        return 0
    try:
        return system_call(CREATE_RULESET, None, 0, VERSION_FLAG)
    except OSError:
        return 0


def has_landlock() -> bool:
    """Tell whether the kernel has a Landlock under which stages can work."""
    return landlock_version() >= MIN_VERSION


def restrict_files(access: FileAccess) -> None:
    """Put all other files out of reach of this thread and of what it starts, for ever.

    Raises:
        OSError: The kernel refused.
    """
    version = landlock_version()
    if version < MIN_VERSION:
        raise OSError("this kernel has no Landlock, or the first version of it")
    handled = FIRST_RIGHTS | sum(right for since, right in LATER_RIGHTS if version >= since)
    ruleset = _Ruleset(
        files=handled,
        network=TCP_RIGHTS if version >= NETWORK_VERSION else 0,
        scopes=SCOPES if version >= SCOPE_VERSION else 0,
    )
    size = 8 if version < NETWORK_VERSION else 16 if version < SCOPE_VERSION else ctypes.sizeof(_Ruleset)
    rules = system_call(CREATE_RULESET, ctypes.byref(ruleset), size, 0)
    try:
        _allow(rules, access.readable, READ)
        _allow(rules, access.listable, READ_DIR)
        _allow(rules, access.writable, handled & ~NEVER)
        system_call(RESTRICT_SELF, rules, 0)
    finally:
        os.close(rules)


def _allow(rules: int, paths: Iterable[Path], rights: int) -> None:
    for path in paths:
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
                rule = _PathRule(rights=rights if is_folder else rights & FILE_RIGHTS, folder=descriptor)
                system_call(ADD_RULE, rules, PATH_BENEATH, ctypes.byref(rule), 0)
            finally:
                os.close(descriptor)
