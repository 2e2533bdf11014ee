"""A seccomp filter: no sockets, no leaving of the process group, none of the calls that only attacks need.

Nor are the rights and owners of files changed, for which Landlock has no rule.
The filter is classic BPF (docs.kernel.org/userspace-api/seccomp_filter.html).
"""

import ctypes
import errno
import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Final, TypeAlias

from worker.engine.confinement.kernel import control_process, is_supported, system_call

PR_SET_SECCOMP: Final = 22
SECCOMP_MODE_FILTER: Final = 2
SECCOMP_CALLS: Final[Mapping[str, int]] = MappingProxyType({"x86_64": 317, "aarch64": 277})
SET_FILTER: Final = 1
FIND_ACTION: Final = 2
SPECULATION_ALLOWED: Final = 4
"""SECCOMP_FILTER_FLAG_SPEC_ALLOW: without it, older kernels slow down the branches of all code that runs here."""
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
SECOND_ARGUMENT_OFFSET: Final = 24
THIRD_ARGUMENT_OFFSET: Final = 32
OTHER_ABI: Final = 0x40000000
"""From here on, x86-64 counts the calls of its 32-bit pointers ABI."""
NEW_NAMESPACES: Final = 0x7E020080
"""All CLONE_NEW flags that clone(2) takes (linux/sched.h), with CLONE_NEWTIME."""

NONE: Final = -1
"""The number of a call that an architecture lacks."""
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
        # Landlock has no rights for these: whoever owns a file could change it anywhere. Nor for the first of them
        # before its third version; what is open for writing can still be cut off.
        "truncate": (76, 45),
        "chmod": (90, NONE),
        "fchmod": (91, 52),
        "chown": (92, NONE),
        "fchown": (93, 55),
        "lchown": (94, NONE),
        "fchownat": (260, 54),
        "fchmodat": (268, 53),
        "fchmodat2": (452, 452),
        "setxattr": (188, 5),
        "lsetxattr": (189, 6),
        "fsetxattr": (190, 7),
        "removexattr": (197, 14),
        "lremovexattr": (198, 15),
        "fremovexattr": (199, 16),
        "setxattrat": (463, 463),
        "removexattrat": (466, 466),
    }
)
CLONE: Final = (56, 220)
CLONE3: Final = (435, 435)
OPEN: Final = (2, NONE)
OPENAT: Final = (257, 56)
OPENAT2: Final = (437, 437)
WRITE_ACCESS: Final = os.O_WRONLY | os.O_RDWR

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
        number = SECCOMP_CALLS[platform.machine()]
        return system_call(number, FIND_ACTION, 0, ctypes.byref(ctypes.c_uint32(REFUSE))) == 0
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
    try:
        number = SECCOMP_CALLS[platform.machine()]
        system_call(number, SET_FILTER, SPECULATION_ALLOWED, ctypes.byref(program))
    except OSError:
        # Kernels before 4.17 do not know the flag.
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
        # Their flags lie in memory, where a filter cannot look; without them, libraries use clone and openat.
        *_when(CLONE3[column], [(RETURN, 0, 0, missing)]),
        *_when(OPENAT2[column], [(RETURN, 0, 0, missing)]),
    ]
    for numbers in REFUSED_CALLS.values():
        program += _when(numbers[column], [(RETURN, 0, 0, refuse)])
    program += _when(OPEN[column], _refuse_emptying(SECOND_ARGUMENT_OFFSET, refuse))
    program += _when(OPENAT[column], _refuse_emptying(THIRD_ARGUMENT_OFFSET, refuse))
    program += _when(
        CLONE[column],
        [
            (LOAD_WORD, 0, 0, FIRST_ARGUMENT_OFFSET),
            (JUMP_ANY_BIT, 0, 1, NEW_NAMESPACES),
            (RETURN, 0, 0, refuse),
            (RETURN, 0, 0, ALLOW),
        ],
    )
    return [*program, (RETURN, 0, 0, ALLOW)]


def _when(number: int, instructions: list[Instruction]) -> list[Instruction]:
    """Run instructions, of which the last returns, for one call; `number` is in the accumulator before and after."""
    return [] if number == NONE else [(JUMP_EQUAL, 0, len(instructions), number), *instructions]


def _refuse_emptying(flags_offset: int, refuse: int) -> list[Instruction]:
    """Refuse O_TRUNC without access for writing, which empties a file that Landlock takes to be only read."""
    return [
        (LOAD_WORD, 0, 0, flags_offset),
        (JUMP_ANY_BIT, 0, 2, os.O_TRUNC),
        (JUMP_ANY_BIT, 1, 0, WRITE_ACCESS),
        (RETURN, 0, 0, refuse),
        (RETURN, 0, 0, ALLOW),
    ]
