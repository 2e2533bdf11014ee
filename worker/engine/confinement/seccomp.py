"""A seccomp filter: no sockets, no leaving of the process group, none of the calls that only attacks need.

The filter is classic BPF (docs.kernel.org/userspace-api/seccomp_filter.html).
"""

import ctypes
import errno
import platform
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Final, TypeAlias

from worker.engine.confinement.kernel import control_process, is_supported, system_call

PR_SET_SECCOMP: Final = 22
SECCOMP_MODE_FILTER: Final = 2
ALLOW: Final = 0x7FFF0000
REFUSE: Final = 0x00050000
"""Fails with the error in the lower half."""
LOAD_WORD: Final = 0x20
JUMP_EQUAL: Final = 0x15
JUMP_AT_LEAST: Final = 0x35
JUMP_ANY_BIT: Final = 0x45
RETURN: Final = 0x06
NUMBER_OFFSET: Final = 0
ARCHITECTURE_OFFSET: Final = 4
FIRST_ARGUMENT_OFFSET: Final = 16
OTHER_ABI: Final = 0x40000000
"""From here on, x86-64 counts the calls of its 32-bit pointers ABI."""
NEW_NAMESPACES: Final = 0x7E020080
"""All CLONE_NEW flags that clone(2) takes (linux/sched.h), with CLONE_NEWTIME."""

# The numbers of AUDIT_ARCH (linux/audit.h) and of the calls (asm/unistd_64.h, asm-generic/unistd.h).
ARCHITECTURES: Final[Mapping[str, int]] = MappingProxyType({"x86_64": 0xC000003E, "aarch64": 0xC00000B7})
REFUSED_CALLS: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {
        "socket": (41, 198),
        "ptrace": (101, 117),
        "setpgid": (109, 154),
        "setsid": (112, 157),
        "pivot_root": (155, 41),
        "chroot": (161, 51),
        "mount": (165, 40),
        "umount2": (166, 39),
        "swapon": (167, 224),
        "reboot": (169, 142),
        "init_module": (175, 105),
        "delete_module": (176, 106),
        "kexec_load": (246, 104),
        "add_key": (248, 217),
        "request_key": (249, 218),
        "keyctl": (250, 219),
        "unshare": (272, 97),
        "perf_event_open": (298, 241),
        "open_by_handle_at": (304, 265),
        "setns": (308, 268),
        "process_vm_readv": (310, 270),
        "process_vm_writev": (311, 271),
        "finit_module": (313, 273),
        "kexec_file_load": (320, 294),
        "bpf": (321, 280),
        "userfaultfd": (323, 282),
        "io_uring_setup": (425, 425),
        "open_tree": (428, 428),
        "move_mount": (429, 429),
        "fsopen": (430, 430),
        "fsmount": (432, 432),
        "pidfd_getfd": (438, 438),
        "mount_setattr": (442, 442),
    }
)
CLONE: Final = (56, 220)
CLONE3: Final = (435, 435)

Instruction: TypeAlias = tuple[int, int, int, int]
"""Code, jump when true, jump when false, operand."""


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("filter", ctypes.POINTER(_Instruction)))


def has_seccomp() -> bool:
    """Tell whether the kernel takes filters."""
    if not is_supported():
        return False
    with suppress(OSError):
        # SECCOMP_GET_ACTION_AVAIL
        number = 317 if platform.machine() == "x86_64" else 277
        return system_call(number, 2, 0, ctypes.byref(ctypes.c_uint32(REFUSE))) == 0
    return False


def refuse_calls() -> None:
    """Refuse the calls for this thread and for what it starts, for ever; needs `forbid_new_privileges` before.

    Raises:
        OSError: The kernel refused.
    """
    if not is_supported():
        raise OSError("this system has no seccomp filters")
    instructions = build_filter(platform.machine())
    code = (_Instruction * len(instructions))(*(_Instruction(*instruction) for instruction in instructions))
    program = _Program(len(instructions), ctypes.cast(code, ctypes.POINTER(_Instruction)))
    control_process(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program))


def build_filter(machine: str) -> list[Instruction]:
    """Build the program of the filter for an architecture."""
    column = list(ARCHITECTURES).index(machine)
    refuse, missing = REFUSE | errno.EPERM, REFUSE | errno.ENOSYS
    program: list[Instruction] = [
        (LOAD_WORD, 0, 0, ARCHITECTURE_OFFSET),
        (JUMP_EQUAL, 1, 0, ARCHITECTURES[machine]),
        (RETURN, 0, 0, refuse),
        (LOAD_WORD, 0, 0, NUMBER_OFFSET),
        (JUMP_AT_LEAST, 0, 1, OTHER_ABI),
        (RETURN, 0, 0, missing),
        # The flags of clone3 lie in memory, where a filter cannot look; without it, libraries use clone.
        (JUMP_EQUAL, 0, 1, CLONE3[column]),
        (RETURN, 0, 0, missing),
    ]
    for numbers in REFUSED_CALLS.values():
        program += [(JUMP_EQUAL, 0, 1, numbers[column]), (RETURN, 0, 0, refuse)]
    program += [
        (JUMP_EQUAL, 0, 3, CLONE[column]),
        (LOAD_WORD, 0, 0, FIRST_ARGUMENT_OFFSET),
        (JUMP_ANY_BIT, 0, 1, NEW_NAMESPACES),
        (RETURN, 0, 0, refuse),
        (RETURN, 0, 0, ALLOW),
    ]
    return program
