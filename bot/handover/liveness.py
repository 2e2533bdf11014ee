"""Tells whether a process of this machine is gone, so that nobody waits for one that was killed."""

import os
from pathlib import Path
from typing import Final

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE: Final = Path("/proc/self/ns/pid")
_START_TIME_FIELD: Final = 21
"""proc(5): starttime is the 22nd field of stat; the second one, the name, may hold spaces."""


def own_place() -> str:
    """Return a text that names this process among all of all machines; empty where the system does not tell."""
    pid = os.getpid()
    machine, started = _machine(), _start_time(pid)
    return f"{machine}/{pid}/{started}" if machine and started else ""


def is_gone(place: str) -> bool:
    """Tell whether the process of a place has ended for sure; of other machines nothing is known."""
    machine, _, rest = place.rpartition("/")
    machine, _, pid = machine.rpartition("/")
    if not machine or machine != _machine() or not pid.isdecimal():
        return False
    return _start_time(int(pid)) != rest


def _machine() -> str:
    """Return what is the same for all processes that see each other by their numbers."""
    try:
        return f"{_BOOT_ID.read_text().strip()}/{_NAMESPACE.readlink()}"
    except OSError:
        return ""


def _start_time(pid: int) -> str:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    # What is before the bracket are the first two fields; a zombie only waits for its parent.
    return "" if fields[0] in ("Z", "X") else fields[_START_TIME_FIELD - 2]
