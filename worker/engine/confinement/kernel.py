"""Calls into the Linux kernel for which Python has no function."""

import ctypes
import os
import platform
import sys
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Final

PR_SET_NO_NEW_PRIVS: Final = 38
PR_CAPBSET_DROP: Final = 24
"""linux/prctl.h"""
CAPABILITY_VERSION: Final = 0x20080522
CAPABILITY_CALLS: Final[Mapping[str, tuple[int, int]]] = MappingProxyType({"x86_64": (125, 126), "aarch64": (90, 91)})
"""The numbers of capget and capset."""
KEPT_CAPABILITIES: Final = 0b1011
"""CHOWN, DAC_OVERRIDE and FOWNER: root still works on files of the account that owns the installation."""


def is_supported() -> bool:
    """Tell whether this is a 64-bit Linux of a known architecture."""
    return sys.platform == "linux" and sys.maxsize > 2**32 and platform.machine() in ("x86_64", "aarch64")


def system_call(number: int, *arguments: object) -> int:
    """Make a system call.

    Args:
        number: Its number on this architecture.
        arguments: Integers, byte strings, ctypes pointers or None.

    Raises:
        OSError: The kernel refused.
    """
    return _checked("syscall", ctypes.c_long(number), *arguments)


def control_process(option: int, *arguments: object) -> int:
    """Call prctl(2).

    Raises:
        OSError: The kernel refused.
    """
    padded = [*arguments, *[0] * (4 - len(arguments))]
    return _checked("prctl", ctypes.c_int(option), *padded)


def forbid_new_privileges() -> None:
    """Keep this process and its children from gaining rights through set-user-ID programs.

    Raises:
        OSError: The kernel refused.
    """
    control_process(PR_SET_NO_NEW_PRIVS, 1)


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int32))


class _Capabilities(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def drop_capabilities() -> None:
    """Give up all rights of root but those over owners and modes of files.

    With them root could look into other processes in spite of Landlock.

    Raises:
        OSError: The kernel refused.
    """
    read, write = CAPABILITY_CALLS[platform.machine()]
    header = _CapabilityHeader(CAPABILITY_VERSION, 0)
    sets = (_Capabilities * 2)()
    system_call(read, ctypes.byref(header), ctypes.byref(sets))
    if not sets[0].permitted and not sets[1].permitted:
        return
    # Programs that root starts get what is in the bounding set; dropping it may be forbidden already.
    with suppress(OSError):
        for capability in range(64):
            if not KEPT_CAPABILITIES >> capability & 1:
                control_process(PR_CAPBSET_DROP, capability)
    kept = sets[0].permitted & KEPT_CAPABILITIES
    sets[0] = _Capabilities(kept, kept, 0)
    sets[1] = _Capabilities(0, 0, 0)
    system_call(write, ctypes.byref(header), ctypes.byref(sets))


def _checked(name: str, *arguments: object) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    function = library[name]
    function.restype = ctypes.c_long
    words = [ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments]
    result = int(function(*words))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
